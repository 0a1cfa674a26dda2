"""Paints class masks: coloured areas with a stronger contour, from a pyramid of label tiles."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from segcore.annotations import Class
from segcore.annotations.labelmap import Labels
from viewer.document import MASK_TILE, MaskGrid
from viewer.rendering.viewport import Viewport

Key = tuple[int, int]
FINEST = -2  # magnified views draw each mask pixel as 4 x 4, so that contours stay thin
CONTOUR_BOOST = 0.45
HATCH_BOOST = 0.3
PERIOD = 12  # pixels of a drawn tile after which a hatch repeats
IMAGE_LIMIT = 600  # images kept: 256 kB each, 4 MB for the few magnified ones


class MaskPainter:
    """Images of label tiles at every zoom, made when first seen and dropped when their tiles change."""

    def __init__(self, classes: Iterable[Class]) -> None:
        self.hidden: frozenset[int] = frozenset()
        self._classes = tuple(classes)
        self._opacity = 0.45
        self._contours_only = False
        self._hatched = False
        self._hatches = hatches(self._classes)
        self._grid: MaskGrid | None = None
        self._read: Callable[[Key], Labels | None] = lambda _: None
        self._keys: frozenset[Key] = frozenset()
        self._present: dict[int, frozenset[Key]] = {}
        self._labels: dict[tuple[int, Key], Labels | None] = {}
        self._images: dict[tuple[int, Key], QImage] = {}
        self._palette = self._make_palette()

    def set_classes(self, classes: Iterable[Class]) -> None:
        """Draw by these classes from now on."""
        self._classes = tuple(classes)
        self._hatches = hatches(self._classes)
        self._palette = self._make_palette()
        self._images.clear()

    @property
    def grid(self) -> MaskGrid | None:
        return self._grid

    def show(
        self,
        grid: MaskGrid | None,
        keys: Iterable[Key],
        read: Callable[[Key], Labels | None],
    ) -> None:
        """Show the tiles `keys` of `grid`; `read(key)` returns (256, 256) labels or None."""
        self._grid, self._read = grid, read
        self._labels.clear()
        self._images.clear()
        self._set_keys(frozenset(keys))

    def update(self, keys: Iterable[Key], dirty: Iterable[Key]) -> None:
        """Redraw the tiles `dirty`; `keys` is what is there now."""
        self._set_keys(frozenset(keys))
        for key in dirty:
            for zoom in range(FINEST, 24):
                at = (zoom, key if zoom <= 0 else (key[0] >> zoom, key[1] >> zoom))
                self._images.pop(at, None)
                self._labels.pop(at, None)

    def style(
        self,
        opacity: float,
        hidden: frozenset[int],
        *,
        contours_only: bool = False,
        hatched: bool = False,
    ) -> None:
        """Set how strongly areas are drawn, which classes are not, whether only contours are, and hatches."""
        before = self._opacity, self.hidden, self._contours_only, self._hatched
        if (opacity, hidden, contours_only, hatched) != before:
            self._opacity, self.hidden = opacity, hidden
            self._contours_only, self._hatched = contours_only, hatched
            self._palette = self._make_palette()
            self._images.clear()

    def paint(self, painter: QPainter, view: Viewport) -> None:
        if self._grid is None or not self._keys or self._opacity <= 0:
            return
        zoom = max(FINEST, math.floor(math.log2(view.scale / self._grid.scale) + 0.3))
        extent = MASK_TILE * self._grid.scale * 2.0 ** max(zoom, 0)
        left, top, right, bottom = view.visible
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom > FINEST)
        for column, row in self._at(max(zoom, 0)):
            x, y = column * extent, row * extent
            if x < right and y < bottom and x + extent > left and y + extent > top:
                image = self._image(zoom, (column, row))
                x0, y0 = view.to_screen(x, y)
                x1, y1 = view.to_screen(x + extent, y + extent)
                painter.drawImage(QRectF(x0, y0, x1 - x0, y1 - y0), image)

    def rectangle(self, keys: Iterable[Key], view: Viewport) -> QRectF:
        """Return the screen rectangle around mask tiles `keys`."""
        whole = QRectF()
        if self._grid is not None:
            extent = MASK_TILE * self._grid.scale
            for column, row in keys:
                x0, y0 = view.to_screen(column * extent, row * extent)
                side = extent / view.scale
                whole = whole.united(QRectF(x0, y0, side, side))
        return whole.adjusted(-2, -2, 2, 2)

    def _set_keys(self, keys: frozenset[Key]) -> None:
        if keys != self._keys:
            self._keys = keys
            self._present.clear()

    def _at(self, zoom: int) -> frozenset[Key]:
        if zoom not in self._present:
            self._present[zoom] = frozenset((c >> zoom, r >> zoom) for c, r in self._keys)
        return self._present[zoom]

    def _image(self, zoom: int, key: Key) -> QImage:
        if (zoom, key) not in self._images:
            if len(self._images) >= IMAGE_LIMIT:
                self._images.clear()
            self._images[zoom, key] = self._draw(zoom, key)
        return self._images[zoom, key]

    def _draw(self, zoom: int, key: Key) -> QImage:
        labels = self._at_zoom(max(zoom, 0), key)
        if labels is None:
            labels = np.zeros((MASK_TILE, MASK_TILE), np.uint8)
        if zoom < 0:
            labels = labels.repeat(2**-zoom, 0).repeat(2**-zoom, 1)
        height, width = labels.shape
        row = contours(labels).view(np.uint8)
        if self._hatched and not self._contours_only:
            y, x = np.ogrid[:height, :width]
            row = np.where(row, row, 2 * self._hatches[labels, y % PERIOD, x % PERIOD])
        pixels = self._palette[row, labels]
        image = QImage(
            pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
        )
        return image.copy()

    def _at_zoom(self, zoom: int, key: Key) -> Labels | None:
        """Return the labels of a pyramid tile; every second pixel of the finer level, so no class is invented."""
        if zoom == 0:
            return self._read(key)
        if (zoom, key) not in self._labels:
            self._labels[zoom, key] = self._join(zoom, key)
        return self._labels[zoom, key]

    def _join(self, zoom: int, key: Key) -> Labels | None:
        half = MASK_TILE // 2
        joined = None
        finer = self._at(zoom - 1)
        for down in (0, 1):
            for across in (0, 1):
                child = (2 * key[0] + across, 2 * key[1] + down)
                part = self._at_zoom(zoom - 1, child) if child in finer else None
                if part is not None:
                    joined = (
                        np.zeros((MASK_TILE, MASK_TILE), np.uint8) if joined is None else joined
                    )
                    y, x = down * half, across * half
                    joined[y : y + half, x : x + half] = part[::2, ::2]
        return joined

    def _make_palette(self) -> npt.NDArray[np.uint32]:
        """Return (3, 256) premultiplied ARGB: row 0 areas, row 1 contours, row 2 the lines of hatches."""
        palette = np.zeros((3, 256), np.uint32)
        for each in self._classes:
            if each.code in self.hidden:
                continue
            fill = self._opacity * each.emphasis
            area = 0.0 if self._contours_only else fill
            strengths = (area, min(1.0, fill + CONTOUR_BOOST), min(1.0, fill + HATCH_BOOST))
            for row, alpha in enumerate(strengths):
                r, g, b, a = (round(v * alpha) for v in (*each.colour, 255))
                palette[row, each.code] = a << 24 | r << 16 | g << 8 | b
        return palette


def hatches(classes: Iterable[Class]) -> npt.NDArray[np.uint8]:
    """Return (256, PERIOD, PERIOD): 1 where the hatch of a code has a line."""
    y, x = np.mgrid[:PERIOD, :PERIOD]
    kinds = {
        "diagonal": (x + y) % PERIOD < 2,
        "horizontal": y < 2,
        "dots": (x % 6 < 2) & (y % 6 < 2),
    }
    found = np.zeros((256, PERIOD, PERIOD), np.uint8)
    for each in classes:
        if each.hatch in kinds:
            found[each.code] = kinds[each.hatch]
    return found


def contours(labels: Labels) -> npt.NDArray[np.bool_]:
    """Return where a labelled pixel has a neighbour (4) of another class within the tile."""
    edge = np.zeros(labels.shape, bool)
    across = labels[:, 1:] != labels[:, :-1]
    down = labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge & (labels > 0)
