"""Paints what a gesture shows before it is finished, and the handles of the selected shape."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform
from shapely.geometry.base import BaseGeometry

from viewer.rendering.annotation_layer import SELECTED, SELECTED_LINE
from viewer.rendering.annotation_marks import POINT
from viewer.rendering.annotation_vectors import MAY_HOLD_POINTS, painter_path
from viewer.rendering.viewport import Viewport
from viewer.tools import Outline, Sketch

MANY = 600
"""Handles in view: more would hide the tissue, so none are drawn until one looks closer."""
HANDLE = 7.0  # screen pixels
SHADE = QColor(0, 0, 0, 150)

HEAVY = 2000
"""Vertices from which a shape is painted without those that the screen cannot show."""
UNSEEN = 0.5  # screen pixels by which its outline may then be off


def paint_outline(painter: QPainter, view: Viewport, outline: Outline) -> None:
    points = [QPointF(*view.to_screen(x, y)) for x, y in outline.points]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(SELECTED, 2))
    if outline.closed:
        painter.setBrush(QColor(255, 255, 0, 28))
        painter.drawPolygon(QPolygonF(points))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
    paint_handles(painter, view, np.array(outline.vertices, float).reshape(-1, 2))
    if outline.text and points:
        paint_text(painter, points[-1], outline.text)


def paint_sketch(painter: QPainter, view: Viewport, sketch: Sketch, colour: QColor) -> None:
    """Paint shapes in the colour of their class, lightly filled."""
    (x0, y0), (x1, y1), (x2, y2) = (view.to_screen(*p) for p in ((0, 0), (1, 0), (0, 1)))
    to_screen = QTransform(x1 - x0, y1 - y0, x2 - x0, y2 - y0, x0, y0)
    to_screen.translate(*sketch.offset)
    fill = QColor(colour)
    fill.setAlpha(50)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setTransform(to_screen, combine=True)
    for shape in _few(sketch.shapes):
        path = _path(shape, view.scale)
        painter.setPen(QPen(SHADE, (SELECTED_LINE + 2) * view.scale))
        painter.setBrush(fill)
        painter.drawPath(path)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(SELECTED, SELECTED_LINE * view.scale))
        painter.drawPath(path)
    painter.restore()


def _few(shapes: tuple[BaseGeometry, ...]) -> tuple[BaseGeometry, ...]:
    """Return shapes as they are painted while they are dragged: very many as the box around them all."""
    if len(shapes) <= MANY:
        return shapes
    return (shapely.box(*shapely.total_bounds(np.array(shapes, object))),)


@lru_cache(16)  # a shape that is dragged is the same all the way
def _path(shape: BaseGeometry, scale: float) -> QPainterPath:
    if shapely.get_type_id(shape) in MAY_HOLD_POINTS:
        return painter_path(shape, POINT * scale)
    if shapely.get_num_coordinates(shape) > HEAVY:
        shape = shapely.simplify(shape, UNSEEN * scale, preserve_topology=False)
    return painter_path(shape)


def paint_handles(painter: QPainter, view: Viewport, places: npt.NDArray[np.float64]) -> None:
    """Paint squares at (n, 2) level-0 `places`, unless there are too many in view to be told apart."""
    seen = [(x, y) for x, y in _on_screen(view, places) if _is_in(view, x, y)]
    if not seen or len(seen) > MANY:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(SHADE, 1.5))
    painter.setBrush(SELECTED)
    half = HANDLE / 2
    painter.drawRects([QRectF(x - half, y - half, HANDLE, HANDLE) for x, y in seen])


def paint_text(painter: QPainter, at: QPointF, text: str) -> None:
    """Write beside a point, on a dark ground."""
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text) + 14, metrics.height() + 6
    place = QRectF(at.x() + 14, at.y() - height - 6, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 215))
    painter.drawRoundedRect(place, 5, 5)
    painter.setPen(QColor("white"))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def _on_screen(view: Viewport, places: npt.NDArray[np.float64]) -> Sequence[tuple[float, float]]:
    left, top, right, bottom = view.visible
    near = (places[:, 0] >= left) & (places[:, 0] <= right)
    near &= (places[:, 1] >= top) & (places[:, 1] <= bottom)
    if np.count_nonzero(near) > MANY:
        return []
    return [view.to_screen(x, y) for x, y in places[near].tolist()]


def _is_in(view: Viewport, x: float, y: float) -> bool:
    return -HANDLE <= x <= view.width + HANDLE and -HANDLE <= y <= view.height + HANDLE
