from pathlib import Path
from typing import TYPE_CHECKING

from viewer.document import Event
from viewer.session.workspace import OpenedSlide, load_slide

if TYPE_CHECKING:
    from viewer.session.session import Session


class Beside:
    """A second slide next to the one in the window: without a study, only to be looked at."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self.opened: OpenedSlide | None = None
        self.linked = True
        """Whether both slides move together."""
        self.changed: Event[OpenedSlide | None] = Event()

    def open(self, path: Path) -> None:
        """Show a slide beside the one in the window, in the place of an earlier one."""
        session = self._session
        job = session.jobs.start(
            f"Opening {path.name}", lambda report: load_slide(path, report), owner=session.workspace
        )
        job.succeeded.connect(self._put)
        job.failed.connect(session.tell_failure)

    def close(self) -> None:
        if self.opened is not None:
            slide, self.opened = self.opened.slide, None
            self.changed.emit(None)
            slide.close()

    def _put(self, opened: OpenedSlide) -> None:
        self.close()
        self.opened = opened
        self.changed.emit(opened)
