"""Gestures on shapes that are selected already: move them, resize a box, move, insert or delete a vertex."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import Polygon, box

from segcore.annotations import Annotation
from viewer.document import edits
from viewer.tools.base import Context, Gesture, Outline, Point, Pointer, Sketch
from viewer.tools.draw import CLICK_SLOP, ellipse_points
from viewer.tools.handles import (
    EDGE_REACH,
    REACH,
    corners,
    handles,
    is_box,
    is_on_edge,
    nearest,
    vertices_of,
)
from viewer.tools.select import choose_by_box


def grip(press: Pointer, context: Context) -> Gesture | None:
    """Return what a press of the Move tool begins, None where it pans.

    Shift begins a rubber band. A handle of the one selected shape is dragged, with Ctrl or Alt a vertex goes; a
    double click on its edge makes a new vertex. Selected shapes are moved by their edge, with Ctrl by any
    place inside. Locked ones stay.
    """
    if press.shift:
        return choose_by_box(press, context)
    free = [each for each in context.selection if not each.locked]
    one = free[0] if len(free) == len(context.selection) == 1 else None
    if one is not None and (gesture := _grip_one(one, press, context)):
        return gesture
    at, reach = press.point, EDGE_REACH * press.scale
    by_edge = any(is_on_edge(each.geometry, at, reach) for each in free)
    inside = press.ctrl and any(shapely.intersects_xy(each.geometry, *at) for each in free)
    return _move(press, context, free) if by_edge or inside else None


def _grip_one(shape: Annotation, press: Pointer, context: Context) -> Gesture | None:
    reach = REACH * press.scale
    if is_box(shape) and not (press.alt or press.ctrl) and press.kind != "double":
        corner = nearest(corners(shape), press.point, reach)
        return _resize(press, context, shape, corner) if corner is not None else None
    vertices = vertices_of(shape)
    at = vertices.near(*press.point, reach)
    if at is not None:
        if press.alt or press.ctrl:
            return _delete_vertex(shape, at)
        return _drag_vertex(press, context, shape, at, original=shape, name="Move vertex")
    found = vertices.near_edge(*press.point, EDGE_REACH * press.scale)
    if press.kind != "double" or found is None or shapely.get_dimensions(shape.geometry) == 0:
        return None
    bent = shape.with_(geometry=vertices.inserted(*found), ellipse=False)
    return _drag_vertex(press, context, bent, found[0] + 1, original=shape, name="Insert vertex")


def _move(press: Pointer, context: Context, shapes: Sequence[Annotation]) -> Gesture:
    """Drag shapes to another place of the slide; Shift keeps to one direction."""
    boxes = shapely.bounds(np.array([each.geometry for each in shapes], object))
    (left, top), (right, bottom) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    event, way = (yield None), (0.0, 0.0)
    ids = frozenset(each.id for each in shapes)
    while event.kind != "release":
        way = _way(press, event)
        way = _kept(way[0], left, right, context.width), _kept(way[1], top, bottom, context.height)
        event = yield Sketch(
            tuple(each.geometry for each in shapes), ids, way, shapes[0].class_name
        )
    if way == (0.0, 0.0) or np.hypot(*way) < press.scale:
        return None
    moved = [
        each.with_(geometry=shapely.transform(each.geometry, lambda points: points + way))
        for each in shapes
    ]
    count = "" if len(shapes) == 1 else f" {len(shapes)} annotations"
    return edits.replace(shapes, moved, name=f"Move{count}")


def _way(press: Pointer, event: Pointer) -> Point:
    across, down = event.x - press.x, event.y - press.y
    if event.shift:
        return (across, 0.0) if abs(across) >= abs(down) else (0.0, down)
    return across, down


def _kept(way: float, low: float, high: float, room: float) -> float:
    """Return `way` shortened so that what lies from `low` to `high` stays between 0 and `room`."""
    return float(min(max(way, min(-low, 0.0)), max(room - high, 0.0)))


def _resize(press: Pointer, context: Context, shape: Annotation, corner: int) -> Gesture:
    """Drag a corner of the box around a rectangle or an ellipse; Shift makes it a square."""
    across_from = corners(shape)[corner - 2]
    fixed = float(across_from[0]), float(across_from[1])
    event, resized = (yield None), shape
    while event.kind != "release":
        x, y = _inside(event.point, context)
        if event.shift:
            side = max(abs(x - fixed[0]), abs(y - fixed[1]))
            x, y = (
                fixed[0] + np.copysign(side, x - fixed[0]),
                fixed[1] + np.copysign(side, y - fixed[1]),
            )
        if abs(x - fixed[0]) >= press.scale and abs(y - fixed[1]) >= press.scale:
            resized = shape.with_(geometry=_boxed(fixed, (x, y), ellipse=shape.ellipse))
        event = yield Sketch(
            (resized.geometry,), frozenset({shape.id}), class_name=shape.class_name
        )
    return None if resized is shape else edits.replace([shape], [resized], name="Resize")


def _boxed(one: Point, other: Point, *, ellipse: bool) -> Polygon:
    if ellipse:
        return Polygon(ellipse_points(one, other))
    (x0, y0), (x1, y1) = one, other
    return box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _drag_vertex(
    press: Pointer,
    context: Context,
    shape: Annotation,
    vertex: int,
    *,
    original: Annotation,
    name: str,
) -> Gesture:
    vertices = vertices_of(shape)
    beside = vertices.neighbours(vertex)
    event, place = (yield None), None
    while event.kind != "release":
        if place is not None or _far(press, event):
            place = _inside(event.point, context)
            line = (beside[0], place, *beside[1:]) if beside else (place,)
            event = yield Outline(line, closed=False, vertices=(place,))
        else:
            event = yield None
    if place is not None:
        shape = shape.with_(geometry=vertices.moved(vertex, place), ellipse=False)
    if shape is original or shape.geometry.is_empty:
        return None
    return edits.replace([original], [shape], name=name)


def _delete_vertex(shape: Annotation, vertex: int) -> Gesture:
    left = vertices_of(shape).deleted(vertex)
    yield None
    if left.is_empty:
        return edits.delete([shape])
    return edits.replace([shape], [shape.with_(geometry=left, ellipse=False)], name="Delete vertex")


def _far(press: Pointer, event: Pointer) -> bool:
    return bool(np.hypot(event.x - press.x, event.y - press.y) > CLICK_SLOP / 2 * press.scale)


def _inside(place: Point, context: Context) -> Point:
    return (
        float(min(max(place[0], 0.0), context.width)),
        float(min(max(place[1], 0.0), context.height)),
    )


def would_grip(selection: Sequence[Annotation], at: Pointer) -> str:
    """Return what a press here would grip: "vertex", "edge" or "" (nothing); for the shape of the cursor."""
    free = [each for each in selection if not each.locked]
    if len(free) == len(selection) == 1 and (
        nearest(handles(free[0]), at.point, REACH * at.scale) is not None
    ):
        return "vertex"
    reach = EDGE_REACH * at.scale
    return "edge" if any(is_on_edge(each.geometry, at.point, reach) for each in free) else ""
