import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, Signal

from segcore.errors import AcinusError
from segcore.progress import Cancelled, Report

Work = Callable[[Report], Any]
REPORT_INTERVAL = 0.03  # seconds: more often than the eye can follow would only load the event loop

log = logging.getLogger(__name__)


class Job(QObject):
    """One piece of work on a thread of its own. All signals arrive on the main thread."""

    progressed = Signal(float, str)
    streamed = Signal(object)
    """A partial result, passed by the work through `Job.stream`."""
    succeeded = Signal(object)
    failed = Signal(object)
    """The exception; an `AcinusError` is a sentence for people, anything else is a bug."""
    cancelled = Signal()
    finished = Signal()
    """After exactly one of the three above."""
    _ended = Signal(str, object)

    def __init__(
        self, title: str, work: Work, owner: object = None, *, quiet: bool = False
    ) -> None:
        super().__init__()
        self.title = title
        self.owner = owner
        self.quiet = quiet
        self.started = time.monotonic()
        self.fraction = 0.0
        self.text = ""
        self.state = "running"
        self._work = work
        self._wish = threading.Event()
        self._last_report = 0.0
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self.progressed.connect(self._note, Qt.ConnectionType.QueuedConnection)

    def cancel(self) -> None:
        """Ask the work to stop at its next report."""
        self._wish.set()

    @property
    def cancelling(self) -> bool:
        return self._wish.is_set() and self.state == "running"

    def stream(self, partial: object) -> None:
        """Pass a partial result to the window; called by the work, on its thread."""
        if self._wish.is_set():
            raise Cancelled
        self.streamed.emit(partial)

    def report(self, fraction: float, text: str = "") -> None:
        """Tell progress; called by the work, on its thread. Raises Cancelled once the user wants so."""
        if self._wish.is_set():
            raise Cancelled
        now = time.monotonic()
        if now - self._last_report >= REPORT_INTERVAL or fraction >= 1:
            self._last_report = now
            self.progressed.emit(fraction, text)

    def run(self) -> None:
        """Do the work; whatever happens, end exactly once."""
        try:
            result = self._work(self.report)
        except Cancelled:
            self._ended.emit("cancelled", None)
        except AcinusError as error:
            self._ended.emit("failed", error)
        except Exception as error:
            log.exception("The job %r failed unexpectedly", self.title)
            self._ended.emit("failed", error)
        else:
            self._ended.emit("succeeded", result)

    def _note(self, fraction: float, text: str) -> None:
        self.fraction, self.text = fraction, text

    def _deliver(self, state: str, value: object) -> None:
        # A result that comes after the user cancelled is not wanted any more.
        self.state = "cancelled" if self._wish.is_set() else state
        if self.state == "succeeded":
            self.succeeded.emit(value)
        elif self.state == "failed":
            self.failed.emit(value)
        else:
            self.cancelled.emit()
        self.finished.emit()


class JobRunner(QObject):
    """Starts jobs and keeps them alive until they have ended."""

    started = Signal(object)
    idle = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[Job, threading.Thread] = {}

    @property
    def running(self) -> tuple[Job, ...]:
        return tuple(self._running)

    def start(self, title: str, work: Work, *, owner: object = None, quiet: bool = False) -> Job:
        """Start `work(report)` on a thread; connect to the returned job's signals at once.

        `owner` is whatever the work is of no use without; see `cancel_of`. Of a `quiet` job, which is over
        in a moment, nobody is told.
        """
        job = Job(title, work, owner, quiet=quiet)
        thread = threading.Thread(target=job.run, name=title, daemon=True)
        self._running[job] = thread
        job.finished.connect(lambda: self._forget(job))
        if not quiet:
            self.started.emit(job)
        # Only after this turn of the event loop: the caller connects its listeners first.
        QTimer.singleShot(0, thread.start)
        return job

    def cancel_of(self, owner: object) -> None:
        """Cancel the jobs that nobody wants once `owner` is gone."""
        for job in self._running:
            if job.owner is owner:
                job.cancel()

    def cancel_all(self) -> None:
        for job in self._running:
            job.cancel()

    def wait_idle(self, seconds: float = 600.0) -> bool:
        """Run the event loop until no job is left; False when `seconds` pass first."""
        if not self._running:
            return True
        loop = QEventLoop()
        timer = QTimer(singleShot=True)
        timer.timeout.connect(loop.quit)
        self.idle.connect(loop.quit)
        timer.start(int(seconds * 1000))
        loop.exec()
        return not self._running

    def _forget(self, job: Job) -> None:
        del self._running[job]
        if not self._running:
            self.idle.emit()
