from collections.abc import Sequence

import numpy as np

from segcore.annotations.collector import collector_paused
from segcore.annotations.labelmap import Labels
from segcore.errors import StudyError
from viewer.document.changes import Change, Edit, TileChange
from viewer.document.codec import StoredEdit, same_annotation
from viewer.document.event import Event
from viewer.document.journal import Journal, MemoryJournal
from viewer.document.masks import MaskLayer
from viewer.document.spatial import SpatialIndex
from viewer.document.stack import AnnotationStack


class StaleEditError(StudyError, ValueError):
    """An edit was made from a state of the document that is no longer the present one."""


class Document:
    """What is marked on one slide, and how it came to be.

    Changes come in through `apply`, `undo`, `redo` and `go_to` only. Each is written to the journal
    first, then made in memory, then told to the listeners of `edited` as the edit that was applied
    (on undo, the inverse). The journal keeps all edits; memory keeps their names.
    """

    @collector_paused()
    def __init__(self, journal: Journal | None = None) -> None:
        self._journal: Journal = MemoryJournal() if journal is None else journal
        state = self._journal.load()
        self._annotations = AnnotationStack(state.annotations)
        self._spatial = SpatialIndex(
            (place, each) for place, (_, each) in enumerate(state.annotations) if each is not None
        )
        self._mask = MaskLayer(state.grid, state.tiles)
        self._names = list(state.names)
        self._position = state.position
        self.edited: Event[Edit] = Event()

    @property
    def annotations(self) -> AnnotationStack:
        """The annotations by id, the bottom one first; a live view."""
        return self._annotations

    def place(self, key: str) -> int:
        """Return how far from the bottom an annotation lies, or lay before it was deleted."""
        return self._annotations.place(key)

    @property
    def spatial(self) -> SpatialIndex:
        """The annotations by where they are; a live view."""
        return self._spatial

    @property
    def mask(self) -> MaskLayer:
        return self._mask

    @property
    def history(self) -> Sequence[str]:
        """The names of all edits, the undone ones after the done ones."""
        return tuple(self._names)

    @property
    def position(self) -> int:
        """How many edits of the history are done."""
        return self._position

    @property
    def can_undo(self) -> bool:
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        return self._position < len(self._names)

    @property
    def undo_name(self) -> str | None:
        """What `undo` would take back."""
        return self._names[self._position - 1] if self.can_undo else None

    @property
    def redo_name(self) -> str | None:
        """What `redo` would do again."""
        return self._names[self._position] if self.can_redo else None

    @collector_paused()
    def apply(self, edit: Edit, *, stored: StoredEdit | None = None) -> None:
        """Make an edit; the undone ones are gone for good. An empty edit is ignored.

        `stored` is `store_edit(edit)` where it was made beforehand, on a thread.
        Raises StaleEditError where a `before` is not what the document holds.
        """
        if edit.is_empty:
            return
        self._check_annotations(edit)
        self._check_mask(edit)
        self._journal.record(edit, self._position, stored)
        del self._names[self._position :]
        self._names.append(edit.name)
        self._position += 1
        self._put(edit)

    @collector_paused()
    def undo(self) -> Edit | None:
        """Take back the last edit; return what was applied, None if there was nothing to undo."""
        if not self.can_undo:
            return None
        edit = self._journal.mark(self._position - 1, done=False).inverse()
        self._position -= 1
        self._put(edit)
        return edit

    @collector_paused()
    def redo(self) -> Edit | None:
        """Do the last undone edit again; return it, None if there was nothing to redo."""
        if not self.can_redo:
            return None
        edit = self._journal.mark(self._position, done=True)
        self._position += 1
        self._put(edit)
        return edit

    def read_edit(self, number: int) -> Edit:
        """Return edit `number` of the history as it was first done, done or undone now."""
        return self._journal.read(number)

    def go_to(self, position: int) -> None:
        """Undo or redo, one edit after the other, until `position` edits are done."""
        if not 0 <= position <= len(self._names):
            raise ValueError(f"The history has {len(self._names)} steps; there is no {position}.")
        while self._position > position:
            self.undo()
        while self._position < position:
            self.redo()

    def _put(self, edit: Edit) -> None:
        for change in edit.changes:
            self._annotations.put(change)
        if edit.changes:
            self._spatial.update(edit.changes, self._annotations.place)
        self._mask.update(edit.tiles, edit.grid)
        self.edited.emit(edit)

    def _check_annotations(self, edit: Edit) -> None:
        earlier: dict[str, Change] = {}
        for change in edit.changes:
            key = change.id
            present = earlier[key].after if key in earlier else self._annotations.get(key)
            if not same_annotation(change.before, present):
                raise _stale(edit, f"annotation {key}")
            earlier[key] = change

    def _check_mask(self, edit: Edit) -> None:
        grid = self._mask.grid
        if edit.grid is not None:
            if edit.grid.before != grid:
                raise _stale(edit, "grid of the mask")
            grid = edit.grid.after
        earlier: dict[tuple[int, int], TileChange] = {}
        for change in edit.tiles:
            key = change.key
            present = earlier[key].after if key in earlier else self._mask.tiles.get(key)
            if not _same_tile(change.before, present):
                raise _stale(edit, f"mask tile {key}")
            earlier[key] = change
        if grid is None and any(each.after is not None for each in earlier.values()):
            raise ValueError(f"The edit {edit.name!r} labels pixels of a mask that has no grid.")


def _stale(edit: Edit, what: str) -> StaleEditError:
    return StaleEditError(
        f"{edit.name!r} does not fit any more, because the {what} has changed meanwhile; do it again."
    )


def _same_tile(one: Labels | None, other: Labels | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or np.array_equal(one, other)
