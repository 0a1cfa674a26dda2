"""Predicted tiles of one slide: read ahead, run in batches, the latest kept."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segcore.inference.tiling import Index, Lattice, Window
from segcore.models import Bundle
from segcore.slides import Slide, read_scaled

BUDGET = 512 << 20
"""Bytes of predicted tiles that are kept for neighbouring blocks."""


@dataclass(frozen=True, eq=False, slots=True)
class PredictedTile:
    index: Index
    image: npt.NDArray[np.uint8]
    """(tile, tile, 3)"""
    probabilities: npt.NDArray[np.float16]
    """(C, tile, tile): half precision keeps twice as many, and one answer whether kept or computed again."""

    @property
    def nbytes(self) -> int:
        return self.image.nbytes + self.probabilities.nbytes


class TileSource:
    """Gives predicted tiles of `lattice` at `scale` level-0 pixels per grid pixel."""

    def __init__(
        self,
        slide: Slide,
        bundle: Bundle,
        lattice: Lattice,
        *,
        scale: float,
        batch: int,
        budget: int = BUDGET,
    ) -> None:
        self._slide, self._bundle, self._lattice = slide, bundle, lattice
        self._scale, self._batch, self._budget = scale, batch, budget
        self._kept: OrderedDict[Index, PredictedTile] = OrderedDict()

    def stream(self, wanted: Sequence[Index]) -> Iterator[list[PredictedTile]]:
        """Yield every wanted tile: first those that are kept, then batch by batch those that are not."""
        known = [index for index in wanted if index in self._kept]
        if known:
            for index in known:
                self._kept.move_to_end(index)
            yield [self._kept[index] for index in known]
        missing = [index for index in wanted if index not in set(known)]
        batches = [missing[i : i + self._batch] for i in range(0, len(missing), self._batch)]
        with ThreadPoolExecutor(1, thread_name_prefix="tile-reader") as reader:
            ahead = reader.submit(self._read, batches[0]) if batches else None
            for i, indices in enumerate(batches):
                assert ahead is not None  # noqa: S101 - there is a batch, so it was submitted
                images = ahead.result()
                if i + 1 < len(batches):
                    ahead = reader.submit(self._read, batches[i + 1])
                yield self._predict(indices, images)

    def _read(self, indices: Sequence[Index]) -> npt.NDArray[np.uint8]:
        return np.stack([self._read_tile(index) for index in indices])

    def _read_tile(self, index: Index) -> npt.NDArray[np.uint8]:
        """Return a tile's picture; beyond the slide it is mirrored, for there tissue may have been cut off."""
        window = self._lattice.window(index)
        width, height = (max(1, int(side / self._scale)) for side in self._slide.dimensions)
        inside = window.within(Window(0, 0, width, height))
        if not inside:  # no part of the slide lies here
            return np.full((window.height, window.width, 3), 255, np.uint8)
        pixels = read_scaled(
            self._slide,
            left=inside.column * self._scale,
            top=inside.row * self._scale,
            scale=self._scale,
            width=inside.width,
            height=inside.height,
        )
        if inside == window:
            return pixels
        down = inside.row - window.row, window.bottom - inside.bottom
        across = inside.column - window.column, window.right - inside.right
        return np.pad(pixels, (down, across, (0, 0)), "symmetric")

    def _predict(
        self, indices: Sequence[Index], images: npt.NDArray[np.uint8]
    ) -> list[PredictedTile]:
        probabilities = self._bundle.predict(images)
        if probabilities.shape[1] == 1:  # one class: the other one is "not this class"
            probabilities = np.concatenate([probabilities, 1 - probabilities], axis=1)
        halves = probabilities.astype(np.float16)
        tiles = [
            PredictedTile(index, image, half)
            for index, image, half in zip(indices, images, halves, strict=True)
        ]
        for tile in tiles:
            self._kept[tile.index] = tile
        while sum(tile.nbytes for tile in self._kept.values()) > self._budget:
            self._kept.popitem(last=False)
        return tiles
