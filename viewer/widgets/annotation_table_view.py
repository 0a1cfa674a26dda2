from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from viewer.actions import action_named, perform
from viewer.actions.table import go_to, set_lock
from viewer.session import Session
from viewer.widgets.annotation_table_model import AnnotationTableModel
from viewer.widgets.annotation_table_selection import Flag, SessionSelection

ROW = 24
_KEYS = {
    Qt.Key.Key_Return: "edit.properties",
    Qt.Key.Key_Enter: "edit.properties",
    Qt.Key.Key_F2: "edit.properties",
    Qt.Key.Key_Delete: "edit.delete",
}
SELECTED = QStyle.StateFlag.State_Selected
PLAIN = ~(SELECTED | QStyle.StateFlag.State_HasFocus)
Index = QModelIndex | QPersistentModelIndex


class AnnotationTable(QTableView):
    """Rows of annotations: what is selected here is selected on the slide, and the other way round.

    A click on a title sorts, a third click takes that back. A double click goes to the annotation, Enter
    or F2 edits it.
    """

    menu_wanted = Signal(QPoint)
    """Where on the screen, for the menu about the selection."""

    def __init__(self, session: Session, model: AnnotationTableModel) -> None:
        super().__init__()
        self.session = session
        self.rows = model
        self.setModel(model)
        self.chosen = SessionSelection(model, session)
        self.setSelectionModel(self.chosen)
        self.setItemDelegate(_Cell(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Annotations")
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(16)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(model.sort)
        self.doubleClicked.connect(lambda index: go_to(session, [model.annotation(index.row())]))
        self.clicked.connect(self._on_click)
        self.hidden_below: dict[int, int] = {}
        """Columns that are hidden where the table is narrower than so many pixels."""
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_header_menu)
        session.selected.connect(self._on_selected)

    def leave(self) -> None:
        """Follow the session no longer."""
        self.session.selected.disconnect(self._on_selected)
        self.chosen.leave()
        self.rows.leave()

    def selectionCommand(
        self, index: Index, event: QEvent | None = None
    ) -> Flag:  # the menu is about all that is selected, so its button must not select less
        """Say what a click or a key selects."""
        right = isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.RightButton
        if right and index.isValid() and self.is_selected(index.row()):
            return Flag.NoUpdate
        return super().selectionCommand(index, event)

    def arrange(self, widths: Sequence[int]) -> None:
        """Give columns these widths; one of 0 takes the room that is left."""
        for column, width in enumerate(widths):
            mode = QHeaderView.ResizeMode.Interactive if width else QHeaderView.ResizeMode.Stretch
            self.horizontalHeader().setSectionResizeMode(column, mode)
            if width:
                self.setColumnWidth(column, width)

    def is_selected(self, row: int) -> bool:
        workspace = self.session.workspace
        return workspace is not None and self.rows.key(row) in workspace.selection

    def event(self, event: QEvent) -> bool:
        """Keep Ctrl+A, which here selects the rows that are shown, from reaching a shortcut of the window."""
        override = event.type() == QEvent.Type.ShortcutOverride
        every = QKeySequence.StandardKey.SelectAll
        if override and isinstance(event, QKeyEvent) and event.matches(every):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        name = _KEYS.get(Qt.Key(event.key()))
        if name is not None and not event.modifiers():
            perform(action_named(name), self.session)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for column, width in self.hidden_below.items():
            self.setColumnHidden(column, self.width() < width)

    def _open_header_menu(self, at: QPoint) -> None:
        """Offer all orders, those of hidden columns too."""
        menu = QMenu(self)
        header, order = self.horizontalHeader(), Qt.SortOrder.AscendingOrder
        for number, column in enumerate(self.rows.columns):
            if column.keys is not None:
                said = f"Sort by {column.sorts_by or column.title.lower()}"
                menu.addAction(said, lambda n=number: header.setSortIndicator(n, order))
        menu.addSeparator()
        menu.addAction("Newest first", lambda: header.setSortIndicator(-1, order))
        menu.popup(header.mapToGlobal(at))

    def _on_click(self, index: QModelIndex) -> None:
        if self.rows.columns[index.column()].shows_lock:
            each = self.rows.annotation(index.row())
            set_lock(self.session, [each], locked=not each.locked)

    def _on_selected(self, ids: frozenset[str]) -> None:
        self.viewport().update()
        if not self.hasFocus():
            self.show_selection(ids)

    def show_selection(self, ids: frozenset[str] | None = None) -> None:
        """Bring the selected row into view, where it is one."""
        workspace = self.session.workspace
        if ids is None:
            ids = workspace.selection if workspace is not None else frozenset()
        row = self.rows.row_of(next(iter(ids))) if len(ids) == 1 else None
        if row is not None:
            self.chosen.setCurrentIndex(self.rows.index(row, 0), Flag.NoUpdate)
            self.scrollTo(self.rows.index(row, 0))


class _Cell(QStyledItemDelegate):
    """Draws a cell, selected where the session says so."""

    def __init__(self, table: AnnotationTable) -> None:
        super().__init__(table)
        self._table = table

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        state = option.state & PLAIN  # type: ignore[attr-defined] - Qt's stubs leave it out
        chosen = self._table.is_selected(index.row())
        option.state = state | SELECTED if chosen else state  # type: ignore[attr-defined]
