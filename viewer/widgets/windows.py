from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDialog, QWidget

from viewer.session import Session
from viewer.widgets.annotation_table_window import AnnotationTableWindow
from viewer.widgets.class_manager import ClassManager
from viewer.widgets.counts_window import CountsWindow


class Windows:
    """The windows beside the main one that stay open while one works; each at most once."""

    def __init__(
        self, session: Session, open_menu: Callable[[QPoint], None], parent: QWidget
    ) -> None:
        self.open_ones: dict[str, QDialog] = {}
        self._makers: dict[str, Callable[[], QDialog]] = {
            "table": lambda: AnnotationTableWindow(session, open_menu, parent),
            "classes": lambda: ClassManager(session, parent),
            "counts": lambda: CountsWindow(session, parent),
        }
        session.window_asked.connect(self.open)

    def open(self, name: str) -> None:
        """Open the window of that name, or bring it to the front; other names are not for us."""
        if name in self.open_ones:
            self.open_ones[name].activateWindow()
        elif name in self._makers:
            window = self.open_ones[name] = self._makers[name]()
            window.finished.connect(lambda _: self.open_ones.pop(name, None))
            window.show()
