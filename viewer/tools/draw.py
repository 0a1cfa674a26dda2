"""Gestures that draw an annotation: rectangle, ellipse, polygon, freehand."""

import math
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from segcore.annotations import Annotation
from viewer.document import Edit, edits
from viewer.tools.base import Context, Gesture, Outline, Point, Pointer

T = TypeVar("T")
Steps = Generator[Outline | None, Pointer, T]

ELLIPSE_VERTICES = 100  # as QuPath writes an ellipse
CLICK_SLOP = 4.0  # screen pixels: less than this is a click, not a drag
NEAR_START = 8.0  # screen pixels: a click so near to the first vertex closes the polygon


def rectangle(press: Pointer, context: Context) -> Gesture:
    """Drag from corner to corner; Shift makes a square."""
    corner, other = yield from _drag_box(press, _box_points)
    return _region(box(*_ordered(corner, other)), context, press.scale, name="Rectangle")


def ellipse(press: Pointer, context: Context) -> Gesture:
    """Drag the box around the ellipse; Shift makes a circle."""
    corner, other = yield from _drag_box(press, ellipse_points)
    shape = Polygon(ellipse_points(corner, other)) if corner != other else Polygon()
    return _region(shape, context, press.scale, name="Ellipse", ellipse=True)


def freehand(press: Pointer, context: Context) -> Gesture:
    """Drag along the border; releasing closes it."""
    points = yield from _drag_path(press)
    return _region(Polygon(points) if len(points) > 2 else Polygon(), context, press.scale)


def polygon(press: Pointer, context: Context) -> Gesture:
    """Click vertex by vertex; double-click, Enter or the first vertex finishes, Backspace removes the last.

    A first drag draws freehand instead, as hands that come from QuPath expect.
    """
    points = [press.point]
    event = yield _outline(points)
    if event.kind == "drag" and _far(event, points[0], CLICK_SLOP):
        points = yield from _drag_path(press)
        return _region(Polygon(points) if len(points) > 2 else Polygon(), context, press.scale)
    while not _finishes(event, points):
        if event.kind == "press" and _far(event, points[-1], CLICK_SLOP):
            points.append(event.point)
        elif event.kind == "back":
            points.pop()
            if not points:
                return None
        event = yield _outline([*points, event.point])
    shape = Polygon(points) if len(points) > 2 else Polygon()
    return _region(shape, context, press.scale, name="Polygon")


def ellipse_points(corner: Point, other: Point) -> tuple[Point, ...]:
    """Return the ellipse inscribed in the box of two corners."""
    left, top, right, bottom = _ordered(corner, other)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    turns = (2 * math.pi * i / ELLIPSE_VERTICES for i in range(ELLIPSE_VERTICES))
    return tuple(
        (middle_x + (right - left) / 2 * math.cos(t), middle_y + (bottom - top) / 2 * math.sin(t))
        for t in turns
    )


def _finishes(event: Pointer, points: list[Point]) -> bool:
    if event.kind in ("finish", "double"):
        return True
    closes = len(points) > 2 and not _far(event, points[0], NEAR_START)
    return event.kind == "press" and closes


def _drag_box(
    press: Pointer, shape: Callable[[Point, Point], tuple[Point, ...]]
) -> Steps[tuple[Point, Point]]:
    event = yield None
    other = press.point
    while event.kind != "release":
        other = _square(press.point, event.point) if event.shift else event.point
        event = yield Outline(shape(press.point, other))
    if event.point != press.point:
        other = _square(press.point, event.point) if event.shift else event.point
    return press.point, other


def _drag_path(press: Pointer) -> Steps[list[Point]]:
    points = [press.point]
    event = yield None
    while event.kind != "release":
        if _far(event, points[-1], 1.5):
            points.append(event.point)
        event = yield _outline(points)
    return points


def _region(
    shape: Polygon, context: Context, scale: float, *, name: str = "Freehand", ellipse: bool = False
) -> Edit | None:
    """Return the edit that adds `shape`, clipped to the slide; None where hardly anything is left."""
    # Distances of 1e-300 pixels mean nothing, but make GEOS cut beside the border.
    rounded = shapely.transform(shape, lambda points: np.round(points, 9))
    repaired = shapely.make_valid(rounded, method="structure", keep_collapsed=False)
    clipped = shapely.intersection(repaired, box(0, 0, context.width, context.height))
    areas = _areas(clipped)
    if areas.area < (CLICK_SLOP * scale) ** 2:
        return None
    number = 1 + sum(each.class_name is None for each in context.document.annotations.values())
    whole = ellipse and bool(shapely.equals(clipped, repaired))
    annotation = Annotation(areas, name=f"ROI {number}", ellipse=whole)
    return Edit(name, edits.add([annotation]).changes)


def _areas(geometry: shapely.Geometry) -> Polygon | MultiPolygon:
    parts = [each for each in shapely.get_parts(geometry) if isinstance(each, Polygon)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _outline(points: Iterable[Point]) -> Outline:
    return Outline(tuple(points), closed=True)


def _box_points(corner: Point, other: Point) -> tuple[Point, ...]:
    left, top, right, bottom = _ordered(corner, other)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _ordered(a: Point, b: Point) -> tuple[float, float, float, float]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def _square(corner: Point, other: Point) -> Point:
    across, down = other[0] - corner[0], other[1] - corner[1]
    side = max(abs(across), abs(down))
    return corner[0] + math.copysign(side, across), corner[1] + math.copysign(side, down)


def _far(event: Pointer, point: Point, screen_pixels: float) -> bool:
    return math.dist(event.point, point) > screen_pixels * event.scale
