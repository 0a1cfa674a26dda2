"""Who lies in whom: computed from where annotations are, never stored."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from segcore.annotations.model import Annotation

_HOLDS = "annotation"  # the kind that can hold others: cells and tiles hold nothing
_REACH = 0.01  # pixels by which what was clipped to an area may stand out, since cutting rounds
Index = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]


def parents(annotations: Sequence[Annotation]) -> dict[str, str | None]:
    """Return for each id that of the smallest annotation around it, None where nothing holds it.

    As in QuPath an annotation lies in an area that covers all of it, anything else (a detection, a cell)
    in one that holds its centroid. Of equal areas the earlier holds the later.
    """
    geometries, whole, held = _what_is_held(annotations)
    areas = shapely.area(geometries)
    inner, outer = _candidates(held, geometries, np.flatnonzero(whole & (areas > 0)))
    # No two can lie in one another: a parent is larger or, of the same size, earlier.
    larger = (areas[outer] > areas[inner]) | ((areas[outer] == areas[inner]) & (outer < inner))
    kept = larger | ~whole[inner]
    order = np.lexsort((-outer[kept], areas[outer[kept]], inner[kept]))
    found = _first_covering(held, geometries, inner[kept][order], outer[kept][order])
    ids = [each.id for each in annotations]
    return {key: None if at < 0 else ids[at] for key, at in zip(ids, found.tolist(), strict=True)}


def children(parent_of: Mapping[str, str | None]) -> dict[str | None, list[str]]:
    """Return the ids that lie directly in each, under None those that lie in nothing, in their order."""
    inside: dict[str | None, list[str]] = {}
    for key, parent in parent_of.items():
        inside.setdefault(parent, []).append(key)
    return inside


def lying_in(area: Annotation, annotations: Sequence[Annotation]) -> list[Annotation]:
    """Return those of some annotations that lie in an area, be it in another one within it."""
    _, _, held = _what_is_held(annotations)
    around = shapely.buffer(area.geometry, _REACH, join_style="mitre")
    shapely.prepare(around)
    inside = shapely.covers(around, held).tolist()
    return [
        each for each, lies in zip(annotations, inside, strict=True) if lies and each is not area
    ]


def _what_is_held(
    annotations: Sequence[Annotation],
) -> tuple[Objects, npt.NDArray[np.bool_], Objects]:
    """Return the geometries, which are held as a whole, and what of each must lie in an area to be in it."""
    geometries = _objects([each.geometry for each in annotations])
    whole = np.array([each.kind == _HOLDS for each in annotations], bool)
    return geometries, whole, np.where(whole, geometries, shapely.centroid(geometries))


def _candidates(held: Objects, holding: Objects, holders: Index) -> tuple[Index, Index]:
    """Return the pairs (place in `held`, place in `holding`) of which the second's box holds the first's."""
    inner, outer = shapely.STRtree(holding[holders]).query(held)
    outer = holders[outer]
    boxes, around = shapely.bounds(held)[inner], shapely.bounds(holding)[outer]
    inside = (boxes[:, :2] >= around[:, :2] - _REACH) & (boxes[:, 2:] <= around[:, 2:] + _REACH)
    kept = inside.all(1) & (inner != outer)
    return inner[kept], outer[kept]


def _first_covering(held: Objects, holding: Objects, inner: Index, outer: Index) -> Index:
    """Return for each of `held` the first of its candidates that covers it, -1 where none does.

    The pairs are sorted by `inner`. In each round all that are still without try their next candidate.
    """
    used = np.unique(outer)
    around = holding.copy()
    around[used] = shapely.buffer(holding[used], _REACH, join_style="mitre")
    shapely.prepare(around[used])
    found = np.full(len(held), -1)
    while len(inner):
        first = np.diff(inner, prepend=-1) > 0
        one, other = inner[first], outer[first]
        covered = shapely.covers(around[other], held[one])
        found[one[covered]] = other[covered]
        left = ~first & (found[inner] < 0)
        inner, outer = inner[left], outer[left]
    return found


def _objects(items: Sequence[Any]) -> Objects:
    array = np.empty(len(items), object)
    array[:] = items
    return array
