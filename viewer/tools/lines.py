"""Gestures that draw a line and tell its length: ruler and polyline."""

import math
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import LineString, box

from segcore.annotations import Annotation
from viewer.document import Edit, edits
from viewer.tools.base import Context, Gesture, Outline, Point, Pointer
from viewer.tools.draw import CLICK_SLOP, click_path, far

TURN = math.pi / 4  # what Shift snaps the direction of a line to


def line(press: Pointer, context: Context) -> Gesture:
    """Drag from end to end; Shift snaps to steps of 45 degrees."""
    event, end = (yield None), press.point
    while event.kind != "release":
        end = snapped(press.point, event.point) if event.shift else event.point
        event = yield _measured([press.point, end], context)
    if math.dist(press.point, end) <= CLICK_SLOP * press.scale:
        return None
    on_slide = shapely.intersection(
        LineString([press.point, end]), box(0, 0, context.width, context.height)
    )
    return _added(on_slide, "Line")


def polyline(press: Pointer, context: Context) -> Gesture:
    """Click vertex by vertex; double-click, Enter or the last vertex finishes, Backspace removes the last."""

    def show(points: Sequence[Point], vertices: Sequence[Point]) -> Outline:
        return _measured(points, context, vertices)

    points, _ = yield from click_path(press, show, _ends)
    if len(points) < 2:
        return None
    corners = np.clip(points, 0, (context.width, context.height))
    return _added(shapely.remove_repeated_points(LineString(corners)), "Polyline")


def length_text(length: float, mpp: float | None) -> str:
    """Return a length given in level-0 pixels for people: in µm, mm from 1000; in px without `mpp`."""
    if mpp is None:
        return f"{length:,.0f} px"
    size = length * mpp
    if size >= 1000:
        return f"{size / 1000:,.3f} mm"
    return f"{size:.1f} µm" if size < 100 else f"{size:.0f} µm"


def snapped(start: Point, end: Point) -> Point:
    """Return where a line ends that goes as far as `end`, in the nearest of eight directions."""
    length = math.dist(start, end)
    turn = round(math.atan2(end[1] - start[1], end[0] - start[0]) / TURN) * TURN
    return start[0] + length * math.cos(turn), start[1] + length * math.sin(turn)


def _ends(event: Pointer, points: list[Point]) -> bool:
    return event.kind == "press" and len(points) > 1 and not far(event, points[-1], CLICK_SLOP)


def _measured(
    points: Sequence[Point], context: Context, vertices: Sequence[Point] | None = None
) -> Outline:
    length = float(np.hypot(*np.diff(np.array(points), axis=0).T).sum())
    return Outline(
        tuple(points),
        closed=False,
        vertices=tuple(points if vertices is None else vertices),
        text=length_text(length, context.mpp),
    )


def _added(shape: shapely.Geometry, name: str) -> Edit | None:
    """Return the edit that adds a line; None where it lies beside the slide."""
    if not isinstance(shape, LineString) or shape.length == 0:
        return None
    return edits.add([Annotation(shape)], name=name)
