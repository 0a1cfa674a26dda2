"""What of a selected shape can be gripped: its vertices, or the corners of a box or an ellipse; its edge."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from segcore.annotations.vertices import Vertices
from viewer.tools.base import Point

REACH = 7.0
"""Screen pixels from which a handle is gripped."""
EDGE_REACH = 5.0

Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=4)
def vertices_of(annotation: Annotation) -> Vertices:
    return Vertices(annotation.geometry)


def handles(annotation: Annotation) -> Floats:
    """Return (n, 2), the level-0 places where a shape is gripped to reshape it."""
    return corners(annotation) if is_box(annotation) else vertices_of(annotation).points


def is_box(annotation: Annotation) -> bool:
    """Tell whether a shape is resized by the corners of its box: an ellipse, or an upright rectangle."""
    if annotation.ellipse:
        return True
    shape = annotation.geometry
    if not isinstance(shape, Polygon) or shape.interiors or len(shape.exterior.coords) != 5:
        return False
    return bool(shapely.equals(shape, shapely.envelope(shape)))


def corners(annotation: Annotation) -> Floats:
    """Return (4, 2): the corners of the box around a shape, in turn."""
    left, top, right, bottom = annotation.geometry.bounds
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def nearest(points: Floats, at: Point, reach: float) -> int | None:
    """Return which of (n, 2) `points` is nearest to `at`, None where none is within `reach`."""
    if not len(points):
        return None
    distances = np.hypot(*(points - at).T)
    best = int(distances.argmin())
    return best if distances[best] <= reach else None


def is_on_edge(geometry: BaseGeometry, at: Point, reach: float) -> bool:
    """Tell whether `at` is within `reach` of the border of an area, of a line, or of a point."""
    edge = geometry.boundary if shapely.get_dimensions(geometry) == 2 else geometry
    return bool(shapely.dwithin(edge, shapely.Point(at), reach))
