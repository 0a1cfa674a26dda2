from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QIcon

from segcore.annotations import Annotation
from viewer.document import Edit, Event
from viewer.rendering.annotation_layer import UNCLASSIFIED
from viewer.session import Session
from viewer.widgets.annotation_table_columns import Column, in_order, title_of
from viewer.widgets.annotation_table_rows import Rows, Test, net_changes
from viewer.widgets.panels import dot
from viewer.widgets.theme import icon, theme_named

MANY = 1000  # changes of one edit from which filling the table anew is quicker than following them
Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
T = TypeVar("T")
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
Columns = Callable[[float | None], Sequence[Column]]


class AnnotationTableModel(QAbstractTableModel):
    """The annotations of the open slide as rows; it follows every edit change by change."""

    def __init__(self, session: Session, columns: Columns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._make_columns = columns
        self._mpp: float | None = None
        self.columns = columns(None)
        self._sorted_by: tuple[int, bool] | None = None
        """Column, and whether the largest comes first; None as they lie on the slide."""
        self._test: Test | None = None
        self._rows = self._new_rows()
        self._dots: dict[int, QIcon] = {}
        self._answers: dict[int, Callable[[Annotation, Column], Any]] = {
            Qt.ItemDataRole.DisplayRole: lambda each, column: column.text(each),
            Qt.ItemDataRole.ToolTipRole: lambda each, _: _about(each),
            Qt.ItemDataRole.DecorationRole: self._decoration,
            Qt.ItemDataRole.ForegroundRole: self._ink,
            Qt.ItemDataRole.TextAlignmentRole: lambda _, column: _alignment(column),
        }
        self._farewells: list[Callable[[], None]] = []
        self._listen(session.opened, lambda _: self.refill())
        self._listen(session.closed, lambda _: self.refill())
        self._listen(session.edited, self._on_edit)
        self._listen(session.study_changed, lambda _: self._on_pixel_size())
        self._listen(session.classes_changed, lambda _: self._recolour())
        self._listen(session.looks_changed, lambda _: self._recolour())
        self.refill()

    def leave(self) -> None:
        """Follow the session no longer."""
        for farewell in self._farewells:
            farewell()
        self._farewells.clear()

    def _listen(self, event: Event[T], listener: Callable[[T], None]) -> None:
        event.connect(listener)
        self._farewells.append(lambda: event.disconnect(listener))

    # -- which rows ---------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """How many annotations there are, shown or not."""
        workspace = self.session.workspace
        return len(workspace.document.annotations) if workspace is not None else 0

    def refill(self) -> None:
        """Look at all annotations anew."""
        workspace = self.session.workspace
        self.beginResetModel()
        self._mpp = workspace.slide.mpp if workspace is not None else None
        self.columns = self._make_columns(self._mpp)
        self._rows = self._new_rows()
        if workspace is not None:
            self._rows.fill(workspace.document.annotations)
        self.endResetModel()

    def filter(self, test: Test | None) -> None:
        """Show only what passes a test."""
        self._test = test
        self.refill()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1 is the order in which they lie on the slide, the newest first."""
        descending = order == Qt.SortOrder.DescendingOrder
        self._sorted_by = (column, descending) if column >= 0 else None
        self.refill()

    def annotation(self, row: int) -> Annotation:
        workspace = self.session.workspace
        assert workspace is not None  # noqa: S101 - without one there are no rows
        return workspace.document.annotations[self.key(row)]

    def key(self, row: int) -> str:
        """Return the id of the annotation of a row."""
        return self._rows[self._flipped(row)]

    def ids(self, first: int, last: int) -> list[str]:
        """Return the ids of the rows `first` to `last`, both among them."""
        one, other = self._flipped(first), self._flipped(last)
        return self._rows.ids(min(one, other), max(one, other))

    def row_of(self, key: str) -> int | None:
        """Return the row of an annotation, None where it is not shown."""
        workspace = self.session.workspace
        found = workspace.document.annotations.get(key) if workspace is not None else None
        at = self._rows.find(found) if found is not None else None
        return self._flipped(at) if at is not None else None

    def _new_rows(self) -> Rows:
        workspace = self.session.workspace
        place = workspace.document.place if workspace is not None else _nowhere
        keys = self.columns[self._sorted_by[0]].keys if self._sorted_by is not None else None
        return Rows(place, keys=keys or in_order, test=self._test)

    @property
    def _descending(self) -> bool:
        return True if self._sorted_by is None else self._sorted_by[1]

    def _flipped(self, row: int) -> int:
        """Return a row of the view as one of `Rows`, which are ascending, or the other way round."""
        return len(self._rows) - 1 - row if self._descending else row

    # -- what Qt asks -------------------------------------------------------------------------

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        answer = self._answers.get(role)
        if answer is None or not index.isValid():
            return None
        return answer(self.annotation(index.row()), self.columns[index.column()])

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        column = self.columns[section]
        answers: dict[int, Any] = {
            Qt.ItemDataRole.DisplayRole: column.title,
            Qt.ItemDataRole.ToolTipRole: column.hint,
            Qt.ItemDataRole.TextAlignmentRole: _alignment(column),
        }
        return answers.get(role)

    def _ink(self, annotation: Annotation, column: Column) -> QColor | None:
        unnamed = column.shows_colour and annotation.name is None
        return QColor(theme_named(self.session.settings["theme"]).muted) if unnamed else None

    def _decoration(self, annotation: Annotation, column: Column) -> QIcon | None:
        if column.shows_colour:
            rgb = annotation.colour or self.session.taxonomy.colour_of(annotation.class_name)
            return self._dot(QColor(*rgb) if rgb else UNCLASSIFIED)
        if column.shows_lock and annotation.locked:
            return icon("mdi6.lock-outline", theme_named(self.session.settings["theme"]))
        return None

    def _dot(self, colour: QColor) -> QIcon:
        if colour.rgb() not in self._dots:
            self._dots[colour.rgb()] = dot(colour)
        return self._dots[colour.rgb()]

    # -- following edits ----------------------------------------------------------------------

    def _on_edit(self, edit: Edit) -> None:
        changes = net_changes(edit.changes)
        if len(changes) > MANY:
            self.refill()
            return
        for before, after in changes:
            self._follow(before, after)

    def _follow(self, before: Annotation | None, after: Annotation | None) -> None:
        at = self._rows.find(before) if before is not None else None
        to = self._rows.landing(after) if after is not None else None
        if after is not None and at is not None and to in (at, at + 1):  # it stays where it is
            self._rows.remove(at)
            self._rows.insert(after)
            self._tell_changed(self._flipped(at), self._flipped(at))
            return
        if at is not None:
            row = self._flipped(at)
            self.beginRemoveRows(QModelIndex(), row, row)
            self._rows.remove(at)
            self.endRemoveRows()
        if after is not None and to is not None:
            self._insert(after)

    def _insert(self, annotation: Annotation) -> None:
        at = self._rows.landing(annotation)
        if at is not None:
            row = len(self._rows) - at if self._descending else at
            self.beginInsertRows(QModelIndex(), row, row)
            self._rows.insert(annotation)
            self.endInsertRows()

    def _on_pixel_size(self) -> None:
        workspace = self.session.workspace
        if workspace is not None and workspace.slide.mpp != self._mpp:
            self.refill()

    def _recolour(self) -> None:
        self._dots.clear()
        if len(self._rows):
            self._tell_changed(0, len(self._rows) - 1)

    def _tell_changed(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))


def _nowhere(_: str) -> int:
    return 0


def _alignment(column: Column) -> Qt.AlignmentFlag:
    return RIGHT if column.number else LEFT


def _about(annotation: Annotation) -> str:
    """Return what a row leaves out for want of room."""
    each = annotation
    said = (title_of(each), each.class_name, each.notes, "Locked" if each.locked else "")
    return "\n".join(text for text in said if text)
