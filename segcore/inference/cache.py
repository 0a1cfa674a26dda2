"""Predicted tiles that outlive their run, so that nothing is computed twice."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segcore.inference.tiling import Index
from segcore.models import Bundle
from segcore.slides import Slide, fingerprint

BUDGET = 512 << 20
"""Bytes: about 150 tiles of 512 x 512 with five classes."""


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


class RunCache:
    """Predicted tiles of any number of runs, at most `budget` bytes; those not asked for longest go first.

    Safe from several threads. A run is known by its `run_key`, so one cache serves all slides and bundles.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.nbytes = 0
        self._tiles: OrderedDict[tuple[Hashable, Index], PredictedTile] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tiles)

    def get(self, run: Hashable, index: Index) -> PredictedTile | None:
        with self._lock:
            tile = self._tiles.get((run, index))
            if tile is not None:
                self._tiles.move_to_end((run, index))
            return tile

    def put(self, run: Hashable, tile: PredictedTile) -> None:
        with self._lock:
            old = self._tiles.pop((run, tile.index), None)
            self._tiles[run, tile.index] = tile
            self.nbytes += tile.nbytes - (old.nbytes if old else 0)
            while self.nbytes > self.budget:
                _, dropped = self._tiles.popitem(last=False)
                self.nbytes -= dropped.nbytes

    def holds(self, run: Hashable, indices: Iterable[Index]) -> bool:
        with self._lock:
            return all((run, index) in self._tiles for index in indices)

    def clear(self) -> None:
        with self._lock:
            self._tiles.clear()
            self.nbytes = 0


def run_key(slide: Slide, bundle: Bundle, scale: float) -> Hashable:
    """Return what a tile's probabilities depend on beside its place on the lattice.

    The card stands whole: its sha256 is of the weights, and its normalisation and steps count as well.
    A slide without a file is known by itself alone.
    """
    pixels = fingerprint(slide.path) if slide.path.is_file() else slide
    return pixels, scale, repr(bundle.card), str(bundle.device), str(bundle.precision)
