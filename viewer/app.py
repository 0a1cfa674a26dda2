"""The program: puts the parts together, catches what nobody expected, runs scripts."""

import argparse
import faulthandler
import logging
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from segcore import __version__
from segcore.config import resources, user_data
from viewer.actions.projects import open_file
from viewer.jobs import JobRunner
from viewer.session import Session
from viewer.settings import Settings
from viewer.widgets.clipboard import SystemClipboard
from viewer.widgets.main_window import MainWindow
from viewer.widgets.messages import Dialogs, StageMessages

REST_MS = 2000

log = logging.getLogger("acinus")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window until it is closed; return the exit code."""
    arguments = _parse(argv)
    if not _has_screen():
        sys.stderr.write(
            "There is no screen to open a window on; set DISPLAY, or use segcore instead.\n"
        )
        return 1
    _start_logging()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("Acinus")
    QApplication.setWindowIcon(QIcon(str(resources() / "icons" / "acinus.svg")))
    session, window = build(Settings(user_data() / "settings.json"))
    _catch_everything(session)
    window.show()
    _end_on_signal(window)
    _load_engine_at_rest(session, window)
    if arguments.slide is not None:
        QTimer.singleShot(0, window, lambda: open_file(session, arguments.slide))
    if arguments.script is not None:
        QTimer.singleShot(0, window, lambda: _run_script(arguments.script, session))
    return app.exec()


def build(settings: Settings) -> tuple[Session, MainWindow]:
    """Make a session and its window. A QApplication must exist."""
    tell, ask = StageMessages(), Dialogs(settings)
    session = Session(settings=settings, jobs=JobRunner(), tell=tell, ask=ask)
    window = MainWindow(session)
    session.view, session.clipboard = window.canvas, SystemClipboard()
    ask.parent = window
    tell.attach(window.stage)
    if settings.damaged:
        tell.warn(settings.damaged)
    return session, window


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="acinus",
        description="Segment, correct and explain breast histology. Research use only.",
    )
    parser.add_argument(
        "slide",
        nargs="?",
        type=Path,
        help="a slide, an image, a study (.acinus), or a project of QuPath (.qpproj)",
    )
    parser.add_argument(
        "--script", type=Path, help="Python file to run with `session` once the window is up"
    )
    parser.add_argument("--version", action="version", version=f"acinus {__version__}")
    return parser.parse_args(argv)


def _run_script(path: Path, session: Session) -> None:
    """Run a script with `session`; an error in it ends the program with its traceback and exit code 1."""
    session.jobs.wait_idle()  # the slide of the command line is open before the script begins
    if not path.is_file():
        sys.stderr.write(f"There is no script {path}; check the name.\n")
        QApplication.exit(1)
        return
    try:
        runpy.run_path(str(path), init_globals={"session": session}, run_name="__main__")
    except SystemExit as end:
        QApplication.exit(end.code if isinstance(end.code, int) else 0)
    except Exception:  # noqa: BLE001 - whatever a user's script raises is shown to them
        traceback.print_exc()
        QApplication.exit(1)


def _has_screen() -> bool:
    """Tell whether Qt will find a screen; without one it would abort the process."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(key) for key in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"))


def _end_on_signal(window: MainWindow) -> None:
    """Close as by hand when the system asks to end, so that the study is whole."""
    signal.signal(signal.SIGTERM, lambda *_: window.close())
    signal.signal(signal.SIGINT, lambda *_: window.close())
    # Python looks at signals only between its own instructions, so give it some now and then.
    pulse = QTimer(window, interval=300)
    pulse.timeout.connect(lambda: None)
    pulse.start()


def _load_engine_at_rest(session: Session, window: MainWindow) -> None:
    """Import torch once a slide is open and the hand rests: it holds up the window for 0.2 s, at best unseen."""
    rest = QTimer(window, singleShot=True, interval=REST_MS)
    session.opened.connect(lambda _: rest.start())
    window.canvas.view_changed.connect(lambda: rest.start() if rest.isActive() else None)

    def load() -> None:
        model = str(session.settings["model"])
        threading.Thread(target=session.models.prepare, args=(model,), name="engine").start()

    rest.timeout.connect(load)


def _start_logging() -> None:
    folder = user_data()
    logging.basicConfig(
        filename=folder / "acinus.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    faulthandler.enable((folder / "crash.log").open("a"))


def _catch_everything(session: Session) -> None:
    """Tell unexpected errors instead of dying of them; every finished edit is on disk already."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("Unexpected error", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(details)
        session.tell.error(
            "Something went wrong inside Acinus; your edits are saved.", details=details
        )

    def tell_from_thread(args: threading.ExceptHookArgs) -> None:
        error = args.exc_value or args.exc_type()
        QTimer.singleShot(0, session.jobs, lambda: tell(args.exc_type, error, args.exc_traceback))

    sys.excepthook = tell
    threading.excepthook = tell_from_thread
