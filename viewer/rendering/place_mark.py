"""A soft ring around a place that is worth a look, with a line about it."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.rendering.viewport import Viewport

GLOW = ((13.0, 28), (8.0, 50), (4.0, 110))
"""Width in screen pixels and opacity of the shades under the ring, from outside."""
RING = QColor(255, 255, 255, 235)
GROUND = QColor(20, 22, 26, 215)


def paint_place(
    painter: QPainter, view: Viewport, at: tuple[float, float], size: float, text: str
) -> None:
    """Ring a place of `size` level-0 pixels around level-0 point `at`; `text` stands above it."""
    middle, radius = QPointF(*view.to_screen(*at)), size / 2 / view.scale
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, alpha in GLOW:
        painter.setPen(QPen(QColor(0, 0, 0, alpha), width))
        painter.drawEllipse(middle, radius, radius)
    painter.setPen(QPen(RING, 2))
    painter.drawEllipse(middle, radius, radius)
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text) + 20, metrics.height() + 8
    pill = QRectF(middle.x() - width / 2, middle.y() - radius - height - 12, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(GROUND)
    painter.drawRoundedRect(pill, height / 2, height / 2)
    painter.setPen(QColor("white"))
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
