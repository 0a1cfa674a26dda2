from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from segcore.annotations import Annotation
from viewer.rendering.annotation_marks import (
    CASING,
    CASING_ALPHA,
    LINE,
    POINT,
    SMALLEST,
    dot_radii,
    rings_of,
)
from viewer.rendering.viewport import Viewport

SHADE = QColor(0, 0, 0, CASING_ALPHA)
MAY_HOLD_POINTS = (0, 4, 7)  # Point, MultiPoint, GeometryCollection
PATHS = 512  # kept; each has no more vertices than are drawn as vectors at all


class AnnotationVectors:
    """Paints a few annotations as vectors: outlines of even width, the smallest as dots."""

    def __init__(self) -> None:
        self._path = lru_cache(PATHS)(painter_path)

    def paint(
        self,
        painter: QPainter,
        view: Viewport,
        annotations: Sequence[Annotation],
        colour: Callable[[Annotation], QColor],
        *,
        line: float = LINE,
    ) -> None:
        """Paint annotations in an upright view; `line` is in logical pixels."""
        boxes = shapely.bounds(np.array([each.geometry for each in annotations], object))
        left, top, right, bottom = view.visible
        reach = CASING * view.scale
        seen = (boxes[:, 0] < right + reach) & (boxes[:, 2] > left - reach)
        seen &= (boxes[:, 1] < bottom + reach) & (boxes[:, 3] > top - reach)
        small = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) < SMALLEST * view.scale
        outlined = [annotations[k] for k in np.flatnonzero(seen & ~small).tolist()]
        dotted = [annotations[k] for k in np.flatnonzero(small).tolist()]
        centres = (boxes[small, :2] + boxes[small, 2:]) / 2
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = 1 / view.scale
        to_screen = QTransform(scale, 0, 0, scale, -left * scale, -top * scale)
        painter.setTransform(to_screen, combine=True)
        self._draw_outlines(painter, outlined, lambda _: SHADE, reach, view.scale)
        self._draw_outlines(painter, outlined, colour, line * view.scale, view.scale)
        _draw_dots(painter, dotted, colour, centres, view.scale)
        painter.restore()

    def forget(self) -> None:
        """Let go of what was painted."""
        self._path.cache_clear()

    def _draw_outlines(
        self,
        painter: QPainter,
        annotations: Sequence[Annotation],
        colour: Callable[[Annotation], QColor],
        width: float,
        scale: float,
    ) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for each in annotations:
            # Not a cosmetic pen: that would be as wide in device pixels, whatever their size.
            painter.setPen(QPen(colour(each), width))
            painter.drawPath(self._outline(each.geometry, scale))

    def _outline(self, geometry: shapely.Geometry, scale: float) -> QPainterPath:
        """Return an outline, kept from painting to painting unless it changes with the magnification."""
        if shapely.get_type_id(geometry) in MAY_HOLD_POINTS:
            return painter_path(geometry, POINT * scale)
        return self._path(geometry)


def painter_path(geometry: shapely.Geometry, point: float = 1.0) -> QPainterPath:
    """Return the outline of any geometry; of a point a ring of radius `point`, level-0 pixels."""
    path = QPainterPath()
    rings = rings_of(np.array([geometry], object), point)
    for ring in np.split(rings.points, rings.ends[:-1]):
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in ring.tolist()]))
    return path


def _draw_dots(
    painter: QPainter,
    annotations: Sequence[Annotation],
    colour: Callable[[Annotation], QColor],
    centres: npt.NDArray[np.float64],
    scale: float,
) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    radii = dot_radii(centres / scale) * scale
    for each, centre, radius in zip(annotations, centres.tolist(), radii.tolist(), strict=True):
        painter.setBrush(colour(each))
        painter.drawEllipse(QPointF(*centre), radius, radius)
