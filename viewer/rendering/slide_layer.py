import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from viewer.rendering.adjustment import Adjustment
from viewer.rendering.tiles import TILE, TileCache, TileGrid, TileKey
from viewer.rendering.viewport import Viewport


class SlideLayer:
    """Paints the slide from cached tiles: the right level where it is there, a coarser one meanwhile."""

    def __init__(self, grid: TileGrid, cache_bytes: int) -> None:
        self.grid = grid
        self._cache: TileCache[QImage] = TileCache(cache_bytes, QImage.sizeInBytes)
        self._whole: QImage | None = None
        self._adjustment = Adjustment()
        self._adjusted: TileCache[QImage] = TileCache(cache_bytes // 4, QImage.sizeInBytes)

    def adjust(self, adjustment: Adjustment) -> None:
        """Show the tissue so; what is cached stays as it was read."""
        if adjustment != self._adjustment:
            self._adjustment = adjustment
            self._adjusted.clear()

    def forget(self) -> None:
        """Drop every tile, to be read anew."""
        self._cache.clear()
        self._adjusted.clear()
        self._whole = None

    def _shown(self, key: TileKey, image: QImage) -> QImage:
        if self._adjustment.changes_nothing:
            return image
        held = self._adjusted.get(key)
        if held is None:
            held = _adjusted(image, self._adjustment)
            self._adjusted.put(key, held)
        return held

    def add(self, key: TileKey, image: QImage) -> None:
        if key == self.grid.everything():
            self._whole = image  # always resident: there is never a hole
        self._cache.put(key, image)

    def needed(self, view: Viewport, device_ratio: float = 1.0) -> list[TileKey]:
        """Return the tiles to read for this view, most urgent first."""
        zoom = self.grid.zoom_for(view.scale / device_ratio)
        coarse = [] if self._whole is not None else [self.grid.everything()]
        fine = self.grid.covering(view, zoom)
        # One step coarser is quickly there and covers four: it is what the eye sees first.
        between = self.grid.covering(view, zoom + 2) if zoom + 2 < self.grid.coarsest else []
        return [key for key in (*coarse, *between, *fine) if key not in self._cache]

    def paint(self, painter: QPainter, view: Viewport, device_ratio: float = 1.0) -> bool:
        """Paint; return whether every tile was there at its own level."""
        zoom = self.grid.zoom_for(view.scale / device_ratio)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.scale > 0.2)
        complete = True
        for key in self.grid.covering(view, zoom):
            image = self._cache.get(key)
            if image is not None:
                target = self._target(view, key, key.extent, device_ratio, image)
                painter.drawImage(target, self._shown(key, image))
            else:
                complete = False
                self._paint_coarser(painter, view, key, device_ratio)
        return complete

    def _paint_coarser(
        self, painter: QPainter, view: Viewport, key: TileKey, device_ratio: float
    ) -> None:
        ancestor = key
        while ancestor.zoom < self.grid.coarsest:
            ancestor = ancestor.parent
            image = self._cache.get(ancestor) or (
                self._whole if ancestor == self.grid.everything() else None
            )
            if image is None:
                continue
            ratio = 2 ** (ancestor.zoom - key.zoom)
            side = TILE / ratio
            x, y = (key.column % ratio) * side, (key.row % ratio) * side
            source = QRectF(x, y, min(side, image.width() - x), min(side, image.height() - y))
            if source.width() > 0 and source.height() > 0:
                extent = 2**ancestor.zoom
                target = self._rect(
                    view, key, source.width() * extent, source.height() * extent, device_ratio
                )
                painter.drawImage(QRectF(target), self._shown(ancestor, image), source)
            return

    def _target(
        self, view: Viewport, key: TileKey, extent: float, device_ratio: float, image: QImage
    ) -> QRectF:
        pixel = extent / TILE
        return self._rect(view, key, image.width() * pixel, image.height() * pixel, device_ratio)

    @staticmethod
    def _rect(
        view: Viewport, key: TileKey, width: float, height: float, device_ratio: float
    ) -> QRectF:
        # Edges are rounded to device pixels, so neighbours meet without a seam or a double line.
        left, top = key.column * key.extent, key.row * key.extent
        x0, y0 = view.to_screen(left, top)
        x1, y1 = view.to_screen(left + width, top + height)
        edges = [round(edge * device_ratio) for edge in (x0, y0, x1, y1)]
        rect = QRect(edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1])
        return QRectF(
            rect.x() / device_ratio,
            rect.y() / device_ratio,
            rect.width() / device_ratio,
            rect.height() / device_ratio,
        )


def _adjusted(image: QImage, adjustment: Adjustment) -> QImage:
    height, width = image.height(), image.width()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    shown = adjustment.applied(pixels[:, : 4 * width].reshape(height, width, 4))
    made = np.ascontiguousarray(shown)
    return QImage(made.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
