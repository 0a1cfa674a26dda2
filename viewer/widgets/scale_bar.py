import math

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

LONGEST = 180.0  # screen pixels
MARGIN = 16


def round_length(limit: float) -> float:
    """Return the largest of 1, 2, 5 x 10^n that is not above `limit`."""
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1, 2, 5) if step * power <= limit * (1 + 1e-9))


def bar_text(length: float, *, known: bool) -> str:
    """Return a length in µm (mm from 1000) or, where the pixel size is unknown, in pixels."""
    if not known:
        return f"{length:,.0f} px"
    return f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"


def paint_scale_bar(painter: QPainter, frame: QRect, scale: float, mpp: float | None) -> None:
    """Paint a bar of round length at the lower left; `scale` is level-0 pixels per screen pixel."""
    unit = scale * (mpp or 1.0)  # µm (or slide pixels) per screen pixel
    length = round_length(LONGEST * unit)
    width = length / unit
    card = QRectF(MARGIN, frame.height() - MARGIN - 42, width + 26, 42)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 200))
    painter.drawRoundedRect(card, 7, 7)
    left, y = card.left() + 13, card.top() + 13
    painter.setBrush(QColor("white"))
    painter.drawRect(QRectF(left, y, width, 2.5))
    for end in (left, left + width - 1.5):
        painter.drawRect(QRectF(end, y - 4, 1.5, 10))
    font = QFont(painter.font())
    font.setPixelSize(12)
    painter.setFont(font)
    painter.setPen(QColor("white"))
    place = QRectF(left, y + 5, width, 20)
    text = bar_text(length, known=mpp is not None)
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
