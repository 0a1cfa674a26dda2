"""Which tiles a view needs, and a cache of tiles bounded in bytes. No Qt."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from viewer.rendering.viewport import Viewport

TILE = 512
T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class TileKey:
    """Tile (column, row) of display level `zoom`, where a pixel covers 2**zoom level-0 pixels."""

    zoom: int
    column: int
    row: int

    @property
    def parent(self) -> "TileKey":
        return TileKey(self.zoom + 1, self.column // 2, self.row // 2)

    @property
    def children(self) -> tuple["TileKey", ...]:
        zoom, column, row = self.zoom - 1, self.column * 2, self.row * 2
        return tuple(TileKey(zoom, column + dx, row + dy) for dy in (0, 1) for dx in (0, 1))

    @property
    def extent(self) -> float:
        """Return the tile's side in level-0 pixels."""
        return float(TILE * 2**self.zoom)


@dataclass(frozen=True, slots=True)
class TileGrid:
    """The display pyramid over a slide of width x height level-0 pixels."""

    width: int
    height: int

    @property
    def coarsest(self) -> int:
        return max(0, math.ceil(math.log2(max(self.width, self.height) / TILE)))

    def zoom_for(self, scale: float) -> int:
        """Return the display level whose pixels are just finer than `scale` level-0 pixels."""
        return min(max(math.floor(math.log2(max(scale, 1.0)) + 0.25), 0), self.coarsest)

    def exists(self, key: TileKey) -> bool:
        return (
            0 <= key.zoom <= self.coarsest
            and 0 <= key.column * key.extent < self.width
            and 0 <= key.row * key.extent < self.height
        )

    def covering(self, view: Viewport, zoom: int) -> list[TileKey]:
        """Return the tiles of `zoom` that `view` shows, nearest to its centre first."""
        extent = TILE * 2**zoom
        left, top, right, bottom = view.visible
        columns = range(max(0, math.floor(left / extent)), self._last(right, extent, self.width))
        rows = range(max(0, math.floor(top / extent)), self._last(bottom, extent, self.height))
        keys = [TileKey(zoom, column, row) for row in rows for column in columns]
        return sorted(
            keys,
            key=lambda k: math.hypot(
                (k.column + 0.5) * extent - view.x, (k.row + 0.5) * extent - view.y
            ),
        )

    def everything(self) -> TileKey:
        """Return the one tile that shows the whole slide."""
        return TileKey(self.coarsest, 0, 0)

    @staticmethod
    def _last(edge: float, extent: float, size: int) -> int:
        return min(math.ceil(edge / extent), math.ceil(size / extent))


class TileCache(Generic[T]):
    """The tiles used last, up to a budget in bytes."""

    def __init__(self, budget: int, size_of: Callable[[T], int]) -> None:
        self._budget = budget
        self._size_of = size_of
        self._tiles: OrderedDict[TileKey, T] = OrderedDict()
        self.bytes = 0

    def get(self, key: TileKey) -> T | None:
        tile = self._tiles.get(key)
        if tile is not None:
            self._tiles.move_to_end(key)
        return tile

    def put(self, key: TileKey, tile: T) -> None:
        if (old := self._tiles.pop(key, None)) is not None:
            self.bytes -= self._size_of(old)
        self._tiles[key] = tile
        self.bytes += self._size_of(tile)
        while self.bytes > self._budget and len(self._tiles) > 1:
            _, dropped = self._tiles.popitem(last=False)
            self.bytes -= self._size_of(dropped)

    def clear(self) -> None:
        self._tiles.clear()
        self.bytes = 0

    def __contains__(self, key: TileKey) -> bool:
        return key in self._tiles

    def __iter__(self) -> Iterator[TileKey]:
        return iter(self._tiles)
