"""Brush and eraser: a disc that is swept over the mask, or over annotations."""

import math

import numpy as np
import shapely
from shapely import Polygon

from viewer.document import BRUSH, ERASE
from viewer.tools.base import Context, Gesture, Point, Pointer, Refusal
from viewer.tools.growing import FINE, begin
from viewer.tools.stroke import Stroke


def brush(press: Pointer, context: Context) -> Gesture:
    """Paint the chosen class, Alt rubs out. On annotations a press in one goes on with it, outside begins one.

    Shift goes on with the selected one wherever it begins, Ctrl+Shift stays clear of other annotations.
    """
    if context.on_mask:
        return (yield from _paint_mask(press, context, erases=press.alt))
    return (yield from _paint_annotation(press, context, erases=press.alt))


def erase(press: Pointer, context: Context) -> Gesture:
    """Set mask pixels back to unlabelled, or take away from the selected annotation, or the one here."""
    if context.on_mask:
        return (yield from _paint_mask(press, context, erases=True))
    return (yield from _paint_annotation(press, context, erases=True))


def _paint_mask(press: Pointer, context: Context, *, erases: bool) -> Gesture:
    grid = context.document.mask.grid or context.grid
    if grid is None:
        return None
    stroke = Stroke.on(context, grid, erases=erases)
    event, last = press, press.point
    while event.kind != "release":
        dirty = stroke.sweep(last, event.point, _radius(event, context))
        last = event.point
        event = yield stroke.preview(dirty)
    return stroke.finish(ERASE if erases else f"{BRUSH} {context.class_name.lower()}")


def _paint_annotation(press: Pointer, context: Context, *, erases: bool) -> Gesture:
    growing = begin(press, context, BRUSH, erases=erases)
    if isinstance(growing, Refusal):
        return growing
    event, last = press, (press.point, _radius(press, context))
    while event.kind != "release":
        now = event.point, _radius(event, context)
        preview = growing.add(capsule(*last, *now, FINE * event.scale))
        last = now
        event = yield preview
    return growing.finish()


def _radius(event: Pointer, context: Context) -> float:
    return context.brush_px * event.scale * event.pressure / 2


def capsule(start: Point, first: float, end: Point, last: float, tolerance: float) -> Polygon:
    """Return what a disc covers on its way from `start` to `end` while its radius goes from `first` to `last`.

    Its border is at most `tolerance` within the true one.
    """
    largest = max(first, last, tolerance)
    corners = max(8, math.ceil(math.pi / math.acos(1 - tolerance / largest)))
    turns = 2 * math.pi * np.arange(corners) / corners
    disc = np.stack([np.cos(turns), np.sin(turns)], 1)
    rim = np.concatenate([disc * first + start, disc * last + end])
    # Distances of 1e-300 pixels mean nothing, but GEOS stumbles over them.
    hull = shapely.convex_hull(shapely.multipoints(np.round(rim, 6)))
    return hull if isinstance(hull, Polygon) else Polygon()
