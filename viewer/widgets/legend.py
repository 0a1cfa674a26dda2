from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter

from viewer.rendering import heat_colours
from viewer.rendering.heatmap_layer import Heatmap, ends
from viewer.session import Session
from viewer.widgets.slide_view import SlideView

ROW, PAD, SWATCH = 22, 12, 24
NOT_DIAGNOSIS = "Attention, not diagnosis"


@dataclass(frozen=True, slots=True)
class Legend:
    """What the layers of a view mean: classes by their colours, and what a heatmap is of."""

    classes: dict[str, QColor]
    heatmap: Heatmap | None = None


def legend_of(session: Session, view: SlideView) -> Legend:
    """Return the legend of the mask, the annotations and the heatmap, as far as they are shown."""
    workspace = session.workspace
    if workspace is None:
        return Legend({})
    document, names = workspace.document, set()
    if session.show_mask:
        codes = {int(code) for tile in document.mask.tiles.values() for code in np.unique(tile)}
        seen = codes - session.hidden_classes
        names |= {each.name for each in session.taxonomy.classes if each.code in seen}
    if session.show_annotations:
        names |= {each.class_name for each in document.annotations.values() if each.class_name}
    known = [each.name for each in session.taxonomy.classes]
    ordered = [name for name in known if name in names] + sorted(names.difference(known))
    return Legend({name: view.class_colour(name) for name in ordered}, workspace.heatmap)


def paint_legend(painter: QPainter, frame: QRectF, legend: Legend) -> None:
    """Paint a legend at the lower right; nothing where there is nothing to explain."""
    heatmap = legend.heatmap
    about = (heatmap.heat.title, NOT_DIAGNOSIS, "    ".join(ends(heatmap.heat))) if heatmap else ()
    if not legend.classes and not about:
        return
    font = QFont(painter.font())
    font.setPixelSize(12)
    painter.setFont(font)
    wide = painter.fontMetrics().horizontalAdvance
    widest = max([SWATCH + wide(name) for name in legend.classes] + [wide(text) for text in about])
    rows = len(legend.classes) + 4 * bool(about)
    width, height = widest + 2 * PAD, rows * ROW + PAD
    narrow = frame.width() < 2 * width + 220  # then it stands above the scale bar
    foot = frame.bottom() - (74 if narrow else 16)
    card = QRectF(frame.right() - 16 - width, foot - height, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 200))
    painter.drawRoundedRect(card, 7, 7)
    row = QRectF(card.left() + PAD, card.top() + PAD / 2, widest + 4, ROW)
    for name, colour in legend.classes.items():
        _paint_class(painter, row, name, colour)
        row.translate(0, ROW)
    if heatmap is not None:
        _paint_heatmap(painter, row, heatmap)


def _paint_class(painter: QPainter, row: QRectF, name: str, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(row.left(), row.top() + 4, 14, 14), 3, 3)
    painter.setPen(QColor("white"))
    painter.drawText(row.adjusted(SWATCH, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, name)


def _paint_heatmap(painter: QPainter, row: QRectF, heatmap: Heatmap) -> None:
    painter.setPen(QColor("white"))
    for text in (heatmap.heat.title, NOT_DIAGNOSIS):
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, text)
        row = row.translated(0, ROW)
    bar = QRectF(row.left(), row.top() + 7, row.width() - 4, 8)
    colours = QLinearGradient(bar.topLeft(), bar.topRight())
    shown = heat_colours(signed=heatmap.heat.signed)
    for step in range(0, 256, 15):
        colours.setColorAt(step / 255, QColor(*map(int, shown[step])))
    painter.fillRect(bar, colours)
    row = row.translated(0, ROW).adjusted(0, 0, -4, 0)
    sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight)
    for text, side in zip(ends(heatmap.heat), sides, strict=True):
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | side, text)
