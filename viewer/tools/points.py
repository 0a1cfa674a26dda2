"""The counter: points that are added, moved and taken away one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPoint
from shapely.geometry import Point as Dot

from segcore.annotations import Annotation
from viewer.document import Edit, edits
from viewer.tools.base import Choice, Context, Gesture, Outline, Point, Pointer
from viewer.tools.draw import CLICK_SLOP, far
from viewer.tools.handles import REACH, nearest

COUNTED = re.compile(r"[\d,]+ points?")
"""The names that the counter gives; one that a person gave stays."""


def points(press: Pointer, context: Context) -> Gesture:
    """Click to count. A press on a point drags it, with Alt it goes."""
    found = _point_at(press, context)
    if press.alt:
        return _without(found) if found is not None else None
    if found is not None:
        return (yield from _drag(press, context, found))
    group = _selected(context)
    count = len(_dots(group)) + 1 if group is not None else 1
    event, at = press, press.point
    while event.kind != "release":
        at = _on_slide(event.point, context)
        event = yield Outline((at,), closed=False, vertices=(at,), text=f"{count:,}")
    return _with(group, at, context)


@dataclass(frozen=True, slots=True)
class _Found:
    """One point of an annotation."""

    group: Annotation
    index: int


def _point_at(press: Pointer, context: Context) -> _Found | None:
    """Return the point under the pointer, rather one that is selected."""
    for group in _groups_near(press, context):
        index = nearest(_dots(group), press.point, REACH * press.scale)
        if index is not None:
            return _Found(group, index)
    return None


def _groups_near(press: Pointer, context: Context) -> Iterator[Annotation]:
    yield from filter(_is_counter, context.selection)
    near = context.document.spatial.at(*press.point, REACH * press.scale)
    yield from filter(_is_counter, near)


def _selected(context: Context) -> Annotation | None:
    """Return the selected points of the active class, to which a new one is added."""
    fitting = (each for each in context.selection if each.class_name == context.class_name)
    return next(filter(_is_counter, fitting), None)


def _is_counter(annotation: Annotation) -> bool:
    return not annotation.locked and isinstance(annotation.geometry, Dot | MultiPoint)


def _drag(press: Pointer, context: Context, found: _Found) -> Gesture:
    """Move a point; where it is only clicked, select those it belongs to."""
    event, at = (yield None), None
    text = f"{len(_dots(found.group)):,}"
    while event.kind != "release":
        if at is not None or far(event, press.point, CLICK_SLOP):
            at = _on_slide(event.point, context)
            event = yield Outline((at,), closed=False, vertices=(at,), text=text)
        else:
            event = yield None
    if at is None:
        return Choice(frozenset({found.group.id}))
    moved = _dots(found.group)
    moved[found.index] = at
    return edits.replace([found.group], [_counted(found.group, moved)], name="Move point")


def _without(found: _Found) -> Edit:
    left = np.delete(_dots(found.group), found.index, axis=0)
    if not len(left):
        return edits.delete([found.group], name="Remove point")
    return edits.replace([found.group], [_counted(found.group, left)], name="Remove point")


def _with(group: Annotation | None, at: Point, context: Context) -> Edit:
    if group is None:
        begun = Annotation(MultiPoint([at]), context.class_name, name="1 point")
        return edits.add([begun], name="Point")
    return edits.replace([group], [_counted(group, np.vstack([_dots(group), at]))], name="Point")


def _counted(group: Annotation, dots: npt.NDArray[np.float64]) -> Annotation:
    """Return an annotation with these points and, unless a person named it, their number as its name."""
    name = group.name
    if name is None or COUNTED.fullmatch(name):
        name = "1 point" if len(dots) == 1 else f"{len(dots):,} points"
    return group.with_(geometry=MultiPoint(dots), name=name)


def _dots(group: Annotation) -> npt.NDArray[np.float64]:
    """Return (n, 2)."""
    return shapely.get_coordinates(group.geometry)


def _on_slide(at: Point, context: Context) -> Point:
    x, y = np.clip(at, 0, (context.width, context.height)).tolist()
    return x, y
