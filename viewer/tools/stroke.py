"""A stroke on the mask: which pixels it touches, and the edit it becomes."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from segcore.annotations.labelmap import Labels
from segcore.annotations.raster import region_mask
from viewer.document import MASK_TILE, Document, Edit, GridChange, MaskGrid, TileChange
from viewer.tools.base import Context, MaskPreview, Point

BAND = 4 * MASK_TILE
"""Rows of mask pixels that are looked at together, so that a fill of the whole slide needs little memory."""

Floats = npt.NDArray[np.floating[Any]]


class Stroke:
    """The tiles that a stroke has touched, as copies; the document is left alone until it is finished."""

    def __init__(
        self, document: Document, grid: MaskGrid, code: int, width: int, height: int
    ) -> None:
        self.code = code
        self.tiles: dict[tuple[int, int], Labels] = {}
        self._document = document
        self._grid = grid
        self._columns = math.ceil(width / grid.scale)
        self._rows = math.ceil(height / grid.scale)

    @classmethod
    def on(cls, context: Context, grid: MaskGrid, *, erases: bool) -> "Stroke":
        """Begin a stroke of the chosen class, or one that rubs out."""
        code = 0 if erases else context.class_code
        return cls(context.document, grid, code, context.width, context.height)

    def preview(self, dirty: frozenset[tuple[int, int]]) -> MaskPreview:
        return MaskPreview(self._grid, self.tiles, dirty)

    def sweep(self, start: Point, end: Point, radius: float) -> frozenset[tuple[int, int]]:
        """Paint the disc of `radius` moved from `start` to `end` (level-0); return the touched tiles."""
        s = self._grid.scale
        (x0, y0), (x1, y1), r = (start[0] / s, start[1] / s), (end[0] / s, end[1] / s), radius / s
        top = max(0, math.floor(min(y0, y1) - r))
        bottom = min(self._rows, math.ceil(max(y0, y1) + r) + 1)
        left = max(0, math.floor(min(x0, x1) - r))
        right = min(self._columns, math.ceil(max(x0, x1) + r) + 1)
        if top >= bottom or left >= right:
            return frozenset()
        rows = np.arange(top, bottom) + 0.5
        first, last = capsule_spans(rows, (x0, y0), (x1, y1), max(r, 0.5))
        columns = np.arange(left, right) + 0.5
        inside = (columns >= first[:, None]) & (columns <= last[:, None])
        return self._fill(inside, left, top)

    def fill(self, shape: BaseGeometry) -> frozenset[tuple[int, int]]:
        """Paint the pixels whose centres lie in a shape (level-0); return the touched tiles."""
        if shape.is_empty:
            return frozenset()
        x0, y0, x1, y1 = (each / self._grid.scale for each in shape.bounds)
        left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
        right, bottom = min(self._columns, math.ceil(x1)), min(self._rows, math.ceil(y1))
        touched: set[tuple[int, int]] = set()
        for start in range(top, bottom, BAND):
            band = min(BAND, bottom - start)
            inside = region_mask(
                shape,
                column=left,
                row=start,
                width=max(0, right - left),
                height=band,
                scale=self._grid.scale,
            )
            touched |= self._fill(inside, left, start) if inside.any() else set()
        return frozenset(touched)

    def put(self, key: tuple[int, int], where: npt.NDArray[np.bool_]) -> None:
        """Paint (256, 256) pixels of a tile."""
        self._tile(key)[where] = self.code

    def finish(self, name: str) -> Edit:
        """Return the stroke as one edit."""
        changes = []
        painted = 0
        for key, after in self.tiles.items():
            before = self._document.mask.tiles.get(key)
            old = before if before is not None else np.zeros_like(after)
            different = int(np.count_nonzero(old != after))
            painted += different
            if different:
                after.setflags(write=False)
                changes.append(TileChange(key, before, after if after.any() else None))
        starts = self._document.mask.grid is None and changes
        grid = GridChange(None, self._grid) if starts else None
        return Edit(f"{name}, {painted:,} px", tiles=tuple(changes), grid=grid)

    def _fill(
        self, inside: npt.NDArray[np.bool_], left: int, top: int
    ) -> frozenset[tuple[int, int]]:
        height, width = inside.shape
        touched = set()
        for tile_row in range(top // MASK_TILE, (top + height - 1) // MASK_TILE + 1):
            for tile_column in range(left // MASK_TILE, (left + width - 1) // MASK_TILE + 1):
                x, y = tile_column * MASK_TILE, tile_row * MASK_TILE
                x0, x1 = max(left, x), min(left + width, x + MASK_TILE)
                y0, y1 = max(top, y), min(top + height, y + MASK_TILE)
                part = inside[y0 - top : y1 - top, x0 - left : x1 - left]
                if part.any():
                    key = (tile_column, tile_row)
                    self._tile(key)[y0 - y : y1 - y, x0 - x : x1 - x][part] = self.code
                    touched.add(key)
        return frozenset(touched)

    def _tile(self, key: tuple[int, int]) -> Labels:
        if key not in self.tiles:
            self.tiles[key] = self._document.mask.tile(key).copy()
        return self.tiles[key]


def capsule_spans(rows: Floats, start: Point, end: Point, radius: float) -> tuple[Floats, Floats]:
    """Return where each horizontal line y = `rows` enters and leaves the disc swept from start to end.

    The swept disc is convex, so a line meets it in one interval: its left end is the least
    x(t) - sqrt(r^2 - (y - y(t))^2) over the centres t in [0, 1], a convex function of t whose minimum lies
    on the tangent or at an end. Lines that miss it get an empty interval (inf, -inf).
    """
    (x0, y0), (x1, y1) = start, end
    across, down = x1 - x0, y1 - y0
    if abs(down) > 1e-12:
        near, far = (rows - radius - y0) / down, (rows + radius - y0) / down
        low, high = np.maximum(np.minimum(near, far), 0.0), np.minimum(np.maximum(near, far), 1.0)
    else:
        low = np.where(np.abs(rows - y0) <= radius, 0.0, 2.0)
        high = np.ones_like(rows)
    hit = low <= high
    tangent = math.copysign(radius, down) * across / max(math.hypot(across, down), 1e-12)

    def edge(side: float) -> Floats:
        offset = -side * tangent  # of the touching row from the centre of the touching disc
        best = (
            (rows - y0 - offset) / down if abs(down) > 1e-12 else np.full_like(rows, side * across)
        )
        candidates = (np.clip(best, low, np.maximum(low, high)), low, np.maximum(low, high))
        reach = [
            x0 + t * across + side * np.sqrt(np.maximum(radius**2 - (rows - y0 - t * down) ** 2, 0))
            for t in candidates
        ]
        return np.max(reach, axis=0) if side > 0 else np.min(reach, axis=0)

    first = np.where(hit, edge(-1.0), np.inf)
    last = np.where(hit, edge(1.0), -np.inf)
    return first, last
