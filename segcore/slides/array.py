"""A slide made of an array: plain images, tests, scripts."""

from pathlib import Path

import numpy as np
from PIL import Image

from segcore.errors import SlideError
from segcore.slides.base import Level, Rgb, Slide

_COARSEST = 512
_STRIP = 1024


class ArraySlide(Slide):
    """A slide held in memory, with a pyramid of 2 x 2 means."""

    def __init__(
        self,
        array: Rgb,
        *,
        mpp: float | None = None,
        magnification: float | None = None,
        path: str | Path = "array",
        vendor: str = "array",
    ) -> None:
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
            raise SlideError(
                f"An array of shape {array.shape} and type {array.dtype} is no image; give (height, width, 3) uint8."
            )
        self._pyramid = _pyramid(array)
        self.path = Path(path)
        self.levels = tuple(
            Level(each.shape[1], each.shape[0], float(2**n)) for n, each in enumerate(self._pyramid)
        )
        self.mpp = mpp
        self.magnification = magnification
        self.vendor = vendor
        self.bounds = (0, 0, *self.dimensions)

    def read(self, x: int, y: int, level: int, width: int, height: int) -> Rgb:
        if not self._pyramid:
            raise SlideError(f"{self.name} is closed; open it again.")
        source = self._pyramid[level]
        column, row = (round(each / self.levels[level].downsample) for each in (x, y))
        left, top = max(column, 0), max(row, 0)
        inside = source[top : max(row + height, 0), left : max(column + width, 0)]
        if inside.shape[:2] == (height, width):
            return inside.copy()
        tile = np.full((height, width, 3), 255, np.uint8)
        tile[top - row :, left - column :][: inside.shape[0], : inside.shape[1]] = inside
        return tile

    def close(self) -> None:
        self._pyramid = []


def _pyramid(array: Rgb) -> list[Rgb]:
    levels = [np.ascontiguousarray(array)]
    while max(levels[-1].shape[:2]) > _COARSEST:
        levels.append(_halved(levels[-1]))
    return levels


def _halved(array: Rgb) -> Rgb:
    """Return the means of 2 x 2, made in strips because Pillow copies what it reduces."""
    height, width = array.shape[:2]
    half = np.empty((-(-height // 2), -(-width // 2), 3), np.uint8)
    for top in range(0, height, _STRIP):
        strip = Image.fromarray(array[top : top + _STRIP])
        half[top // 2 : (top + _STRIP) // 2] = np.asarray(strip.reduce(2))
    return half
