import heapq
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from viewer.document.spatial import Bounds
from viewer.rendering.annotation_marks import TILE_SIDE, surroundings
from viewer.rendering.viewport import Viewport

DIGITS = 9  # of a scale that are told apart: zooming in and out again must find the same tiles
STAND_IN = 8.0  # times finer or coarser than wanted; what is further off would only be a blur
SCALES_TRIED = 6  # for tiles to stand in, the nearest first
MOST_STAND_INS = 64  # tiles that may stand in for one


class Key(NamedTuple):
    """Tile (column, row) of those whose pixels are `scale` level-0 pixels wide."""

    scale: float
    column: int
    row: int

    @property
    def bounds(self) -> Bounds:
        side = TILE_SIDE * self.scale
        x, y = self.column * side, self.row * side
        return x, y, x + side, y + side


Draw = Callable[[Key], QImage | None]
"""Draws a tile; None where there is nothing to see."""


class AnnotationTiles:
    """Pictures of annotations for exactly the scale in use, so that lines are as wide and sharp as vectors.

    While they are being drawn, those of a scale near by stand in. The tiles used last are kept, up to
    `budget` bytes.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._tiles: OrderedDict[Key, QImage | None] = OrderedDict()
        self._stale: set[Key] = set()
        self._scales: Counter[float] = Counter()
        self.bytes = 0

    def paint(
        self, painter: QPainter, view: Viewport, ratio: float, draw: Draw, deadline: float
    ) -> bool:
        """Draw what is missing until `deadline` (monotonic seconds), and paint; return whether all is there.

        The view is upright and a logical pixel is `ratio` device pixels.
        """
        scale = float(f"{view.scale / ratio:.{DIGITS}g}")
        wanted = _nearest_first(_covering(view.visible, scale), view)
        complete = all(self._provide(key, draw, deadline) for key in wanted)
        if complete and deadline < math.inf:  # time is left for what comes into view next
            around = _grown(view.visible, TILE_SIDE * scale / 2)
            all(self._provide(key, draw, deadline) for key in _covering(around, scale))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        # All tiles are moved by the same part of a device pixel: they stay sharp, and meet.
        x, y = (round(-edge / scale) / ratio for edge in view.visible[:2])
        side = TILE_SIDE / ratio
        others = [] if complete else self._near_scales(scale)
        for key in wanted:
            place = QRectF(x + key.column * side, y + key.row * side, side, side)
            if key not in self._tiles:
                self._stand_in(painter, key, place.topLeft(), ratio, others)
            elif (image := self._tiles[key]) is not None:
                painter.drawImage(place, image)
        self._evict()
        return complete

    def invalidate(self, boxes: npt.NDArray[np.float64], ratio: float) -> None:
        """Have those tiles drawn anew that show what lies in any of the (n, 4) `boxes`."""
        if not len(boxes) or not self._tiles:
            return
        keys = list(self._tiles)
        areas = np.array([surroundings(key.bounds, key.scale * ratio) for key in keys])[:, None]
        meets = (areas[..., :2] <= boxes[:, 2:]) & (areas[..., 2:] >= boxes[:, :2])
        self._stale.update(keys[k] for k in np.unique(np.nonzero(meets.all(-1))[0]))

    def clear(self) -> None:
        self._tiles.clear()
        self._stale.clear()
        self._scales.clear()
        self.bytes = 0

    def _provide(self, key: Key, draw: Draw, deadline: float) -> bool:
        if key in self._tiles and key not in self._stale:
            self._tiles.move_to_end(key)
            return True
        if time.monotonic() >= deadline:
            return False
        self._drop(key)
        image = self._tiles[key] = draw(key)
        self._scales[key.scale] += 1
        self.bytes += _size(image)
        return True

    def _stand_in(
        self, painter: QPainter, key: Key, corner: QPointF, ratio: float, scales: Sequence[float]
    ) -> None:
        left, top, right, bottom = key.bounds
        for scale in scales:
            keys = _covering(key.bounds, scale)
            if len(keys) > MOST_STAND_INS or any(each not in self._tiles for each in keys):
                continue
            for other in keys:
                image = self._tiles[other]
                if image is None:
                    continue
                x0, y0, x1, y1 = other.bounds
                part = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
                target = _rectangle(part, (left, top), key.scale * ratio).translated(corner)
                painter.drawImage(target, image, _rectangle(part, (x0, y0), scale))
            return

    def _near_scales(self, scale: float) -> list[float]:
        away = {each: abs(math.log(each / scale)) for each in self._scales if each != scale}
        near = [each for each in away if away[each] < math.log(STAND_IN)]
        return heapq.nsmallest(SCALES_TRIED, near, key=away.__getitem__)

    def _evict(self) -> None:
        while self.bytes > self._budget:
            self._drop(next(iter(self._tiles)))

    def _drop(self, key: Key) -> None:
        if key in self._tiles:
            self.bytes -= _size(self._tiles.pop(key))
            self._stale.discard(key)
            self._scales -= Counter((key.scale,))


def _covering(bounds: Bounds, scale: float) -> list[Key]:
    side = TILE_SIDE * scale
    left, top, right, bottom = bounds
    return [
        Key(scale, column, row)
        for row in range(math.floor(top / side), math.ceil(bottom / side))
        for column in range(math.floor(left / side), math.ceil(right / side))
    ]


def _nearest_first(keys: list[Key], view: Viewport) -> list[Key]:
    side = TILE_SIDE * keys[0].scale if keys else 1.0
    x, y = view.x / side - 0.5, view.y / side - 0.5
    return sorted(keys, key=lambda key: math.hypot(key.column - x, key.row - y))


def _grown(bounds: Bounds, reach: float) -> Bounds:
    left, top, right, bottom = bounds
    return left - reach, top - reach, right + reach, bottom + reach


def _rectangle(bounds: Bounds, origin: tuple[float, float], scale: float) -> QRectF:
    left, top, right, bottom = bounds
    corner = QPointF((left - origin[0]) / scale, (top - origin[1]) / scale)
    return QRectF(corner.x(), corner.y(), (right - left) / scale, (bottom - top) / scale)


def _size(image: QImage | None) -> int:
    return 512 if image is None else image.sizeInBytes()  # the key is not for nothing
