"""Simplify and smooth many shapes at once, such that a border that two of them share stays shared.

Areas that do not overlap are taken as one coverage: their borders are first given the same vertices on both
sides, where a hand has drawn one along the other. Areas that overlap, as a region does with all that lies in
it, go into coverages of their own.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import shapes

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_GRID = 1024.0  # smoothed vertices lie on 1/1024 of a pixel, so that both sides of a border agree exactly
_FLAT = 0.2  # pixels: a corner that would move by less is not cut
_STRAIGHT = 0.05  # pixels: the tolerance with which vertices on straight lines go at the end
_PASSES = (
    0.5,
    0.25,
    0.25,
)  # how much of an edge each pass cuts off at most; halves straighten stairs
_SLIVER = 0.01  # square pixels: what overlaps by less is a neighbour


def simplify(geometries: Sequence[BaseGeometry], tolerance: float) -> list[BaseGeometry]:
    """Return shapes with fewer vertices: detail of about `tolerance` level-0 pixels goes.

    Of areas, a vertex goes where the triangle with its neighbours is smaller than tolerance² (Visvalingam
    and Whyatt, 1993); of lines, where it lies within `tolerance` (Douglas and Peucker, 1973). No area
    vanishes, and what did not cross before does not after. Points stay.
    """
    return _together(
        geometries,
        lambda areas: shapely.coverage_simplify(areas, tolerance),
        lambda line: shapely.simplify(line, tolerance),
    )


def smooth(geometries: Sequence[BaseGeometry], reach: float) -> list[BaseGeometry]:
    """Return shapes with rounded corners; no border moves by more than `reach` level-0 pixels.

    Corners are cut, three times (Chaikin, 1974), but never farther than `reach` from the corner, never
    where a vertex lies in the triangle that would be cut off, and not where three borders meet: so what
    did not cross before does not after. Stairs along the edges of mask pixels become straight lines where
    `reach` is half a stair. Points stay.
    """
    return _together(
        geometries,
        lambda areas: shapely.coverage_simplify(_smoothed(areas, reach), _STRAIGHT),
        lambda line: _smoothed(np.array([line], object), reach)[0],
    )


def _together(
    geometries: Sequence[BaseGeometry],
    change_areas: Callable[[Shapes], Shapes],
    change_line: Callable[[BaseGeometry], BaseGeometry],
) -> list[BaseGeometry]:
    result = [shapes.sound(each) for each in geometries]
    kinds = [shapes.kind_of(each) for each in result]
    for layer in _layers(result, np.flatnonzero(np.array(kinds, int) == shapes.AREAS)):
        changed = change_areas(_edge_matched(np.array([result[place] for place in layer], object)))
        for place, shape in zip(layer, changed, strict=True):
            kept = shapes.area_of(shape)
            result[place] = result[place] if kept.is_empty else kept
    for place in np.flatnonzero(np.array(kinds, int) == shapes.LINES):
        line = shapes.sound(change_line(result[place]))
        result[place] = line if line.length > 0 else result[place]
    return result


def _layers(geometries: Sequence[BaseGeometry], places: Index) -> list[list[int]]:
    """Return `places` in groups within which no two areas overlap; those that overlap little come first."""
    rivals = _overlapping(np.array([geometries[place] for place in places], object))
    layer_of = np.full(len(places), -1)
    for one in sorted(range(len(places)), key=lambda each: len(rivals[each])):
        taken = {int(layer_of[other]) for other in rivals[one]}
        layer_of[one] = next(number for number in range(len(places)) if number not in taken)
    layers = range(layer_of.max(initial=-1) + 1)
    return [places[layer_of == number].tolist() for number in layers]


def _overlapping(areas: Shapes) -> list[set[int]]:
    """Return for each area the others that overlap it, by more than rounding does."""
    one, other = shapely.STRtree(areas).query(areas, predicate="intersects")
    one, other = one[one < other], other[one < other]
    deep = shapely.relate_pattern(areas[one], areas[other], "2********")
    one, other = one[deep], other[deep]
    deep = shapely.area(shapely.intersection(areas[one], areas[other])) > _SLIVER
    rivals: list[set[int]] = [set() for _ in areas]
    for a, b in zip(one[deep].tolist(), other[deep].tolist(), strict=True):
        rivals[a].add(b)
        rivals[b].add(a)
    return rivals


def _edge_matched(areas: Shapes) -> Shapes:
    """Return areas that do not overlap with the same vertices on both sides of shared borders."""
    if shapely.coverage_is_valid(areas):
        return areas
    return shapely.coverage_clean(areas)  # pyright: ignore[reportAttributeAccessIssue] (its stubs are of shapely 2.1)


# -- smoothing --------------------------------------------------------------------------------------


def _smoothed(geometries: Shapes, reach: float) -> Shapes:
    """Return areas of one coverage, or one line, with their corners cut."""
    kind, points, offsets = shapely.to_ragged_array(geometries, include_z=False)
    points = _rounded(points)
    starts = np.array(offsets[0] if offsets else [0, len(points)], np.int64)
    for share in _PASSES:
        points, starts = _cut_corners(points, starts, share, reach)
    return shapely.from_ragged_array(kind, points, (starts, *offsets[1:]) if offsets else ())


def _cut_corners(points: Floats, starts: Index, share: float, reach: float) -> tuple[Floats, Index]:
    """Replace corners of paths by two points each, `share` of the edges or `reach` away from them.

    A path is `points[starts[k]:starts[k + 1]]`, closed where it ends as it begins.
    """
    path = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    closed = (points[starts[:-1]] == points[starts[1:] - 1]).all(1) & (np.diff(starts) > 3)
    last = np.zeros(len(points), bool)
    last[starts[1:][closed] - 1] = True  # the repeated first vertex of a ring
    points, path = points[~last], path[~last]
    first = np.searchsorted(path, np.arange(len(starts)))
    before, after = _beside(first, closed)
    corner, one, two = _corners(points, before, after, share, reach)
    fresh = np.stack([np.where(corner[:, None], one, points), two], 1).reshape(-1, 2)
    kept = np.stack([np.ones(len(points), bool), corner], 1).ravel()
    return _closed(_rounded(fresh[kept]), np.repeat(path, 2)[kept], closed)


def _beside(first: Index, closed: npt.NDArray[np.bool_]) -> tuple[Index, Index]:
    """Return for each vertex of paths that begin at `first` the one before and after, itself at an end."""
    here = np.arange(first[-1])
    before, after = here - 1, here + 1
    begin, end = first[:-1], first[1:] - 1
    before[begin] = np.where(closed, end, begin)
    after[end] = np.where(closed, begin, end)
    return before, after


def _corners(
    points: Floats, before: Index, after: Index, share: float, reach: float
) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """Return which vertices are cut off, and the points on the edges before and after each."""
    one = _towards(points, points[before], share, reach)
    two = _towards(points, points[after], share, reach)
    unique, number = np.unique(points.view(np.complex128).ravel(), return_inverse=True)
    edges = np.unique(np.sort(np.stack([number, number[after]], 1), axis=1), axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    borders = np.bincount(edges.ravel(), minlength=len(unique))
    corner = (borders[number] == 2) & (before != after) & (_height(points, one, two) > _FLAT)
    triangles = shapely.polygons(np.stack([one, points, two], 1)[corner])
    vertices = np.array(shapely.points(unique.real, unique.imag), object)
    which, met = shapely.STRtree(vertices).query(triangles, predicate="intersects")
    mine = np.flatnonzero(corner)
    corner[mine[which[met != number[mine[which]]]]] = False
    return corner, one, two


def _towards(points: Floats, others: Floats, share: float, reach: float) -> Floats:
    along = others - points
    length = np.hypot(along[:, 0], along[:, 1])
    part = np.minimum(share, reach / np.maximum(length, 1e-9))
    return points + along * part[:, None]


def _height(points: Floats, one: Floats, two: Floats) -> Floats:
    """Return how far points lie from the lines through `one` and `two`."""
    chord, arm = two - one, points - one
    cross = np.abs(chord[:, 0] * arm[:, 1] - chord[:, 1] * arm[:, 0])
    return cross / np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)


def _closed(points: Floats, path: Index, closed: npt.NDArray[np.bool_]) -> tuple[Floats, Index]:
    """Return paths without repeated vertices, closed ones ending as they begin, and their starts."""
    first = np.searchsorted(path, np.arange(len(closed) + 1))
    before, _ = _beside(first, closed)
    fresh = (points != points[before]).any(1) | (before == np.arange(len(points)))
    fresh[first[:-1][np.add.reduceat(fresh, first[:-1]) == 0]] = True  # collapsed to one point
    points, path = points[fresh], path[fresh]
    starts = np.searchsorted(path, np.arange(len(closed) + 1))
    count = np.diff(starts)
    # What has collapsed to a point or a spike keeps enough vertices to be a path; it is dropped later.
    more = np.where(closed, np.maximum(4 - count, 1), np.maximum(2 - count, 0))
    points = np.insert(
        points, np.repeat(starts[1:], more), np.repeat(points[starts[:-1]], more, 0), 0
    )
    return points, starts + np.concatenate([[0], np.cumsum(more)])


def _rounded(points: Floats) -> Floats:
    return np.round(points * _GRID) / _GRID
