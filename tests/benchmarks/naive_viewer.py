"""The viewer that anybody would write first: one item per tile, read when it comes into view."""

import math

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QGraphicsPixmapItem, QGraphicsScene, QGraphicsView

from viewer.rendering.tile_loader import as_image

TILE = 512


class NaiveViewer(QGraphicsView):
    """Reads the tiles of the level in use on the main thread and keeps them all."""

    def __init__(self, slide):
        self.items_made = {}
        self.slide = slide
        super().__init__()
        self.setScene(QGraphicsScene(self))
        self.setSceneRect(QRectF(0, 0, *slide.dimensions))

    def look(self, view):
        level = self.slide.level_for(view.scale)
        extent = TILE * self.slide.levels[level].downsample
        left, top, right, bottom = view.visible
        width, height = self.slide.dimensions
        for row in range(max(0, int(top // extent)), math.ceil(min(bottom, height) / extent)):
            for column in range(max(0, int(left // extent)), math.ceil(min(right, width) / extent)):
                self._tile(level, column, row, extent)
        self.resetTransform()
        self.scale(1 / view.scale, 1 / view.scale)
        self.centerOn(view.x, view.y)

    def _tile(self, level, column, row, extent):
        if (level, column, row) in self.items_made:
            return
        x, y = round(column * extent), round(row * extent)
        picture = QPixmap.fromImage(as_image(self.slide.read(x, y, level, TILE, TILE)))
        item = QGraphicsPixmapItem(picture)
        item.setScale(extent / TILE)
        item.setPos(x, y)
        item.setZValue(-level)
        self.scene().addItem(item)
        self.items_made[level, column, row] = item
