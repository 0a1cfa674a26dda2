from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView

from segcore.annotations import Annotation
from viewer.document.changes import Change


class AnnotationStack(Mapping[str, Annotation]):
    """Annotations by id, the bottom one first.

    An id keeps the place at which it first came, even while it is deleted, so that an undo puts an
    annotation back between its neighbours. `placed` names all ids that ever were, None the deleted.
    """

    def __init__(self, placed: Iterable[tuple[str, Annotation | None]] = ()) -> None:
        self._places: dict[str, int] = {}
        self._present: dict[str, Annotation] = {}
        self._in_order = True
        for place, (key, annotation) in enumerate(placed):
            self._places[key] = place
            if annotation is not None:
                self._present[key] = annotation

    def put(self, change: Change) -> None:
        """Make `change`; the Document calls this."""
        key, after = change.id, change.after
        if after is None:
            self._present.pop(key, None)
            return
        place = self._places.setdefault(key, len(self._places))
        if key not in self._present and self._present:
            top = next(reversed(self._present))
            self._in_order = self._in_order and place > self._places[top]
        self._present[key] = after

    def place(self, key: str) -> int:
        """Return how far from the bottom an annotation lies, or lay before it was deleted."""
        return self._places[key]

    def __getitem__(self, key: str) -> Annotation:
        return self._present[key]

    def __contains__(self, key: object) -> bool:
        return key in self._present

    def __len__(self) -> int:
        return len(self._present)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ordered())

    def values(self) -> ValuesView[Annotation]:
        return self._ordered().values()  # dict's own views are several times faster than Mapping's

    def items(self) -> ItemsView[str, Annotation]:
        return self._ordered().items()

    def _ordered(self) -> dict[str, Annotation]:
        # Sorting waits until somebody looks: undoing one deletion among 100 000 must stay instant.
        if not self._in_order:
            keys = sorted(self._present, key=self._places.__getitem__)
            self._present = {key: self._present[key] for key in keys}
            self._in_order = True
        return self._present
