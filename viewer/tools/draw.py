"""Gestures that draw an annotation: rectangle, ellipse, polygon, spline, freehand."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from segcore.annotations import Annotation
from viewer.document import Edit, edits
from viewer.tools.base import Context, Gesture, Outline, Point, Pointer
from viewer.tools.curves import smooth_ring

T = TypeVar("T")
Steps = Generator[Outline | None, Pointer, T]

ELLIPSE_VERTICES = 100  # as QuPath writes an ellipse
CLICK_SLOP = 4.0  # screen pixels: less than this is a click, not a drag
NEAR_START = 8.0  # screen pixels: a click so near to the first vertex closes the polygon


def rectangle(press: Pointer, context: Context) -> Gesture:
    """Drag from corner to corner; Shift makes a square."""
    corner, other = yield from _drag_box(press, _box_points)
    return region(box(*_ordered(corner, other)), context, press.scale, name="Rectangle")


def ellipse(press: Pointer, context: Context) -> Gesture:
    """Drag the box around the ellipse; Shift makes a circle."""
    corner, other = yield from _drag_box(press, ellipse_points)
    shape = Polygon(ellipse_points(corner, other)) if corner != other else Polygon()
    return region(shape, context, press.scale, name="Ellipse", ellipse=True)


def freehand(press: Pointer, context: Context) -> Gesture:
    """Drag along the border; releasing closes it."""
    points = yield from _drag_path([press.point], _outline)
    return region(_filled(points), context, press.scale)


def polygon(press: Pointer, context: Context) -> Gesture:
    """Click vertex by vertex; double-click, Enter or the first vertex finishes, Backspace removes the last."""
    points, freely = yield from click_path(press, _outline, closes)
    name = "Freehand" if freely else "Polygon"
    return region(_filled(points), context, press.scale, name=name)


def spline(press: Pointer, context: Context) -> Gesture:
    """Click a smooth border vertex by vertex; it is finished as a polygon is."""

    def curve(points: list[Point], vertices: Sequence[Point] = ()) -> Outline:
        return Outline(smooth_ring(points, press.scale / 2), vertices=tuple(vertices))

    points, freely = yield from click_path(press, curve, closes)
    if freely:
        return region(_filled(points), context, press.scale)
    ring = smooth_ring(points, press.scale / 4)
    return region(_filled(ring), context, press.scale, name="Spline")


def click_path(
    press: Pointer,
    show: Callable[[list[Point], Sequence[Point]], Outline],
    ends: Callable[[Pointer, list[Point]], bool],
) -> Steps[tuple[list[Point], bool]]:
    """Return what is clicked vertex by vertex, and whether it was drawn freely instead.

    `show` makes the preview of a path (the pointer is its last point) with its vertices. Double-click, Enter
    or a press that `ends` the path finishes, Backspace removes the last vertex; with the first the path is
    given up, and has no points. A first drag draws freely, as hands that come from QuPath expect.
    """
    points = [press.point]
    event = yield show(points, points)
    if event.kind == "drag" and far(event, points[0], CLICK_SLOP):
        return (yield from _drag_path([press.point, event.point], show)), True
    while event.kind not in {"finish", "double"} and not ends(event, points):
        if event.kind == "press" and far(event, points[-1], CLICK_SLOP):
            points.append(event.point)
        elif event.kind == "back":
            points.pop()
            if not points:
                break
        event = yield show([*points, event.point], points)
    return points, False


def closes(event: Pointer, points: list[Point]) -> bool:
    """Tell whether an event is a click on the first vertex."""
    return event.kind == "press" and len(points) > 2 and not far(event, points[0], NEAR_START)


def ellipse_points(corner: Point, other: Point) -> tuple[Point, ...]:
    """Return the ellipse inscribed in the box of two corners."""
    left, top, right, bottom = _ordered(corner, other)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    turns = (2 * math.pi * i / ELLIPSE_VERTICES for i in range(ELLIPSE_VERTICES))
    return tuple(
        (middle_x + (right - left) / 2 * math.cos(t), middle_y + (bottom - top) / 2 * math.sin(t))
        for t in turns
    )


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


def _drag_path(
    points: list[Point], show: Callable[[list[Point], Sequence[Point]], Outline]
) -> Steps[list[Point]]:
    event = yield show(points, ())
    while event.kind != "release":
        if far(event, points[-1], 1.5):
            points.append(event.point)
        event = yield show(points, ())
    return points


def _filled(points: Sequence[Point]) -> Polygon:
    return Polygon(points) if len(points) > 2 else Polygon()


def region(
    shape: Polygon, context: Context, scale: float, *, name: str = "Freehand", ellipse: bool = False
) -> Edit | None:
    """Return the edit that adds `shape`, clipped to the slide; None where hardly anything is left."""
    # Distances of 1e-300 pixels mean nothing, but make GEOS cut beside the border.
    rounded = shapely.transform(shape, lambda points: np.round(points, 9))
    repaired = shapely.make_valid(rounded, method="structure", keep_collapsed=False)
    clipped = shapely.intersection(repaired, box(0, 0, context.width, context.height))
    areas = areas_of(clipped)
    if areas.area < (CLICK_SLOP * scale) ** 2:
        return None
    number = 1 + max(_roi_numbers(context), default=0)
    whole = ellipse and bool(shapely.equals(clipped, repaired))
    annotation = Annotation(areas, name=f"ROI {number}", ellipse=whole)
    return Edit(name, edits.add([annotation]).changes)


def _roi_numbers(context: Context) -> Iterator[int]:
    """Yield the numbers of the regions that are called ROI and a number."""
    for each in context.document.annotations.values():
        word, _, number = (each.name or "").partition(" ")
        if word == "ROI" and number.isdecimal():
            yield int(number)


def areas_of(geometry: shapely.Geometry) -> Polygon | MultiPolygon:
    parts = [each for each in shapely.get_parts(geometry) if isinstance(each, Polygon)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _outline(points: Iterable[Point], vertices: Iterable[Point] = ()) -> Outline:
    return Outline(tuple(points), vertices=tuple(vertices))


def _box_points(corner: Point, other: Point) -> tuple[Point, ...]:
    left, top, right, bottom = _ordered(corner, other)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _ordered(a: Point, b: Point) -> tuple[float, float, float, float]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])


def _square(corner: Point, other: Point) -> Point:
    across, down = other[0] - corner[0], other[1] - corner[1]
    side = max(abs(across), abs(down))
    return corner[0] + math.copysign(side, across), corner[1] + math.copysign(side, down)


def far(event: Pointer, point: Point, screen_pixels: float) -> bool:
    return math.dist(event.point, point) > screen_pixels * event.scale
