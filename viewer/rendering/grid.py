import math

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.rendering.viewport import Viewport

SPACING = 250.0  # µm (pixels where the pixel size is unknown)
NEAREST = 24.0  # screen pixels between lines


def spacing(scale: float, mpp: float | None) -> float:
    """Return level-0 pixels between grid lines: 250 µm, coarser by tens where that would be too fine."""
    pixels = SPACING / mpp if mpp else SPACING
    return pixels * 10.0 ** max(0, math.ceil(math.log10(NEAREST * scale / pixels)))


def paint_grid(painter: QPainter, view: Viewport, size: tuple[int, int], mpp: float | None) -> None:
    """Paint lines over a slide of `size` (width, height), from its corner on, thin and dark on light."""
    step = spacing(view.scale, mpp)
    corner = QPointF(*view.to_screen(0, 0))
    slide = QRectF(corner, QPointF(*view.to_screen(*size)))
    frame = slide.intersected(QRectF(0, 0, view.width, view.height))
    left, top = view.to_slide(frame.left(), frame.top())
    right, bottom = view.to_slide(frame.right(), frame.bottom())
    lines = []
    for i in range(math.ceil(left / step), math.floor(right / step) + 1):
        x, _ = view.to_screen(i * step, 0)
        lines.append(QLineF(x, frame.top(), x, frame.bottom()))
    for i in range(math.ceil(top / step), math.floor(bottom / step) + 1):
        _, y = view.to_screen(0, i * step)
        lines.append(QLineF(frame.left(), y, frame.right(), y))
    for colour, width in ((QColor(255, 255, 255, 110), 2.6), (QColor(30, 40, 60, 170), 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawLines(lines)
