from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from viewer.session import Session
from viewer.widgets.panels import Panel
from viewer.widgets.theme import theme_named

BEGINNING = "Slide as it came"
ROW = 24
GO = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
NOWHERE = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """The names of all edits after the beginning; an edit adds one row, an undo greys one."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._names: tuple[str, ...] = ()
        self.position = 0
        """How many edits are done, and so the row of the present state."""
        session.opened.connect(lambda _: self.refill())
        session.closed.connect(lambda _: self.refill())
        session.edited.connect(lambda _: self._follow())
        self.refill()

    def refill(self) -> None:
        """Take the whole history of the slide."""
        self.beginResetModel()
        self._names, self.position = self._read()
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:
        shown = self.session.workspace is not None and not parent.isValid()
        return len(self._names) + 1 if shown else 0

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, undone = index.row(), index.row() > self.position
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._names[row - 1] if row else BEGINNING
        if role == Qt.ItemDataRole.ForegroundRole and undone:
            return QColor(theme_named(self.session.settings["theme"]).muted)
        if role == Qt.ItemDataRole.FontRole and undone:
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def _follow(self) -> None:
        names, position = self._read()
        before, self.position = self.position, position
        had, has = len(self._names), len(names)
        if has > had:
            self.beginInsertRows(NOWHERE, had + 1, has)
            self._names = names
            self.endInsertRows()
        elif has < had:
            self.beginRemoveRows(NOWHERE, has + 1, had)
            self._names = names
            self.endRemoveRows()
        self._names = names
        first, last = min(before, position), max(before, position)
        self.dataChanged.emit(self.index(first), self.index(last))

    def _read(self) -> tuple[tuple[str, ...], int]:
        workspace = self.session.workspace
        if workspace is None:
            return (), 0
        return tuple(workspace.document.history), workspace.document.position


class Steps(QTableView):
    """A list of rows; QListView would lay out all of them again after every edit."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("History of edits")
        self.setMinimumHeight(110)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.horizontalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)

    def event(self, event: QEvent) -> bool:
        """Keep Enter, which goes to a step, from reaching a shortcut of the window."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() in GO:
            event.accept()
            return True
        return super().event(event)


class HistoryPanel(Panel):
    """Every edit by name, done and undone; choosing one goes back or forward to it."""

    def __init__(self, session: Session) -> None:
        super().__init__("History")
        self.session = session
        self.model = HistoryModel(session, self)
        self.list = Steps()
        self.list.setModel(self.model)
        self.list.clicked.connect(self._go_to)
        self.list.activated.connect(self._go_to)
        self.rows.setContentsMargins(5, 5, 5, 5)
        self.rows.addWidget(self.list)
        for event in (session.opened, session.closed, session.edited):
            event.connect(lambda _: self._show_position())

    def _show_position(self) -> None:
        index = self.model.index(self.model.position)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    def _go_to(self, index: QModelIndex) -> None:
        workspace = self.session.workspace
        if workspace is not None and index.row() != workspace.document.position:
            workspace.document.go_to(index.row())
