"""What can be made of shapes: pure functions on geometries in level-0 pixels.

A result is always valid, of one kind (areas, lines or points), with one part or as many as there are; where
nothing is left it is an empty Polygon. Shapes that come in may be invalid: they are repaired first, rings
within rings being holes. What a verb cannot be done to is refused with an AnnotationError. Shapes that share
borders are simplified and smoothed together, in `segcore.annotations.neighbours`.
"""

from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from segcore.errors import AnnotationError

Area = Polygon | MultiPolygon

POINTS, LINES, AREAS = 0, 1, 2
"""The kinds of shapes, by their dimension."""
_JOINED = {
    POINTS: shapely.multipoints,
    LINES: shapely.multilinestrings,
    AREAS: shapely.multipolygons,
}
_POLYGON = 3  # shapely's type number; those above are made of parts
_ROUND = 16  # segments of a quarter circle around what is expanded


def kind_of(shape: BaseGeometry) -> int:
    """Return POINTS, LINES or AREAS, the highest of a mixed shape; -1 where there is nothing."""
    return -1 if shape.is_empty else int(shapely.get_dimensions(shape))


def sound(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape valid and of one kind; raises AnnotationError for coordinates that are no numbers."""
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise AnnotationError(
            "A shape has coordinates that are no numbers; delete it and draw it again."
        )
    kind = kind_of(shape)
    if kind == AREAS and not shapely.is_valid(shape):
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return _only(shapely.force_2d(shape), kind)


def area_of(shape: BaseGeometry) -> Area:
    """Return the areas of a shape, repaired; empty where it has none."""
    whole = sound(shape)
    return whole if isinstance(whole, Polygon | MultiPolygon) else Polygon()


def union(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return what any of the shapes covers; they are all areas, all lines or all points."""
    parts = [sound(each) for each in shapes]
    kinds = {kind_of(each) for each in parts} - {-1}
    if len(kinds) > 1:
        raise AnnotationError(
            "Areas, lines and points cannot become one annotation; select those of one kind."
        )
    return _only(shapely.union_all(parts), max(kinds, default=-1))


def subtract(first: BaseGeometry, others: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return what of `first`, of any kind, the other areas do not cover."""
    whole = sound(first)
    rest = shapely.difference(whole, shapely.union_all(_checked(others)))
    return _only(rest, kind_of(whole))


def intersect(shapes: Iterable[BaseGeometry]) -> Area:
    """Return what all of the areas cover."""
    areas = _checked(shapes)
    return area_of(reduce(shapely.intersection, areas)) if areas else Polygon()


def exclude(shapes: Iterable[BaseGeometry]) -> Area:
    """Return what an odd number of the areas covers: of two, what only one of them does."""
    return area_of(reduce(shapely.symmetric_difference, _checked(shapes), Polygon()))


def split(area: BaseGeometry, line: BaseGeometry) -> list[Area]:
    """Return the pieces into which a line cuts an area, the largest first; one where it cuts nothing.

    Parts that the line does not cut stay with the largest piece.
    """
    pieces, whole, knife = [], [], sound(line)
    for part in _polygons(area):
        cut = _cut(part, knife)
        (pieces if len(cut) > 1 else whole).extend(cut)
    if not pieces:
        return [area_of(area)]
    pieces.sort(key=shapely.area, reverse=True)
    return [area_of(shapely.union_all([pieces[0], *whole])), *pieces[1:]]


def parts_of(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the parts that do not hang together, the largest first."""
    return sorted(shapely.get_parts(sound(shape)).tolist(), key=size_of, reverse=True)


def fill_holes(area: BaseGeometry) -> Area:
    """Return an area without holes; what lies in one becomes part of the whole."""
    return area_of(shapely.union_all([Polygon(each.exterior) for each in _polygons(area)]))


def keep_largest(shape: BaseGeometry) -> BaseGeometry:
    """Return the largest part, the longest of lines."""
    return max(parts_of(shape), key=size_of, default=Polygon())


def size_of(shape: BaseGeometry) -> tuple[int, float, float]:
    """Return what to compare shapes by: areas are larger than lines, and these than points."""
    return kind_of(shape), shape.area, shape.length


def expand(shape: BaseGeometry, distance: float) -> Area:
    """Return what lies within `distance` of a shape; below 0, what lies deeper than that in an area."""
    if distance <= 0 and kind_of(shape) in {POINTS, LINES}:
        raise AnnotationError("Lines and points have no inside to shrink; select areas.")
    return area_of(shapely.buffer(sound(shape), distance, quad_segs=_ROUND))


def whole_slide(width: float, height: float) -> Polygon:
    return shapely.box(0, 0, width, height)


def clip(shape: BaseGeometry, width: float, height: float) -> BaseGeometry:
    """Return what of a shape, of any kind, lies on the slide."""
    whole = sound(shape)
    return _only(shapely.intersection(whole, whole_slide(width, height)), kind_of(whole))


def inverse(shapes: Iterable[BaseGeometry], within: BaseGeometry) -> Area:
    """Return what of the area `within` (the whole slide, or a region) none of the areas covers."""
    taken = shapely.union_all([area_of(each) for each in shapes])
    return area_of(shapely.difference(area_of(within), taken))


def avoid(shape: BaseGeometry, others: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return what of a shape the other areas leave free; one that holds the whole shape is no obstacle."""
    whole = sound(shape)
    shapely.prepare(whole)
    areas = [area_of(each) for each in others if whole.intersects(each)]
    return subtract(whole, [each for each in areas if each.area and not whole.covered_by(each)])


def scaled(shape: BaseGeometry, factor: float) -> BaseGeometry:
    """Return a shape with all coordinates multiplied."""
    return shapely.transform(shape, lambda points: points * factor)


def moved(shape: BaseGeometry, dx: float, dy: float) -> BaseGeometry:
    return shapely.transform(shape, lambda points: points + np.array([dx, dy]))


def _polygons(area: BaseGeometry) -> list[Polygon]:
    return shapely.get_parts(area_of(area)).tolist()


def _checked(shapes: Iterable[BaseGeometry]) -> list[Area]:
    areas = [area_of(each) for each in shapes]
    if any(each.is_empty for each in areas):
        raise AnnotationError("This can be done with areas only; leave lines and points out.")
    return areas


def _cut(part: Polygon, line: BaseGeometry) -> list[Polygon]:
    if not shapely.intersects(part, line):
        return [part]
    edges = shapely.get_parts(shapely.union(part.boundary, line))
    faces = shapely.get_parts(shapely.polygonize(edges))
    shapely.prepare(part)
    inside = faces[shapely.covers(part, shapely.point_on_surface(faces))]
    return inside.tolist() if len(inside) > 1 else [part]


def _only(shape: BaseGeometry, kind: int) -> BaseGeometry:
    """Return the parts of a kind, as one geometry."""
    parts = np.array([shape], object)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    kept = parts[(shapely.get_dimensions(parts) == kind) & ~shapely.is_empty(parts)]
    if len(kept) < 2:
        return kept.item(0) if len(kept) else Polygon()
    return _JOINED[kind](kept)
