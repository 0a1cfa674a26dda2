"""Where a document's edits are kept, so that they can be undone now or after a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from segcore.annotations import Annotation
from segcore.annotations.labelmap import Labels
from viewer.document.changes import Edit
from viewer.document.codec import StoredEdit
from viewer.document.grid import MaskGrid


@dataclass(frozen=True)
class State:
    """A document as a journal holds it."""

    annotations: tuple[tuple[str, Annotation | None], ...] = ()
    """Every id that ever was, the bottom one first; None is a deleted one that keeps its place."""
    grid: MaskGrid | None = None
    tiles: Mapping[tuple[int, int], Labels] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """The names of all edits, the undone ones after the done ones."""
    position: int = 0
    """How many edits are done."""


class Journal(Protocol):
    """Keeps edits by number, from 0, and which of them are done.

    A call that raises has kept nothing, and the document then changes nothing.
    """

    def load(self) -> State:
        """Return the document as it was left."""
        ...

    def read(self, number: int) -> Edit:
        """Return an edit as it was first done."""
        ...

    def record(self, edit: Edit, number: int, stored: StoredEdit | None = None) -> None:
        """Keep a new edit as `number` and drop what had this number or a higher one.

        `stored` is the edit's stored form where it was made beforehand.
        """
        ...

    def mark(self, number: int, *, done: bool) -> Edit:
        """Note that an edit was undone or redone; return it as it was first done."""
        ...


class MemoryJournal:
    """Keeps edits as long as the program runs."""

    def __init__(self, state: State | None = None) -> None:
        self._state = state or State()
        self._edits: list[Edit] = []

    def load(self) -> State:
        return self._state

    def read(self, number: int) -> Edit:
        return self._edits[number]

    def record(self, edit: Edit, number: int, stored: StoredEdit | None = None) -> None:  # noqa: ARG002 - memory keeps the edit itself
        del self._edits[number:]
        self._edits.append(edit)

    def mark(self, number: int, *, done: bool) -> Edit:  # noqa: ARG002 - the document itself knows its position
        return self._edits[number]
