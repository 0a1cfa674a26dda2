"""Predicted tiles of one slide: read ahead, run in batches, kept in a cache."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import numpy.typing as npt

from segcore.inference.cache import PredictedTile, RunCache, run_key
from segcore.inference.predicting import Predictor, Warn
from segcore.inference.tiling import Index, Lattice, Window
from segcore.models import Bundle
from segcore.slides import Slide, read_scaled

READERS = 2
"""Threads that read ahead: one waits for the disk while another decodes."""


def unheard(_sentence: str) -> None:
    """Take the place of `warn` where nobody listens."""


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
        cache: RunCache,
        warn: Warn = unheard,
    ) -> None:
        self._slide, self._lattice = slide, lattice
        self._scale, self._batch, self._cache = scale, batch, cache
        self._predict = Predictor(bundle, warn)
        self._key = run_key(slide, bundle, scale)

    @property
    def _run(self) -> Hashable:
        """Return what its tiles are kept under: after a retreat the answers are other ones."""
        return self._key, self._predict.mode

    def holds(self, wanted: Sequence[Index]) -> bool:
        """Tell whether the cache has them all."""
        return self._cache.holds(self._run, wanted)

    def stream(
        self, wanted: Sequence[Index], predicted: Callable[[PredictedTile], None] | None = None
    ) -> Iterator[list[PredictedTile]]:
        """Yield every wanted tile in the order of `wanted`, whether it was kept or is predicted now.

        After each batch come those that no missing one precedes: tiles are blended in one order always, so
        that sums round alike. `predicted` gets each tile that was not kept as soon as it is there.
        """
        found = {index: self._cache.get(self._run, index) for index in wanted}
        missing = [index for index, tile in found.items() if tile is None]
        rest = deque(wanted)
        for batch in self._batches(missing):
            for tile in batch:
                found[tile.index] = tile
                if predicted:
                    predicted(tile)
            ready = []
            while rest and (tile := found[rest[0]]) is not None:
                ready.append(tile)
                del found[rest.popleft()]
            if ready:
                yield ready

    def _batches(self, missing: Sequence[Index]) -> Iterator[list[PredictedTile]]:
        """Yield an empty batch, then the predicted ones; the next two are read meanwhile."""
        yield []
        pool = ThreadPoolExecutor(READERS, thread_name_prefix="tile-reader")
        try:
            later = iter(missing)
            ahead = deque((i, pool.submit(self._read, i)) for i in islice(later, 2 * self._batch))
            while ahead:
                now = [ahead.popleft() for _ in range(min(self._batch, len(ahead)))]
                images = np.stack([reading.result() for _, reading in now])
                ahead.extend((i, pool.submit(self._read, i)) for i in islice(later, self._batch))
                yield self._predicted([index for index, _ in now], images)
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, index: Index) -> npt.NDArray[np.uint8]:
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

    def _predicted(
        self, indices: Sequence[Index], images: npt.NDArray[np.uint8]
    ) -> list[PredictedTile]:
        halves = self._predict(images).astype(np.float16)
        tiles = [
            PredictedTile(index, image, half)
            for index, image, half in zip(indices, images, halves, strict=True)
        ]
        for tile in tiles:
            self._cache.put(self._run, tile)
        return tiles
