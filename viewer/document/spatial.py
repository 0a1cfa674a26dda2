"""Where annotations lie: those at a point, those that meet a rectangle; it follows every edit.

The index is a short list of runs, each an STR tree over annotations that came together, and each at
least twice as long as the next. An edit adds one small run, and runs of like length are merged (Bentley
and Saxe, 1980), so that an edit among a million costs microseconds and no query meets more than some
twenty trees. Considered: one tree and a list of what changed since, rejected because an import after an
import makes the list long; a grid, rejected because a region and a nucleus need cells of different size.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from segcore.annotations import Annotation
from viewer.document.changes import Change

Bounds = tuple[float, float, float, float]
"""(left, top, right, bottom), level-0 pixels."""
Look = tuple[str | None, tuple[int, int, int] | None]
"""What the colour of an annotation depends on: its class and its own colour."""
Placed = tuple[int, Annotation]

REMEMBERED = 256  # edits; who was away for longer looks at everything anew
SEPARATE = 1000  # changes of one edit of which each has its own rectangle in `touched_since`


class SpatialIndex:
    """The annotations of a document by where they are.

    What has no extent in the plane (empty, or with coordinates that are not finite) is nowhere.
    """

    def __init__(self, placed: Iterable[Placed] = ()) -> None:
        self.looks: list[Look] = []
        """The looks there are; `Rows.looks` points into them. Only ever gets longer."""
        self._look_numbers: dict[Look, int] = {}
        self._runs: list[_Run] = []
        self._touched: deque[npt.NDArray[np.float64]] = deque(maxlen=REMEMBERED)
        self.version = 0
        """How many edits there have been."""
        self._append(list(placed))

    def update(self, changes: Sequence[Change], place: Callable[[str], int]) -> None:
        """Follow an edit; `place` tells how far from the bottom an annotation lies."""
        before: dict[str, Annotation | None] = {}
        after: dict[str, Annotation | None] = {}
        for change in changes:  # one edit may change an annotation twice
            before.setdefault(change.id, change.before)
            after[change.id] = change.after
        gone = [each for each in before.values() if each is not None]
        came = [each for each in after.values() if each is not None]
        self._remove(gone)
        self._append([(place(each.id), each) for each in came])
        self._remember([*gone, *came])

    def within(self, bounds: Bounds) -> list[Annotation]:
        """Return the annotations whose bounding boxes meet `bounds`, the bottom one first."""
        return self.rows(bounds).annotations

    def at(self, x: float, y: float, reach: float) -> list[Annotation]:
        """Return the annotations that come within `reach` of level-0 (x, y), the bottom one first."""
        near = self.within((x - reach, y - reach, x + reach, y + reach))
        point = shapely.Point(x, y)
        return [each for each in near if shapely.dwithin(each.geometry, point, reach)]

    def rows(self, bounds: Bounds) -> "Rows":
        """Return what is known of the annotations whose bounding boxes meet `bounds`, as arrays."""
        return Rows([(run, run.meeting(bounds)) for run in self._runs])

    def touched_since(self, version: int) -> npt.NDArray[np.float64] | None:
        """Return (n, 4), the bounds of what changed since `version`; None if that is too long ago."""
        edits = self.version - version
        if edits > len(self._touched):
            return None
        recent = list(self._touched)[len(self._touched) - edits :]
        return np.concatenate([np.empty((0, 4)), *recent])

    def __len__(self) -> int:
        return sum(run.count for run in self._runs)

    def _append(self, placed: Sequence[Placed]) -> None:
        if placed:
            places, items = zip(*placed, strict=True)
            self._runs.append(_Run(items, places, [self._look(each) for each in items]))
        while len(self._runs) > 1 and self._runs[-2].count <= 2 * self._runs[-1].count:
            last, other = self._runs.pop(), self._runs.pop()
            self._runs.append(_merged(other, last))

    def _look(self, annotation: Annotation) -> int:
        look = (annotation.class_name, annotation.colour)
        number = self._look_numbers.get(look)
        if number is None:
            number = self._look_numbers[look] = len(self.looks)
            self.looks.append(look)
        return number

    def _remove(self, gone: Sequence[Annotation]) -> None:
        if gone:
            for run in self._runs:
                run.remove(gone)
            # What is mostly gaps is packed, so that what is gone is not held for long.
            self._runs = [
                run if 2 * run.count > len(run.alive) else _merged(run)
                for run in self._runs
                if run.count
            ]

    def _remember(self, changed: Sequence[Annotation]) -> None:
        boxes = shapely.bounds(np.array([each.geometry for each in changed], object))
        boxes = boxes[np.isfinite(boxes).all(1)]
        if len(boxes) > SEPARATE:
            boxes = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])[None]
        self._touched.append(boxes)
        self.version += 1


class Rows:
    """Some annotations as arrays of equal length, in no order unless said."""

    def __init__(self, parts: "Sequence[tuple[_Run, npt.NDArray[np.int64]]]") -> None:
        self._parts = [(run, places) for run, places in parts if len(places)]

    def __len__(self) -> int:
        return sum(len(places) for _, places in self._parts)

    @cached_property
    def bounds(self) -> npt.NDArray[np.float64]:
        """(n, 4), level-0 pixels."""
        return np.concatenate([np.empty((0, 4)), *(r.bounds[places] for r, places in self._parts)])

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """(n,) how far from the bottom each lies."""
        return self._column("places", np.int64)

    @cached_property
    def looks(self) -> npt.NDArray[np.int32]:
        """(n,) places in `SpatialIndex.looks`."""
        return self._column("looks", np.int32)

    @cached_property
    def vertices(self) -> npt.NDArray[np.int32]:
        """(n,) numbers of vertices."""
        return self._column("vertices", np.int32)

    @cached_property
    def shapes(self) -> npt.NDArray[np.object_]:
        """(n,) shapely geometries."""
        return self._column("shapes", object)

    @cached_property
    def items(self) -> npt.NDArray[np.object_]:
        """(n,) the annotations themselves."""
        return self._column("items", object)

    @property
    def annotations(self) -> list[Annotation]:
        """The annotations in order, the bottom one first."""
        return self.items[np.argsort(self.places)].tolist()

    def chosen(self, ids: Collection[str]) -> "Rows":
        """Return the rows of the annotations `ids`."""
        kept = [
            (run, places[[each.id in ids for each in run.items[places].tolist()]])
            for run, places in self._parts
        ]
        return Rows(kept)

    def _column(self, name: str, kind: Any) -> npt.NDArray[Any]:
        parts = [getattr(run, name)[places] for run, places in self._parts]
        return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


class _Run:
    """Annotations that came together, under one tree. They only ever go, one by one."""

    def __init__(
        self, items: Sequence[Annotation], places: Sequence[int], looks: Sequence[int]
    ) -> None:
        shapes = np.array([each.geometry for each in items], object)
        bounds = shapely.bounds(shapes)
        finite = np.isfinite(bounds).all(1)
        self.shapes = shapes[finite]
        self.items = _objects(items)[finite]
        self.places = np.array(places, np.int64)[finite]
        self.looks = np.array(looks, np.int32)[finite]
        self.bounds = bounds[finite]
        self.vertices = shapely.get_num_coordinates(self.shapes).astype(np.int32)
        self.alive = np.ones(len(self.items), bool)
        self.count = len(self.items)
        self._where = {each.id: place for place, each in enumerate(self.items.tolist())}
        self._tree = shapely.STRtree(self.shapes)

    def meeting(self, bounds: Bounds) -> npt.NDArray[np.int64]:
        """Return the places in this run of those whose bounding boxes meet `bounds`."""
        found = self._tree.query(shapely.box(*bounds))
        return found if self.count == len(self.alive) else found[self.alive[found]]

    def remove(self, gone: Sequence[Annotation]) -> None:
        """Take those of `gone` out that are here."""
        for each in gone:
            place = self._where.get(each.id)
            if place is not None and self.alive[place]:
                self.alive[place] = False
                self.count -= 1


def _merged(*runs: _Run) -> _Run:
    return _Run(
        np.concatenate([run.items[run.alive] for run in runs]).tolist(),
        np.concatenate([run.places[run.alive] for run in runs]).tolist(),
        np.concatenate([run.looks[run.alive] for run in runs]).tolist(),
    )


def _objects(items: Sequence[Annotation]) -> npt.NDArray[np.object_]:
    array = np.empty(len(items), object)
    array[:] = items
    return array
