"""What gestures that paint with shapes (brush, wand, magic) make: an annotation that grows, or a mask."""

from typing import Protocol

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from segcore.annotations.shapes import AREAS, Area, area_of, clip, kind_of
from viewer.document import ERASE, Edit, edits
from viewer.tools.base import Context, MaskPreview, Pointer, Refusal, Sketch
from viewer.tools.stroke import Stroke

LIGHT = 2000
"""Vertices up to which the whole result is shown at every event; of heavier shapes, the stroke."""
FINE = 0.1
"""Screen pixels that a border may be off, so that it has few vertices."""


class Growing(Protocol):
    """Takes shapes one by one and ends as an edit."""

    def add(self, shape: Area) -> Sketch | MaskPreview: ...

    def finish(self) -> Edit | None: ...


def begin(
    press: Pointer, context: Context, name: str, *, erases: bool = False
) -> Growing | Refusal:
    """Return what a press paints on, the mask or an annotation."""
    erases = erases or press.alt
    if not context.on_mask:
        target = target_of(press, context, erases=erases)
        if erases and target is None:
            return Refusal("There is nothing to take away here; press in an unlocked annotation.")
        return GrowingAnnotation(press, context, target, name, erases=erases)
    grid = context.document.mask.grid or context.grid
    if grid is None:
        return Refusal("Set the pixel size under Measure before you paint a mask.")
    return GrowingMask(context, Stroke.on(context, grid, erases=erases), name)


def target_of(press: Pointer, context: Context, *, erases: bool) -> Annotation | None:
    """Return the unlocked area that a press goes on with, None where it begins a new one.

    That is the selected one where the press is in it, with Shift or to erase wherever the press is; else the
    smallest under the pointer, unless the new one is to stay clear of others.
    """
    chosen = [each for each in context.selection if _is_free_area(each)]
    if len(chosen) == 1:
        wherever = erases or (press.shift and not press.ctrl)
        if wherever or shapely.intersects_xy(chosen[0].geometry, *press.point):
            return chosen[0]
    if _stays_clear(press) and not erases:
        return None
    under = context.document.spatial.at(*press.point, 0.0)
    areas = (each for each in under if _is_free_area(each))
    return min(areas, key=lambda each: each.geometry.area, default=None)


class GrowingAnnotation:
    """An area annotation, new or not, and the stroke that is added to it or taken away."""

    def __init__(
        self,
        press: Pointer,
        context: Context,
        target: Annotation | None,
        name: str,
        *,
        erases: bool,
    ) -> None:
        self._context = context
        self._name = ERASE if erases else name
        self._target = target
        self._class = target.class_name if target else context.class_name
        self._old = area_of(target.geometry) if target else Polygon()
        self._shows_result = 0 < shapely.get_num_coordinates(self._old) <= LIGHT
        self._erases = erases
        self._stroke: Area = Polygon()
        self._fine = FINE * press.scale
        clear = _stays_clear(press) and not erases
        self._neighbours = Neighbours(press, context, target) if clear else None

    def add(self, shape: Area) -> Sketch:
        """Add a shape to the stroke; return how it looks then."""
        piece = clip(shape, self._context.width, self._context.height)
        if self._neighbours is not None:
            piece = self._neighbours.clear_of(piece)
        self._stroke = area_of(shapely.union(self._stroke, piece))
        if not self._shows_result:
            colour = None if self._erases else self._class
            return Sketch((self._stroke,), class_name=colour)
        ids = frozenset({self._target.id}) if self._target else frozenset()
        return Sketch((self._with(self._stroke),), ids, class_name=self._class)

    def finish(self) -> Edit | None:
        """Return the edit; None where nothing has changed. What is rubbed out wholly is deleted."""
        # Where neighbours are avoided, fewer vertices would reach into them.
        avoids = self._neighbours is not None
        stroke = self._stroke if avoids else area_of(self._stroke.simplify(self._fine))
        if stroke.is_empty:
            return None
        if self._target is None:
            return edits.add([Annotation(stroke, self._class)], name=self._name)
        old = self._old
        if old.disjoint(stroke) if self._erases else old.covers(stroke):
            return None
        whole = self._with(stroke)
        if whole.is_empty:
            return edits.delete([self._target], name=self._name)
        after = self._target.with_(geometry=whole, ellipse=False)
        return edits.replace([self._target], [after], name=self._name)

    def _with(self, stroke: Area) -> BaseGeometry:
        return (shapely.difference if self._erases else shapely.union)(self._old, stroke)


class Neighbours:
    """The annotations that a stroke stays clear of; where it begins in one, it stays within that."""

    def __init__(self, press: Pointer, context: Context, target: Annotation | None) -> None:
        self._spatial = context.document.spatial
        at = self._spatial.at(*press.point, 0.0)
        around = [each for each in at if _is_area(each) and each is not target]
        self._parent = min(around, key=lambda each: each.geometry.area, default=None)
        self._no_obstacles = {each.id for each in (*around, target) if each is not None}

    def clear_of(self, piece: BaseGeometry) -> BaseGeometry:
        """Return what of a piece is free."""
        if piece.is_empty:
            return piece
        left, top, right, bottom = piece.bounds
        around = left - 1, top - 1, right + 1, bottom + 1
        if self._parent is not None:
            piece = shapely.intersection(piece, _part(self._parent, around))
        near = [each for each in self._spatial.within(around) if _is_area(each)]
        taken = [_part(each, around) for each in near if each.id not in self._no_obstacles]
        return shapely.difference(piece, shapely.union_all(taken))


def _part(annotation: Annotation, bounds: tuple[float, float, float, float]) -> Area:
    """Return what of an annotation lies in a rectangle, so that a large one costs no more than a small one."""
    return area_of(shapely.clip_by_rect(annotation.geometry, *bounds))


class GrowingMask:
    """Mask pixels of a class, where shapes cover their centres."""

    def __init__(self, context: Context, stroke: Stroke, name: str) -> None:
        self._stroke = stroke
        self._name = ERASE if stroke.code == 0 else f"{name} {context.class_name.lower()}"

    def add(self, shape: Area) -> MaskPreview:
        return self._stroke.preview(self._stroke.fill(shape))

    def finish(self) -> Edit:
        return self._stroke.finish(self._name)


def _stays_clear(press: Pointer) -> bool:
    return press.ctrl and press.shift


def _is_area(annotation: Annotation) -> bool:
    return kind_of(annotation.geometry) == AREAS


def _is_free_area(annotation: Annotation) -> bool:
    return not annotation.locked and annotation.kind == "annotation" and _is_area(annotation)
