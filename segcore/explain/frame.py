"""How a region is covered: tiles with context around them, and a canvas of cells that their maps are laid on."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from segcore.annotations.raster import region_mask
from segcore.errors import PixelSizeMissingError, RegionError
from segcore.slides import Rgb, Slide
from segcore.slides.mirroring import read_mirrored

Map = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Place = tuple[int, int]
"""(column, row) of a tile's core, in model pixels from the frame's corner."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The rectangle of model pixels around a region, on the slide-wide mask grid, cut into square tiles.

    The cores of the tiles share no pixel; each tile sees `context` pixels around its core besides.
    """

    region: BaseGeometry
    left: float
    top: float
    scale: float
    """Level-0 pixels per model pixel."""
    width: int
    height: int
    core: int
    context: int

    @classmethod
    def around(
        cls, slide: Slide, mpp: float, region: BaseGeometry, *, core: int, context: int
    ) -> "Frame":
        """Cover `region` (level-0 pixels) at `mpp`. Raises PixelSizeMissingError, RegionError."""
        if slide.mpp is None:
            raise PixelSizeMissingError(
                f"The slide {slide.name} does not say how large its pixels are; set their size first."
            )
        on_slide = shapely.intersection(
            shapely.make_valid(region), shapely.box(0, 0, *slide.dimensions)
        )
        if on_slide.area == 0:
            raise RegionError("The region is empty; draw one on the tissue.")
        scale = mpp / slide.mpp
        left, top, right, bottom = (side / scale for side in on_slide.bounds)
        column, row = math.floor(left), math.floor(top)
        width, height = math.ceil(right) - column, math.ceil(bottom) - row
        return cls(on_slide, column * scale, row * scale, scale, width, height, core, context)

    @property
    def side(self) -> int:
        return self.core + 2 * self.context

    def tiles(self) -> list[Place]:
        """Return the tiles whose core touches the region, row by row."""
        places = [
            (column, row)
            for row in range(0, self.height, self.core)
            for column in range(0, self.width, self.core)
        ]
        return [each for each in places if self.region.intersects(self._box(each))]

    def _box(self, place: Place) -> BaseGeometry:
        left, top = self.left + place[0] * self.scale, self.top + place[1] * self.scale
        extent = self.core * self.scale
        return shapely.box(left, top, left + extent, top + extent)

    def read(self, slide: Slide, place: Place) -> Rgb:
        """Return (side, side, 3): the tile with its context, mirrored beyond the slide."""
        left = self.left + (place[0] - self.context) * self.scale
        top = self.top + (place[1] - self.context) * self.scale
        side = self.side
        return read_mirrored(slide, left=left, top=top, scale=self.scale, width=side, height=side)

    def inside(self, place: Place) -> Bools:
        """Return (core, core): which pixels of the tile's core lie in the region."""
        column, row = place
        return self._mask(column, row, self.core, self.core, self.scale)

    def cells_inside(self, cell: int) -> Bools:
        """Return which cells of `cell` x `cell` model pixels have their centre in the region."""
        return self._mask(0, 0, -(-self.width // cell), -(-self.height // cell), self.scale * cell)

    def _mask(self, column: int, row: int, width: int, height: int, scale: float) -> Bools:
        region = translate(self.region, -self.left, -self.top)
        return region_mask(region, column=column, row=row, width=width, height=height, scale=scale)


class Canvas:
    """Cells of `cell` x `cell` model pixels over a frame, on which the maps of its tiles are laid."""

    def __init__(self, frame: Frame, cell: int) -> None:
        self.frame, self.cell = frame, cell
        shape = -(-frame.height // cell), -(-frame.width // cell)
        self._sum, self._weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._ramp = _ramp(frame.side // cell, frame.context // cell)

    def add(self, place: Place, values: Map) -> None:
        """Lay down the map of a whole tile, (side / cell, side / cell)."""
        there, here = self._shared(place)
        self._sum[there] += values[here] * self._ramp[here]
        self._weight[there] += self._ramp[here]

    def add_up(self, place: Place, values: Map) -> None:
        """Add the map of a whole tile to what lies there."""
        there, here = self._shared(place)
        self._sum[there] += values[here]
        self._weight[there] = 1

    def values(self) -> Map:
        """Return the mean of what was laid down, the tile that sees more context weighing more; NaN outside.

        Raises RegionError where no cell has its centre in the region.
        """
        known = self.frame.cells_inside(self.cell) & (self._weight > 0)
        if not known.any():
            raise RegionError("The region is smaller than a cell of the map; draw a larger one.")
        values = np.full(self._sum.shape, np.nan, np.float32)
        np.divide(self._sum, self._weight, out=values, where=known)
        return values

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) of the cells in level-0 pixels."""
        height, width = self._sum.shape
        extent, frame = self.cell * self.frame.scale, self.frame
        return frame.left, frame.top, frame.left + width * extent, frame.top + height * extent

    def _shared(self, place: Place) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return the rows and columns of the canvas that a tile covers, and those of the tile."""
        spans = [
            _span((start - self.frame.context) // self.cell, len(self._ramp), length)
            for start, length in zip(reversed(place), self._sum.shape, strict=True)
        ]
        return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


def _span(start: int, count: int, length: int) -> tuple[slice, slice]:
    first, last = max(start, 0), min(start + count, length)
    return slice(first, last), slice(first - start, last - start)


def _ramp(side: int, context: int) -> Map:
    """Return (side, side) weights that rise as sin^2 over 2 x `context` at each side: neighbours add up to 1."""
    line = np.ones(side)
    if context:
        rise = np.sin(np.pi / 2 * (np.arange(2 * context) + 0.5) / (2 * context)) ** 2
        line[: 2 * context] *= rise
        line[-2 * context :] *= rise[::-1]
    return np.outer(line, line).astype(np.float32)


def in_cells(values: npt.NDArray[np.floating], cell: int) -> Map:
    """Return (h / cell, w / cell): the mean of each cell."""
    height, width = (length // cell for length in values.shape)
    return values.reshape(height, cell, width, cell).mean((1, 3)).astype(np.float32)
