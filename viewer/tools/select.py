"""What lies under the pointer, and gestures that select: by a rubber band, by a lasso."""

import math

import shapely
from shapely.geometry import Polygon

from segcore.annotations import Annotation
from viewer.document import Document
from viewer.tools.base import Choice, Context, Gesture, Outline, Point, Pointer
from viewer.tools.handles import is_on_edge


def pick(document: Document, x: float, y: float, reach: float) -> Annotation | None:
    """Return the annotation at level-0 (x, y): one whose edge is within `reach`, else the smallest around it."""
    return next(iter(_under(document, x, y, reach)), None)


def pick_below(
    document: Document, x: float, y: float, reach: float, selected: frozenset[str]
) -> Annotation | None:
    """Return the next larger annotation under the selected one at (x, y), after the last the first again."""
    under = _under(document, x, y, reach)
    places = [k for k, each in enumerate(under) if each.id in selected]
    return under[(places[-1] + 1) % len(under)] if places else next(iter(under), None)


def _under(document: Document, x: float, y: float, reach: float) -> list[Annotation]:
    near = document.spatial.at(x, y, reach)
    areas = sorted(near, key=lambda each: each.geometry.area)
    return sorted(areas, key=lambda each: not is_on_edge(each.geometry, (x, y), reach))


def choose_by_box(press: Pointer, context: Context) -> Gesture:
    """Drag a rubber band: what has its middle in it is selected; Ctrl adds, Alt takes away."""
    event = yield None
    band: tuple[Point, ...] = ()
    while event.kind != "release":
        (x0, y0), (x1, y1) = press.point, event.point
        band = (x0, y0), (x1, y0), (x1, y1), (x0, y1)
        event = yield Outline(band)
    return _chosen(band, context, event)


def choose_by_lasso(press: Pointer, context: Context) -> Gesture:
    """Drag a loop: what has its middle in it is selected; Ctrl adds, Alt takes away."""
    event = yield None
    loop = [press.point]
    while event.kind != "release":
        if math.dist(event.point, loop[-1]) > 1.5 * event.scale:
            loop.append(event.point)
        event = yield Outline(tuple(loop))
    return _chosen(tuple(loop), context, event)


def _chosen(loop: tuple[Point, ...], context: Context, end: Pointer) -> Choice | None:
    if len(loop) < 3:
        return None
    area = shapely.make_valid(Polygon(loop), method="structure", keep_collapsed=False)
    rows = context.document.spatial.rows(area.bounds) if not area.is_empty else None
    ids: frozenset[str] = frozenset()
    if rows is not None and len(rows):
        middles = (rows.bounds[:, :2] + rows.bounds[:, 2:]) / 2
        inside = shapely.contains_xy(area, middles)
        ids = frozenset(each.id for each in rows.items[inside])
    return Choice(ids, "add" if end.ctrl else "remove" if end.alt else "replace")
