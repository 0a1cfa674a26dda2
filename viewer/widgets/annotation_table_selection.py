from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex

from viewer.session import Session
from viewer.widgets.annotation_table_model import AnnotationTableModel

FEW = 200  # selected rows that Qt is told of; it takes seconds over tens of thousands with gaps

Flag = QItemSelectionModel.SelectionFlag


class SessionSelection(QItemSelectionModel):
    """The session's selection as that of a table: what Qt selects here is selected there at once.

    Qt itself holds only a copy, and none of a large selection; `AnnotationTable` draws what the session
    says. So a filter that hides a selected row, or a table sorted anew, takes nothing from the selection.
    """

    def __init__(self, model: AnnotationTableModel, session: Session) -> None:
        super().__init__(model)
        self._rows = model
        self._session = session
        self._kept: frozenset[str] = frozenset()
        """What was selected when a drag began; the drag adds to it or takes from it."""
        self._deaf = False
        session.selected.connect(self._on_selected)
        model.modelReset.connect(self.copy)

    def leave(self) -> None:
        """Follow the session no longer."""
        self._session.selected.disconnect(self._on_selected)

    def select(
        self,
        chosen: QItemSelection | QModelIndex | QPersistentModelIndex,
        command: QItemSelectionModel.SelectionFlag,
    ) -> None:
        """Select in the session, with the meaning that Qt gives to `command`."""
        workspace = self._session.workspace
        if self._deaf or workspace is None or command == Flag.NoUpdate:
            return
        ids = frozenset(self._ids(chosen))
        if command & Flag.Clear:
            self._kept = frozenset()
        elif not command & Flag.Current:
            self._kept = workspace.selection
        if command & Flag.Toggle:
            self._session.select(self._kept ^ ids)
        elif command & Flag.Deselect:
            self._session.select(self._kept - ids)
        else:
            self._session.select(self._kept | ids if command & Flag.Select else self._kept)

    def reset(self) -> None:
        """Forget Qt's copy; the session's selection stays."""
        with self._alone():
            super().reset()

    def copy(self) -> None:
        """Tell Qt what is selected, for those who read the screen by ear."""
        workspace = self._session.workspace
        ids = workspace.selection if workspace is not None else frozenset()
        shown = QItemSelection()
        for key in ids if len(ids) <= FEW else ():
            row = self._rows.row_of(key)
            if row is not None:
                last = self._rows.columnCount() - 1
                shown.select(self._rows.index(row, 0), self._rows.index(row, last))
        with self._alone():
            super().select(shown, Flag.ClearAndSelect)

    def _on_selected(self, _: frozenset[str]) -> None:
        self.copy()

    def _ids(self, chosen: QItemSelection | QModelIndex | QPersistentModelIndex) -> Iterator[str]:
        if isinstance(chosen, QItemSelection):
            for n in range(chosen.count()):
                yield from self._rows.ids(chosen.at(n).top(), chosen.at(n).bottom())
        elif chosen.isValid():
            yield from self._rows.ids(chosen.row(), chosen.row())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let Qt change its copy without changing the session."""
        before, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = before
