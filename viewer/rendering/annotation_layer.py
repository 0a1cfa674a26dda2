from collections.abc import Collection, Iterable, Mapping

import shapely
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform
from shapely.geometry import LineString, Point, Polygon

from segcore.annotations import Annotation
from viewer.rendering.viewport import Viewport

UNCLASSIFIED = QColor(255, 214, 10)
SELECTED = QColor(255, 255, 0)
SMALLEST = 3.0  # screen pixels: a smaller annotation is drawn as a dot, never lost


class AnnotationLayer:
    """Paints annotations as outlines of even width; paths are built once, what is off screen is skipped."""

    def __init__(self, colours: Mapping[str, tuple[int, int, int]]) -> None:
        self._colours = {name: QColor(*rgb) for name, rgb in colours.items()}
        self._paths: dict[Annotation, tuple[Annotation, QPainterPath]] = {}

    def paint(
        self,
        painter: QPainter,
        view: Viewport,
        annotations: Iterable[Annotation],
        selected: Collection[str],
    ) -> None:
        left, top, right, bottom = view.visible
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = 1 / view.scale
        painter.setTransform(
            QTransform(scale, 0, 0, scale, -left * scale, -top * scale), combine=True
        )
        for each in annotations:
            x0, y0, x1, y1 = each.geometry.bounds
            if x1 < left or x0 > right or y1 < top or y0 > bottom:
                continue
            self._paint_one(painter, each, view.scale, chosen=each.id in selected)
        painter.restore()

    def _paint_one(
        self, painter: QPainter, annotation: Annotation, scale: float, *, chosen: bool
    ) -> None:
        colour = SELECTED if chosen else self.colour(annotation)
        x0, y0, x1, y1 = annotation.geometry.bounds
        if max(x1 - x0, y1 - y0) < SMALLEST * scale:
            radius = SMALLEST * scale
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF((x0 + x1) / 2, (y0 + y1) / 2), radius, radius)
            return
        path = self._path(annotation)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for tone, width in ((QColor(0, 0, 0, 110), 4.5), (colour, 3.0 if chosen else 2.0)):
            pen = QPen(tone, width)
            pen.setCosmetic(True)  # the same width at every zoom
            painter.setPen(pen)
            painter.drawPath(path)

    def colour(self, annotation: Annotation) -> QColor:
        """Return the annotation's own colour, its class's, or that of the unclassified."""
        if annotation.colour is not None:
            return QColor(*annotation.colour)
        return self._colours.get(annotation.class_name or "", UNCLASSIFIED)

    def _path(self, annotation: Annotation) -> QPainterPath:
        held = self._paths.get(annotation)
        if held is None or held[0].geometry is not annotation.geometry:
            if len(self._paths) > 20_000:
                self._paths.clear()
            held = (annotation, painter_path(annotation.geometry))
            self._paths[annotation] = held
        return held[1]


def painter_path(geometry: shapely.Geometry) -> QPainterPath:
    """Return the outline of any geometry; holes stay holes."""
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    for part in shapely.get_parts(geometry, return_index=False):
        if isinstance(part, Polygon):
            for ring in (part.exterior, *part.interiors):
                path.addPolygon(_points(ring.coords))
        elif isinstance(part, LineString):
            path.addPolygon(_points(part.coords))
        elif isinstance(part, Point):
            path.addEllipse(QPointF(part.x, part.y), 1.0, 1.0)
    return path


def _points(coordinates: Iterable[tuple[float, ...]]) -> QPolygonF:
    return QPolygonF([QPointF(point[0], point[1]) for point in coordinates])
