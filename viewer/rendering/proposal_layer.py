"""Paints what is proposed for the mask as a difference: where it would change, and the scribbles behind it."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from segcore.annotations.labelmap import values_at
from viewer.document import Proposal
from viewer.rendering.viewport import Viewport
from viewer.tools import Scribble

PERIOD, LINE = 9, 2  # screen pixels: how far apart hatch lines are, and how wide
RIM = 2  # screen pixels
HATCH, BRIGHT, DARK = 0x59595959, 0xFFFFFFFF, 0xB0000000  # premultiplied ARGB
DASHES = [1.0, 2.0]  # of the width of the line

Bools = npt.NDArray[np.bool_]


class ProposalLayer:
    """Hatches changed pixels and outlines their regions, as fine as the screen at any zoom.

    The mask layer below shows the classes themselves, as they would be.
    """

    def __init__(self) -> None:
        self._drawn: tuple[object, ...] = ()
        self._image = QImage()
        self._at = QPointF()

    def paint(
        self, painter: QPainter, view: Viewport, proposal: Proposal, *, outline_only: bool
    ) -> None:
        """Paint the difference; only its outline where the mask is shown as it is."""
        wanted = proposal, view, outline_only
        if wanted != self._drawn:
            self._draw(proposal, view, outline_only=outline_only)
            self._drawn = wanted
        if not self._image.isNull():
            painter.drawImage(self._at, self._image)

    def _draw(self, proposal: Proposal, view: Viewport, *, outline_only: bool) -> None:
        self._image = QImage()
        scale = proposal.grid.scale
        left, top = view.to_screen(proposal.column * scale, proposal.row * scale)
        height, width = (round(n * scale / view.scale) for n in proposal.before.shape)
        x0, y0 = max(0, round(left) - RIM), max(0, round(top) - RIM)
        x1 = min(round(view.width), round(left) + width + RIM)
        y1 = min(round(view.height), round(top) + height + RIM)
        if x0 >= x1 or y0 >= y1:
            return
        # Which pixel of the proposal lies under each of the screen.
        across, down = np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5
        columns = np.floor((across - left) * view.scale / scale).astype(np.intp)
        rows = np.floor((down - top) * view.scale / scale).astype(np.intp)
        after = values_at(proposal.after, rows, columns)
        changed = values_at(proposal.changed, rows, columns)
        pixels = difference(after, changed, outline_only=outline_only, x=x0, y=y0)
        self._image = QImage(
            pixels.data, x1 - x0, y1 - y0, 4 * (x1 - x0), QImage.Format.Format_ARGB32_Premultiplied
        ).copy()
        self._at = QPointF(x0, y0)


def difference(
    after: npt.NDArray[np.uint8], changed: Bools, *, outline_only: bool, x: int, y: int
) -> npt.NDArray[np.uint32]:
    """Return premultiplied ARGB of screen pixels: a hatch where they change, a rim around each class of them.

    (x, y) is the upper left pixel on the screen, so that the hatch of neighbours fits.
    """
    height, width = changed.shape
    down, across = np.ogrid[y : y + height, x : x + width]
    pixels = np.zeros(changed.shape, np.uint32)
    if not outline_only:
        pixels[changed & ((across + down) % PERIOD < LINE)] = HATCH
    regions = np.where(changed, after.astype(np.int16), -1)
    rim = _borders(regions)
    pixels[_grown(rim, 1) & ~changed] = DARK
    pixels[_grown(rim, RIM - 1) & changed] = BRIGHT
    return pixels


def paint_scribbles(
    painter: QPainter,
    view: Viewport,
    scribbles: Iterable[Scribble],
    colour: Callable[[int], QColor],
) -> None:
    """Paint lines in the colour of their classes, with a dark edge; white and dotted where of none."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for each in scribbles:
        points = [QPointF(*view.to_screen(x, y)) for x, y in each.points]
        width = max(2 * each.radius / view.scale, 3.0)
        for tone, wide in ((QColor(0, 0, 0, 190), width + 3), (colour(each.code), width)):
            pen = QPen(tone, wide)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            if each.code == 0 and wide == width:
                pen.setDashPattern(DASHES)
            painter.setPen(pen)
            painter.drawPoint(points[0])  # a click is a dot, of which no line is drawn
            painter.drawPolyline(QPolygonF(points))
    painter.restore()


def _borders(regions: npt.NDArray[np.int16]) -> Bools:
    """Return where a pixel has a neighbour (4) of another region."""
    edge = np.zeros(regions.shape, bool)
    across, down = regions[:, 1:] != regions[:, :-1], regions[1:] != regions[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge


def _grown(where: Bools, by: int) -> Bools:
    """Return pixels within `by` steps (4) of those in `where`."""
    for _ in range(by):
        wider = where.copy()
        wider[1:] |= where[:-1]
        wider[:-1] |= where[1:]
        wider[:, 1:] |= where[:, :-1]
        wider[:, :-1] |= where[:, 1:]
        where = wider
    return where
