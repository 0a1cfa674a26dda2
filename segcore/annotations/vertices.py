"""The vertices of a shape, so that a hand can move, insert and delete them: on any ring of any part."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float64]
Place = tuple[float, float]


class Vertices:
    """All vertices of a geometry, those of holes too, numbered in one row; the end of a ring is its start."""

    def __init__(self, geometry: BaseGeometry) -> None:
        self._parts = list(shapely.get_parts(geometry))
        paths = [_paths(part) for part in self._parts]
        self._owners = [k for k, each in enumerate(paths) for _ in each]
        self._closed = [isinstance(self._parts[k], Polygon) for k in self._owners]
        self._paths = [path for each in paths for path in each]
        self._ends = np.cumsum([len(path) for path in self._paths])

    @cached_property
    def points(self) -> Floats:
        """(n, 2), level-0 pixels."""
        return np.concatenate([np.empty((0, 2)), *self._paths])

    def near(self, x: float, y: float, reach: float) -> int | None:
        """Return the vertex nearest to (x, y), None where none is within `reach`."""
        if not len(self.points):
            return None
        distances = np.hypot(*(self.points - (x, y)).T)
        nearest = int(distances.argmin())
        return nearest if distances[nearest] <= reach else None

    def near_edge(self, x: float, y: float, reach: float) -> tuple[int, Place] | None:
        """Return where on the edges is nearest to (x, y): the vertex before it, and the place on the edge."""
        best, found = reach, None
        for number, path in enumerate(self._paths):
            edges = np.concatenate([path, path[:1]]) if self._closed[number] else path
            if len(edges) < 2:
                continue
            start, along = edges[:-1], np.diff(edges, axis=0)
            length2 = np.maximum((along**2).sum(1), 1e-30)
            t = np.clip((((x, y) - start) * along).sum(1) / length2, 0, 1)
            feet = start + t[:, None] * along
            distances = np.hypot(*(feet - (x, y)).T)
            nearest = int(distances.argmin())
            if distances[nearest] <= best:
                best = float(distances[nearest])
                foot = feet[nearest]
                found = self._first(number) + nearest, (float(foot[0]), float(foot[1]))
        return found

    def neighbours(self, index: int) -> tuple[Place, ...]:
        """Return the vertices before and after one; at the end of a line there is one of them."""
        number, at = self._locate(index)
        path = self._paths[number]
        if self._closed[number]:
            chosen = [path[at - 1], path[(at + 1) % len(path)]]
        else:
            chosen = [path[k] for k in (at - 1, at + 1) if 0 <= k < len(path)]
        return tuple((float(x), float(y)) for x, y in chosen)

    def moved(self, index: int, place: Place) -> BaseGeometry:
        """Return the geometry with one vertex elsewhere; an area that crosses itself then is repaired."""
        number, at = self._locate(index)
        path = self._paths[number].copy()
        path[at] = place
        return self._with(number, path)

    def inserted(self, before: int, place: Place) -> BaseGeometry:
        """Return the geometry with a vertex at `place` behind vertex `before`."""
        number, at = self._locate(before)
        return self._with(number, np.insert(self._paths[number], at + 1, place, axis=0))

    def deleted(self, index: int) -> BaseGeometry:
        """Return the geometry without one vertex; empty where nothing is left of it.

        A hole of three vertices goes as a whole, and so does a part.
        """
        number, at = self._locate(index)
        return self._with(number, np.delete(self._paths[number], at, axis=0))

    def _first(self, number: int) -> int:
        return int(self._ends[number]) - len(self._paths[number])

    def _locate(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self.points):
            raise IndexError(f"There is no vertex {index} among {len(self.points)}.")
        number = int(np.searchsorted(self._ends, index, side="right"))
        return number, index - self._first(number)

    def _with(self, number: int, path: Floats) -> BaseGeometry:
        """Return the geometry with one path replaced."""
        owner = self._owners[number]
        paths = [
            path if k == number else each
            for k, each in enumerate(self._paths)
            if self._owners[k] == owner
        ]
        changed = _rebuilt(self._parts[owner], paths)
        parts = [
            *self._parts[:owner],
            *shapely.get_parts(changed).tolist(),
            *self._parts[owner + 1 :],
        ]
        return _joined([each for each in parts if not each.is_empty])


def _paths(part: BaseGeometry) -> list[Floats]:
    if isinstance(part, Polygon):
        return [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(part)]
    return [shapely.get_coordinates(part)]


def _rebuilt(part: BaseGeometry, paths: Sequence[Floats]) -> BaseGeometry:
    if isinstance(part, Polygon):
        if len(paths[0]) < 3:
            return Polygon()
        area = Polygon(paths[0], [hole for hole in paths[1:] if len(hole) > 2])
        # A repair would number the vertices anew and drop those on straight edges.
        if area.is_valid:
            return area
        return shapely.make_valid(area, method="structure", keep_collapsed=False)
    if isinstance(part, LineString):
        return LineString(paths[0]) if len(paths[0]) > 1 else LineString()
    return Point(paths[0][0]) if len(paths[0]) else Point()


def _joined(parts: list[BaseGeometry]) -> BaseGeometry:
    """Return one geometry; areas that overlap now are one."""
    areas = [each for each in parts if isinstance(each, Polygon)]
    lines = [each for each in parts if isinstance(each, LineString)]
    points = [each for each in parts if isinstance(each, Point)]
    if len(parts) == 1:
        return parts[0]
    if len(lines) == len(parts) > 0:
        return MultiLineString(lines)
    if len(points) == len(parts) > 0:
        return MultiPoint(points)
    if len(areas) < len(parts):
        return GeometryCollection(parts)
    several = MultiPolygon(areas)
    return several if several.is_valid else shapely.union_all(areas)
