"""How much of each class lies in a region, kept up to date while the mask is edited."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import box

from segcore.annotations import Annotation
from segcore.annotations.raster import region_mask
from viewer.document import MASK_TILE, MaskGrid, MaskLayer

TUMOR, STROMA, LYMPHOCYTE = 1, 2, 3  # pixel values that no study changes

Key = tuple[int, int]
Counts = npt.NDArray[np.int64]


class Ratios(NamedTuple):
    """What people ask of areas first, as `segcore.counting` means it; None where it would be by nothing."""

    tumor_to_stroma: float | None
    tumor_share: float | None
    stromal_til_share: float | None


def ratios(areas: Mapping[int, float]) -> Ratios:
    """Return the ratios of areas by class code, as `Composition.areas_mm2` gives them."""
    tumor, stroma, lymphocyte = (areas.get(code, 0.0) for code in (TUMOR, STROMA, LYMPHOCYTE))
    return Ratios(
        tumor / stroma if stroma else None,
        tumor / (tumor + stroma) if tumor + stroma else None,
        lymphocyte / (stroma + lymphocyte) if stroma + lymphocyte else None,
    )


class Composition:
    """Pixels per class of a mask inside one annotation, or in the whole mask where there is none.

    Counted tile by tile, so that a stroke costs only the tiles it touched.
    """

    def __init__(self, mask: MaskLayer, region: Annotation | None) -> None:
        if mask.grid is None:
            raise ValueError("a composition needs a mask with a grid")
        self.region = region
        self._grid: MaskGrid = mask.grid
        self._tiles: dict[Key, Counts] = {}
        self._inside: dict[Key, npt.NDArray[np.bool_] | None] = {}
        self.update(mask, mask.tiles)

    @property
    def name(self) -> str:
        return (self.region.name or "the region") if self.region is not None else "the slide"

    def areas_mm2(self) -> dict[int, float]:
        """Return the area of each class code present, in square millimetres."""
        total = sum(self._tiles.values(), np.zeros(256, np.int64))
        pixel = (self._grid.mpp / 1000) ** 2
        return {int(code): float(total[code]) * pixel for code in np.flatnonzero(total) if code}

    def unlabelled_mm2(self) -> float:
        """Return how much of the region has no class, 0 where the whole mask is looked at."""
        if self.region is None:
            return 0.0
        whole = self.region.geometry.area * (self._grid.mpp / self._grid.scale / 1000) ** 2
        left = whole - sum(self.areas_mm2().values())
        # Pixels at the rim count whole or not at all, so a fully labelled region may miss a little.
        return left if left > 0.005 * whole else 0.0

    def update(self, mask: MaskLayer, keys: Iterable[Key]) -> None:
        """Count the tiles `keys` again."""
        for key in keys:
            tile = mask.tiles.get(key)
            self._tiles.pop(key, None)
            if tile is not None:
                self._tiles[key] = self._count(key, tile)

    def _count(self, key: Key, tile: npt.NDArray[np.uint8]) -> Counts:
        if key not in self._inside:
            self._inside[key] = self._cut(key)
        inside = self._inside[key]
        pixels = tile.ravel() if inside is None else tile[inside]
        return np.bincount(pixels, minlength=256)

    def _cut(self, key: Key) -> npt.NDArray[np.bool_] | None:
        """Return which pixels of a tile lie in the region; None means all of them."""
        if self.region is None:
            return None
        extent = MASK_TILE * self._grid.scale
        left, top = key[0] * extent, key[1] * extent
        frame = box(left, top, left + extent, top + extent)
        if shapely.covers(self.region.geometry, frame):
            return None
        return region_mask(
            self.region.geometry,
            column=key[0] * MASK_TILE,
            row=key[1] * MASK_TILE,
            width=MASK_TILE,
            height=MASK_TILE,
            scale=self._grid.scale,
        )
