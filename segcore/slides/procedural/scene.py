"""A section ready to be painted, window by window."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from segcore.slides.procedural.cells import ADIPOCYTE, KIND, Cells, X, Y, populate
from segcore.slides.procedural.fibres import BUNDLE, FIBRIL, GAP, draw_strands
from segcore.slides.procedural.ground import (
    FAT_TERRITORY,
    TERRITORY,
    Labels,
    paint_ground,
    territories,
)
from segcore.slides.procedural.layout import Layout, plan
from segcore.slides.procedural.nuclei import stamp_cells
from segcore.slides.procedural.optics import STANDARD, TAPS, Rgb, Stain, expose


@dataclass(frozen=True, eq=False)
class Scene:
    layout: Layout
    cells: Cells

    def near(self, left: int, top: int, width: int, height: int) -> Cells:
        """Return the cells that may touch the window, in painting order."""
        x, y = self.cells[:, X], self.cells[:, Y]
        margin = np.where(self.cells[:, KIND] == ADIPOCYTE, FAT_TERRITORY + 2, TERRITORY + 2)
        inside = (x > left - margin) & (x < left + width + margin)
        return self.cells[inside & (y > top - margin) & (y < top + height + margin)]

    def paint(
        self, *, left: int, top: int, width: int, height: int, stain: Stain = STANDARD
    ) -> tuple[Rgb, Labels]:
        """Return pixels (height, width, 3) and class codes (height, width) of a window in level-0 pixels."""
        left, top, width, height = left - TAPS, top - TAPS, width + 2 * TAPS, height + 2 * TAPS
        fields, salt = self.layout.fields, self.layout.salt
        cells = self.near(left, top, width, height)
        strands = np.zeros((2, height, width), np.float32)
        draw_strands(strands[0], left, top, fields, salt, 0, BUNDLE)
        draw_strands(strands[0], left, top, fields, salt, 1, FIBRIL)
        draw_strands(strands[1], left, top, fields, salt, 2, GAP)
        nearest = np.full((2, height, width), 1e3, np.float32)
        owner = np.zeros((height, width), np.int32)
        territories(cells, left, top, salt, nearest, owner)
        planes = np.zeros((3, height, width), np.float32)
        labels = np.empty((height, width), np.uint8)
        paint_ground(planes, labels, left, top, fields, salt, strands, nearest, owner)
        stamp_cells(planes, cells, left, top)
        picture = expose(planes, left=left, top=top, salt=salt, stain=stain)
        return picture, labels[TAPS:-TAPS, TAPS:-TAPS].copy()


@lru_cache(maxsize=2)
def scene(seed: int, size: int) -> Scene:
    """Return the section of `size` x `size` level-0 pixels that grows from `seed`."""
    layout = plan(size, seed)
    return Scene(layout, populate(layout, seed))
