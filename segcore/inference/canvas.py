"""Tiles blended into one picture of a rectangle."""

import numpy as np

from segcore.inference.cache import PredictedTile
from segcore.inference.tiling import Lattice, Window, blend_window
from segcore.refinement.stencil import Floats


class Canvas:
    """Blends tiles over one window: weighted probabilities, and the pixels they belong to."""

    def __init__(self, lattice: Lattice, window: Window, classes: int) -> None:
        self.window = window
        self.image = np.full((window.height, window.width, 3), 255, np.uint8)
        self._lattice = lattice
        self._weights = blend_window(lattice.tile, lattice.halo)
        self._sum = np.zeros((classes, window.height, window.width), np.float32)
        self._weight = np.zeros((window.height, window.width), np.float32)

    def add(self, tile: PredictedTile) -> None:
        outer = self._lattice.window(tile.index)
        shared = outer.within(self.window)
        rows, columns = shared.slices_in(outer)
        there = shared.slices_in(self.window)
        weights = self._weights[rows, columns]
        self._sum[:, *there] += tile.probabilities[:, rows, columns] * weights
        self._weight[there] += weights
        self.image[there] = tile.image[rows, columns]

    def probabilities(self) -> Floats:
        """Return (C, h, w); all classes alike where no tile was needed."""
        covered = self._weight > 0
        self._sum /= np.where(covered, self._weight, 1)
        self._sum[:, ~covered] = 1 / len(self._sum)
        return self._sum
