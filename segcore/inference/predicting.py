"""A bundle that is run to the end: where a device has too little memory, on less at once."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from segcore.errors import DeviceMemoryError
from segcore.inference.tiling import blend_window
from segcore.models import Bundle

Tiles = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Warn = Callable[[str], None]

STRIDE = 32
"""What the side of a network's input should be a multiple of."""


class Predictor:
    """Gives the probabilities of tiles, and retreats as far as it must: quarters of tiles, then the CPU.

    Fewer tiles at a time is the bundle's own first retreat. `warn` is told of each step.
    """

    def __init__(self, bundle: Bundle, warn: Warn) -> None:
        self._bundle = bundle
        self._warn = warn
        self.mode: Literal["whole", "quarters", "cpu"] = "whole"

    def __call__(self, tiles: Tiles) -> Probabilities:
        """Return (N, C, H, W) of (N, H, W, 3); of one class, it and "not this class"."""
        while True:
            try:
                quarters = self.mode == "quarters"
                found = self._in_quarters(tiles) if quarters else self._bundle.predict(tiles)
            except DeviceMemoryError:
                self._retreat()
            else:
                one = found.shape[1] == 1
                return np.concatenate([found, 1 - found], axis=1) if one else found

    def _retreat(self) -> None:
        device = self._bundle.device
        if self.mode == "whole" and self._side(self._bundle.tile) < self._bundle.tile:
            self.mode = "quarters"
            self._warn(
                f"The memory of {device} is too small for a tile: going on with quarters of tiles."
            )
        elif self.mode != "cpu" and device.type != "cpu":
            self.mode, self._bundle = "cpu", self._bundle.on("cpu")
            self._warn(
                f"The memory of {device} is full: going on with the processor, which is slower."
            )
        else:
            raise DeviceMemoryError(
                "There is too little memory to run the model; close other programs, or choose a smaller model."
            )

    def _in_quarters(self, tiles: Tiles) -> Probabilities:
        """Predict four overlapping parts of each tile, and blend them."""
        tile = tiles.shape[1]
        side = self._side(tile)
        weights = blend_window(side, max(1, side - tile // 2) // 2)
        total = np.zeros((tile, tile), np.float32)
        blended = np.zeros((len(tiles), len(self._bundle.classes), tile, tile), np.float32)
        places = [slice(0, side), slice(tile - side, tile)]
        for rows in places:
            for columns in places:
                part = self._bundle.predict(np.ascontiguousarray(tiles[:, rows, columns]))
                blended[:, :, rows, columns] += part * weights
                total[rows, columns] += weights
        return blended / total

    def _side(self, tile: int) -> int:
        """Return how wide a quarter of a tile is with the context that the halo gives it."""
        return min(tile, -(-(tile // 2 + self._bundle.halo) // STRIDE) * STRIDE)
