"""Where tiles lie on the slide-wide mask grid, and how they blend. No torch.

The lattice is fixed to the grid, not to the region, so that a pixel's answer does not depend on the
region that was asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Index = tuple[int, int]
"""(i, j) of a tile: row and column of the lattice."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of grid pixels."""

    column: int
    row: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.column + self.width

    @property
    def bottom(self) -> int:
        return self.row + self.height

    def grown(self, by: int) -> "Window":
        return Window(self.column - by, self.row - by, self.width + 2 * by, self.height + 2 * by)

    def within(self, other: "Window") -> "Window":
        """Return the part of this window that lies in `other`; its sides may be 0."""
        left, top = max(self.column, other.column), max(self.row, other.row)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Window(left, top, max(0, right - left), max(0, bottom - top))

    def slices_in(self, outer: "Window") -> tuple[slice, slice]:
        """Return (rows, columns) of this window in an array that covers `outer`."""
        top, left = self.row - outer.row, self.column - outer.column
        return slice(top, top + self.height), slice(left, left + self.width)

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0


@dataclass(frozen=True, slots=True)
class Lattice:
    """Square tiles of `tile` pixels, each of which shares 2 x `halo` pixels with its neighbours."""

    tile: int
    halo: int

    @property
    def stride(self) -> int:
        return self.tile - 2 * self.halo

    def window(self, index: Index) -> Window:
        """Return all that the tile covers."""
        i, j = index
        left, top = j * self.stride - self.halo, i * self.stride - self.halo
        return Window(left, top, self.tile, self.tile)

    def core(self, index: Index) -> Window:
        """Return the part in which the tile weighs most; the cores of all tiles tile the plane."""
        i, j = index
        return Window(j * self.stride, i * self.stride, self.stride, self.stride)

    def covering(self, window: Window) -> list[Index]:
        """Return every tile that has a pixel in `window`, row by row."""
        rows = self._range(window.row, window.bottom)
        columns = self._range(window.column, window.right)
        return [(i, j) for i in rows for j in columns]

    def _range(self, start: int, stop: int) -> range:
        first = (
            start + self.halo - self.tile
        ) // self.stride + 1  # the first that ends after start
        last = (stop - 1 + self.halo) // self.stride  # the last that begins before stop
        return range(first, last + 1)


def blend_window(tile: int, halo: int) -> npt.NDArray[np.float32]:
    """Return (tile, tile) weights that rise as sin^2 over 2 x `halo` pixels at each side.

    Summed over the tiles of the lattice they are 1 at every pixel, and they are least where a network
    sees least context.
    """
    side = np.ones(tile)
    if halo:
        ramp = np.sin(np.pi / 2 * (np.arange(2 * halo) + 0.5) / (2 * halo)) ** 2
        side[: 2 * halo] *= ramp
        side[-2 * halo :] *= ramp[::-1]
    return np.outer(side, side).astype(np.float32)


def blocks(bounds: Window, size: int) -> Iterator[Window]:
    """Cut `bounds` along the lines of a grid-wide raster of `size`, row by row."""
    for row in range(bounds.row // size, -(-bounds.bottom // size)):
        for column in range(bounds.column // size, -(-bounds.right // size)):
            yield Window(column * size, row * size, size, size).within(bounds)
