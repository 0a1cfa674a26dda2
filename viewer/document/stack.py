from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import cast

from segcore.annotations import Annotation
from viewer.document.changes import Change


class AnnotationStack(Mapping[str, Annotation]):
    """Annotations by id, the bottom one first.

    An id keeps the place at which it first came, even while it is deleted, so that an undo puts an
    annotation back between its neighbours. `placed` names all ids that ever were, None the deleted.
    """

    def __init__(self, placed: Iterable[tuple[str, Annotation | None]] = ()) -> None:
        self._places: dict[str, int] = {}
        self._present: dict[str, Annotation | None] = {}
        """None: deleted, but nobody has looked at all of them since; its place is still held."""
        self._gaps = 0
        self._in_order = True
        for place, (key, annotation) in enumerate(placed):
            self._places[key] = place
            if annotation is not None:
                self._present[key] = annotation

    def put(self, change: Change) -> None:
        """Make `change`; the Document calls this."""
        key, after = change.id, change.after
        if key in self._present:
            self._gaps += (after is None) - (self._present[key] is None)
            self._present[key] = after
        elif after is not None:
            place = self._places.setdefault(key, len(self._places))
            if self._present:
                top = next(reversed(self._present))
                self._in_order = self._in_order and place > self._places[top]
            self._present[key] = after

    def place(self, key: str) -> int:
        """Return how far from the bottom an annotation lies, or lay before it was deleted."""
        return self._places[key]

    def __getitem__(self, key: str) -> Annotation:
        found = self._present[key]
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._present.get(key) is not None

    def __len__(self) -> int:
        return len(self._present) - self._gaps

    def __iter__(self) -> Iterator[str]:
        return iter(self._ordered())

    def from_top(self) -> Iterator[Annotation]:
        """Yield the annotations, the top one first; quick for whoever wants only the first few."""
        present = self._present if self._in_order else self._ordered()
        return (each for each in reversed(present.values()) if each is not None)

    def values(self) -> ValuesView[Annotation]:
        return self._ordered().values()  # dict's own views are several times faster than Mapping's

    def items(self) -> ItemsView[str, Annotation]:
        return self._ordered().items()

    def _ordered(self) -> dict[str, Annotation]:
        # Sorting waits until somebody looks: undoing one deletion among 100 000 must stay instant.
        if self._gaps:
            self._present = {key: each for key, each in self._present.items() if each is not None}
            self._gaps = 0
        if not self._in_order:
            keys = sorted(self._present, key=self._places.__getitem__)
            self._present = {key: self._present[key] for key in keys}
            self._in_order = True
        return cast("dict[str, Annotation]", self._present)  # no gaps are left
