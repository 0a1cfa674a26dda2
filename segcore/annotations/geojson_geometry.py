"""GeoJSON coordinates as geometry, many at once, forgiving what QuPath and others write."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from shapely.geometry.base import BaseGeometry

from segcore.errors import AnnotationError

FARTHEST = 2.0**31
"""Level-0 pixels; no slide is larger."""
MOST_VERTICES = 1_000_000
"""In one ring."""
MOST_CROSSINGS = 20_000
_FEW, _SAMPLE = 200, 30
"""Corners below which any outline is repaired at once; edges that are looked at in larger ones."""
_CHUNK = 1000

NUCLEUS = "nucleusGeometry"
"""The second outline of a cell in QuPath, beside "geometry"."""

Points = npt.NDArray[np.float64]
Offset = tuple[float, float]


def geometries_from(
    members: Sequence[Any], *, offset: Offset = (0, 0)
) -> list[BaseGeometry | AnnotationError]:
    """Return the geometry of each GeoJSON geometry object, or the error that it gives, in their order.

    `offset` is added. Third coordinates are dropped and open rings closed; the geometry need not be valid.
    """
    found: list[BaseGeometry | AnnotationError] = []
    for start in range(0, len(members), _CHUNK):
        found.extend(_chunk(members[start : start + _CHUNK]))
    if any(offset):
        places = [at for at, each in enumerate(found) if isinstance(each, BaseGeometry)]
        still = np.array([found[at] for at in places], object)
        shifted = np.asarray(shapely.transform(still, lambda points: points + offset), object)
        for at, geometry in zip(places, shifted, strict=True):
            found[at] = geometry
    return found


def moved(member: Any, offset: Offset) -> Any:
    """Return a GeoJSON geometry object moved by `offset`; what is no geometry stays as it is."""
    if not isinstance(member, dict) or "coordinates" not in member:
        return member
    return {**member, "coordinates": _moved_points(member["coordinates"], offset)}


def _moved_points(points: Any, offset: Offset) -> Any:
    if not isinstance(points, list):
        return points
    if len(points) >= 2 and all(isinstance(each, int | float) for each in points[:2]):
        return [round(points[0] + offset[0], 2), round(points[1] + offset[1], 2)]
    return [_moved_points(each, offset) for each in points]


def _chunk(members: Sequence[Any]) -> list[BaseGeometry | AnnotationError]:
    if all(isinstance(each, dict) and each.get("type") == "Polygon" for each in members):
        try:
            return list(_polygons([each["coordinates"] for each in members]))
        except (AnnotationError, KeyError):
            pass  # one of them is to blame: each by itself tells which
    return [_one(each) for each in members]


def _one(member: Any) -> BaseGeometry | AnnotationError:
    try:
        return geometry_from(member)
    except AnnotationError as error:
        return error


def geometry_from(member: Any) -> BaseGeometry:
    """Return the geometry of one GeoJSON geometry object; raises AnnotationError with the reason."""
    kind = member.get("type") if isinstance(member, dict) else None
    if kind == "GeometryCollection":
        parts = member.get("geometries")
        if not isinstance(parts, list) or any(_kind(part) == kind for part in parts):
            raise AnnotationError("its collection cannot be read")
        return GeometryCollection([geometry_from(each) for each in parts])
    if not isinstance(kind, str):
        raise AnnotationError("it has no geometry")
    if kind not in _READERS:
        raise AnnotationError(f"its geometry is a {kind[:40]!r}")
    return _READERS[kind](member.get("coordinates"))


def _kind(member: Any) -> Any:
    return member.get("type") if isinstance(member, dict) else None


def _polygons(coordinates: Sequence[Any]) -> list[Polygon]:
    """Return polygons of lists of rings of points; raises AnnotationError where one of them has a fault."""
    try:
        rings = list(chain.from_iterable(coordinates))
        sizes = np.fromiter(map(len, rings), np.int64, len(rings))
        polygon_sizes = np.fromiter(map(len, coordinates), np.int64, len(coordinates))
    except TypeError as error:
        raise AnnotationError("its coordinates cannot be read") from error
    if not polygon_sizes.all() or not sizes.all():
        raise AnnotationError("it is empty")
    if sizes.max() > MOST_VERTICES:
        raise AnnotationError(f"a ring has more than {MOST_VERTICES:,} vertices")
    points, sizes = _closed(_points(list(chain.from_iterable(rings))), sizes)
    if sizes.min() < 4:
        raise AnnotationError("a ring has fewer than three corners")
    starts = (np.append(0, sizes.cumsum()), np.append(0, polygon_sizes.cumsum()))
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, points, starts).tolist()


def _closed(points: Points, sizes: npt.NDArray[np.int64]) -> tuple[Points, npt.NDArray[np.int64]]:
    """Repeat the first point of each ring that is open at its end."""
    ends = sizes.cumsum()
    first = points[ends - sizes]
    open_rings = (first != points[ends - 1]).any(axis=1)
    return np.insert(points, ends[open_rings], first[open_rings], axis=0), sizes + open_rings


def _points(pairs: Sequence[Any]) -> Points:
    """Return (n, 2) of a list of points that all have two or three numbers."""
    try:
        lengths = set(map(len, pairs))
        if lengths <= {2} or lengths <= {3}:
            numbers = np.fromiter(chain.from_iterable(pairs), np.float64)
            points = numbers.reshape(len(pairs), -1)[:, :2]
        else:
            points = np.array([each[:2] for each in pairs], np.float64)
    except (TypeError, ValueError) as error:
        raise AnnotationError("its coordinates are no numbers") from error
    if points.ndim != 2 or points.shape[1:] != (2,) or not (np.abs(points) <= FARTHEST).all():
        raise AnnotationError("its coordinates are no numbers or lie outside any slide")
    return points


def _list(coordinates: Any) -> list[Any]:
    if not isinstance(coordinates, list) or not coordinates:
        raise AnnotationError("it is empty")
    return coordinates


def _line(coordinates: Any) -> LineString:
    points = _points(_list(coordinates))
    if len(points) < 2:
        raise AnnotationError("it is a line of one point")
    return LineString(points)


_READERS: dict[str, Callable[[Any], BaseGeometry]] = {
    "Point": lambda at: Point(_points([_list(at)])[0]),
    "MultiPoint": lambda at: MultiPoint(_points(_list(at))),
    "LineString": _line,
    "MultiLineString": lambda at: MultiLineString([_line(each) for each in _list(at)]),
    "Polygon": lambda at: _polygons([_list(at)])[0],
    "MultiPolygon": lambda at: MultiPolygon(_polygons(_list(at))),
}


def repaired(geometry: BaseGeometry) -> BaseGeometry:
    """Return the valid form of a crossing or spiked polygon, without the lines and points left over."""
    if _crossings(geometry) > MOST_CROSSINGS:
        raise AnnotationError("its outline crosses itself too often to be repaired")
    try:
        # Numbers next to nothing, as 1e-320, overflow where they are divided by; the result is checked.
        with np.errstate(all="ignore"):
            valid = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
            if not shapely.is_valid(valid):  # for some spikes GEOS gives parts that overlap
                valid = shapely.buffer(valid, 0)
    except shapely.GEOSException as error:
        raise AnnotationError("its outline cannot be repaired") from error
    if valid.is_empty or not shapely.is_valid(valid):
        raise AnnotationError("its outline encloses nothing")
    return solid(valid) if valid.geom_type == "GeometryCollection" else valid


def _crossings(geometry: BaseGeometry) -> float:
    """Return about how often the outline crosses itself: a scribble would be repaired for hours."""
    if shapely.get_num_coordinates(geometry) < _FEW:
        return 0
    points, ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(geometry)), return_index=True
    )
    edge = ring[:-1] == ring[1:]
    starts, ends = points[:-1][edge], points[1:][edge]
    some = range(0, len(starts), max(1, len(starts) // _SAMPLE))
    met = [_crossed_by(starts[at], ends[at], starts, ends) for at in some]
    return float(np.mean(met)) * len(starts) / 2


def _crossed_by(start: Points, end: Points, starts: Points, ends: Points) -> int:
    """Return how many edges the edge from `start` to `end` crosses."""

    def side(of: Points, a: Points, b: Points) -> Points:
        along, to = b - a, of - a
        return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]

    apart = side(starts, start, end) * side(ends, start, end) < 0
    crossing = apart & (side(start, starts, ends) * side(end, starts, ends) < 0)
    return int(crossing.sum())


def solid(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a collection as one geometry."""
    polygons = [each for each in shapely.get_parts(geometry) if shapely.get_dimensions(each) == 2]
    parts = [part for each in polygons for part in shapely.get_parts(each)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
