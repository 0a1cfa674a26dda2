"""Ellipses, which most formats give by their box and annotations hold as polygons."""

from math import cos, pi, radians, sin

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations.model import Annotation


def ellipse(box: tuple[float, float, float, float], degrees: float = 0) -> Polygon:
    """Return the 128-gon in the ellipse that fills `box` (left, top, right, bottom), turned about its centre.

    Positive angles turn clockwise on the screen, where y grows downwards.
    """
    left, top, right, bottom = box
    circle = shapely.Point(0, 0).buffer(1, quad_segs=32)
    wide, high = (right - left) / 2, (bottom - top) / 2
    return turned(shapely.transform(circle, lambda at: at * (wide, high)), box, degrees)


def rectangle(box: tuple[float, float, float, float], degrees: float = 0) -> Polygon:
    """Return `box` (left, top, right, bottom) turned about its centre, clockwise on the screen."""
    left, top, right, bottom = box
    wide, high = (right - left) / 2, (bottom - top) / 2
    return turned(shapely.box(-wide, -high, wide, high), box, degrees)


def turned(shape: Polygon, box: tuple[float, float, float, float], degrees: float) -> Polygon:
    """Return a shape around (0, 0), turned, with its centre at that of `box`."""
    left, top, right, bottom = box
    c, s = cos(radians(degrees)), sin(radians(degrees))
    centre = ((left + right) / 2, (top + bottom) / 2)
    return shapely.transform(shape, lambda at: at @ [[c, s], [-s, c]] + centre)


def is_ellipse(annotation: Annotation, geometry: BaseGeometry) -> bool:
    """Whether the outline still is the ellipse in its box that it was drawn as."""
    left, top, right, bottom = geometry.bounds
    whole = pi / 4 * (right - left) * (bottom - top)
    return annotation.ellipse and abs(geometry.area - whole) < 0.01 * whole
