from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from segcore.annotations import LabelMap
from segcore.annotations.labelmap import Labels
from viewer.document.changes import GridChange, TileChange
from viewer.document.grid import MASK_TILE, MaskGrid

__all__ = ["MASK_TILE", "MaskGrid", "MaskLayer"]

Key = tuple[int, int]

_EMPTY: Labels = np.zeros((MASK_TILE, MASK_TILE), np.uint8)
_EMPTY.flags.writeable = False


class MaskLayer:
    """A class per pixel over the whole slide, held in tiles; a tile that is absent is all 0.

    Everybody may read; only the Document changes it, through `update`.
    """

    def __init__(
        self, grid: MaskGrid | None = None, tiles: Mapping[Key, Labels] | None = None
    ) -> None:
        self._grid = grid
        self._tiles: dict[Key, Labels] = {}
        self._counts = np.zeros(256, np.int64)
        self.update([TileChange(key, None, tile) for key, tile in (tiles or {}).items()])

    @property
    def grid(self) -> MaskGrid | None:
        return self._grid

    @property
    def tiles(self) -> Mapping[Key, Labels]:
        """The tiles that are present, by (tile column, tile row)."""
        return MappingProxyType(self._tiles)

    def tile(self, key: Key) -> Labels:
        """Return tile `key`, (256, 256) and read-only; zeros where it is absent."""
        return self._tiles.get(key, _EMPTY)

    def read(self, column: int, row: int, width: int, height: int) -> Labels:
        """Return a copy of the labels of a rectangle of mask pixels; 0 outside the slide."""
        labels = np.zeros((height, width), np.uint8)
        for key, ours, theirs in _overlaps(column, row, width, height):
            if key in self._tiles:
                labels[theirs] = self._tiles[key][ours]
        return labels

    def label_map(self) -> LabelMap | None:
        """Return the bounding box of the tiles that are present; None if nothing is labelled."""
        if self._grid is None or not self._tiles:
            return None
        keys = np.array(list(self._tiles))
        (left, top), (right, bottom) = (keys.min(axis=0), keys.max(axis=0) + 1)
        column, row = int(left) * MASK_TILE, int(top) * MASK_TILE
        width, height = int(right - left) * MASK_TILE, int(bottom - top) * MASK_TILE
        labels = self.read(column, row, width, height)
        return LabelMap(labels, column, row, self._grid.scale, self._grid.mpp)

    def counts(self) -> dict[int, int]:
        """Return the number of mask pixels of each class present; 0 (unlabelled) is not counted."""
        return {code: int(n) for code, n in enumerate(self._counts) if n and code}

    def paste(
        self,
        labels: Labels,
        column: int,
        row: int,
        *,
        where: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[TileChange, ...]:
        """Return the changes that would put `labels` at mask pixel (column, row) where `where` holds.

        Applies nothing. Tiles that would stay as they are are left out; one that would become all 0
        becomes None. What lies left of or above the slide is cut off.
        """
        if where is not None and where.shape != labels.shape:
            raise ValueError(f"`where` is {where.shape}, but `labels` is {labels.shape}.")
        height, width = labels.shape
        changes: list[TileChange] = []
        for key, ours, theirs in _overlaps(column, row, width, height):
            before = self._tiles.get(key)
            after = self.tile(key).copy()
            np.copyto(after[ours], labels[theirs], where=True if where is None else where[theirs])
            if not np.array_equal(after, self.tile(key)):
                changes.append(TileChange(key, before, _frozen(after)))
        return tuple(changes)

    def update(self, tiles: Iterable[TileChange], grid: GridChange | None = None) -> None:
        """Put the new tiles and grid in place; the Document calls this."""
        for change in tiles:
            self._count(self._tiles.pop(change.key, None), -1)
            if change.after is not None:
                self._tiles[change.key] = change.after
                self._count(change.after, 1)
        if grid is not None:
            self._grid = grid.after

    def _count(self, tile: Labels | None, sign: int) -> None:
        if tile is not None:
            self._counts += sign * np.bincount(tile.ravel(), minlength=256)


def _frozen(tile: Labels) -> Labels | None:
    if not tile.any():
        return None
    tile.flags.writeable = False
    return tile


def _overlaps(
    column: int, row: int, width: int, height: int
) -> Iterator[tuple[Key, tuple[slice, slice], tuple[slice, slice]]]:
    """Yield each tile under a rectangle: its key, the part within the tile, the part within the rectangle."""
    for tile_row, ours_y, theirs_y in _spans(row, height):
        for tile_column, ours_x, theirs_x in _spans(column, width):
            yield (tile_column, tile_row), (ours_y, ours_x), (theirs_y, theirs_x)


def _spans(start: int, length: int) -> list[tuple[int, slice, slice]]:
    spans: list[tuple[int, slice, slice]] = []
    at, stop = max(start, 0), start + length
    while at < stop:
        index, offset = divmod(at, MASK_TILE)
        n = min(MASK_TILE - offset, stop - at)
        spans.append((index, slice(offset, offset + n), slice(at - start, at - start + n)))
        at += n
    return spans
