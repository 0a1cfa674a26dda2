"""Which annotations a table shows, and in which order. Knows no Qt."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from segcore.annotations import Annotation
from viewer.document import Change

SortKeys = Callable[[Sequence[Annotation]], Sequence[Any]]
"""Returns what annotations are sorted by: of many at once, as geometry is measured several times faster so."""
Test = Callable[[Annotation], bool]
Row = tuple[Any, int, str]
"""What it is sorted by, how far from the bottom of the slide it lies (no two alike), its id."""


class Rows:
    """The annotations that pass a test, sorted; an edit costs a search, however many there are.

    `place` tells how far from the bottom an annotation lies, also of one that has just been deleted.
    """

    def __init__(self, place: Callable[[str], int], *, keys: SortKeys, test: Test | None) -> None:
        self._place, self._keys, self._test = place, keys, test
        self._rows: list[Row] = []

    def fill(self, annotations: Mapping[str, Annotation]) -> None:
        """Take all that pass the test."""
        test, place = self._test, self._place
        every = annotations.values()
        shown = list(every) if test is None else [each for each in every if test(each)]
        keys = self._keys(shown)
        self._rows = sorted((key, place(e.id), e.id) for key, e in zip(keys, shown, strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> str:
        """Return the id of a row."""
        return self._rows[number][2]

    def ids(self, first: int, last: int) -> list[str]:
        """Return the ids of the rows `first` to `last`, both among them."""
        return [row[2] for row in self._rows[first : last + 1]]

    def find(self, annotation: Annotation) -> int | None:
        """Return the row of an annotation, None if it is not shown."""
        row = self._row(annotation)
        at = bisect_left(self._rows, row)
        return at if at < len(self._rows) and self._rows[at] == row else None

    def landing(self, annotation: Annotation) -> int | None:
        """Return where `insert` would put an annotation, None if it does not pass the test."""
        if self._test is not None and not self._test(annotation):
            return None
        return bisect_left(self._rows, self._row(annotation))

    def insert(self, annotation: Annotation) -> None:
        insort(self._rows, self._row(annotation))

    def remove(self, number: int) -> None:
        del self._rows[number]

    def _row(self, annotation: Annotation) -> Row:
        return self._keys([annotation])[0], self._place(annotation.id), annotation.id


def net_changes(
    changes: Iterable[Change],
) -> list[tuple[Annotation | None, Annotation | None]]:
    """Return what each annotation was before an edit and is after it, since one edit may change it twice."""
    before: dict[str, Annotation | None] = {}
    after: dict[str, Annotation | None] = {}
    for each in changes:
        before.setdefault(each.id, each.before)
        after[each.id] = each.after
    return [(before[key], after[key]) for key in before]


def matching(text: str) -> Test | None:
    """Return a test whether name, class and notes hold the words of `text`; None where it has none.

    "class:stroma" asks for the class alone.
    """
    words = text.casefold().split()
    if not words:
        return None
    classes = [word.removeprefix("class:") for word in words if word.startswith("class:")]
    words = [word for word in words if not word.startswith("class:")]

    def test(annotation: Annotation) -> bool:
        class_name = (annotation.class_name or "").casefold()
        if not all(word in class_name for word in classes):
            return False
        said = f"{annotation.name or ''}\n{class_name}\n{annotation.notes}".casefold()
        return all(word in said for word in words)

    return test
