from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from viewer.session import Session
from viewer.session.opening import open_of_study

MOST_ROWS, ROW = 5, 26


class StudySlides(QListWidget):
    """The slides of a study that holds several; one click shows another."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAccessibleName("Slides of this study")
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.itemClicked.connect(self._open)
        self.itemActivated.connect(self._open)
        session.opened.connect(lambda _: self.refresh())
        session.closed.connect(lambda _: self.hide())
        self.hide()

    def refresh(self) -> None:
        """Show the slides as they are now; those that are gone say so."""
        self.clear()
        workspace = self._session.workspace
        slides = workspace.study.slides() if workspace is not None else []
        self.setVisible(len(slides) > 1)
        for each in slides:
            there = workspace is not None and workspace.study.locate(each.id) is not None
            item = QListWidgetItem(each.path.name if there else f"{each.path.name} (not found)")
            item.setData(Qt.ItemDataRole.UserRole, each.id)
            item.setToolTip(str(each.path))
            self.addItem(item)
            if workspace is not None and each.id == workspace.slide_id:
                self.setCurrentItem(item)
        self.setFixedHeight(min(len(slides), MOST_ROWS) * ROW + 4)

    def _open(self, item: QListWidgetItem) -> None:
        open_of_study(self._session, item.data(Qt.ItemDataRole.UserRole))
