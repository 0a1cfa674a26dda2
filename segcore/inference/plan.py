"""What is fixed before the first tile is read: which pixels are asked for, and which tiles they need."""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap, load_taxonomy
from segcore.annotations.raster import region_mask
from segcore.errors import RegionError
from segcore.inference.cache import PredictedTile
from segcore.inference.canvas import Canvas
from segcore.inference.region import Region, clip_to_slide, grid_bounds, grid_scale
from segcore.inference.tiling import Index, Lattice, Window, blocks
from segcore.models import Bundle
from segcore.progress import Report
from segcore.refinement import Refinement, propagate_labels
from segcore.slides import Slide

BLOCK_TILES = 4
"""A block is refined as one: so many tile strides wide and high."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is fixed for one region: the grid, the lattice, the pixels asked for."""

    region: BaseGeometry
    scale: float
    mpp: float
    slide: Window
    bounds: Window
    lattice: Lattice
    codes: npt.NDArray[np.uint8]
    refine: Refinement | None

    @classmethod
    def of(
        cls,
        slide: Slide,
        bundle: Bundle,
        region: Region,
        refine: Refinement | None,
    ) -> "Plan":
        scale = grid_scale(slide, bundle.mpp)
        clipped = clip_to_slide(region, slide)
        shapely.prepare(clipped)
        codes = bundle.codes
        if len(codes) == 1:  # what a one-class network does not call its class is "other"
            codes = (*codes, load_taxonomy().named("Other").code)
        width, height = slide.dimensions
        return cls(
            clipped,
            scale,
            bundle.mpp,
            grid_bounds(shapely.box(0, 0, width, height), scale),
            grid_bounds(clipped, scale),
            Lattice(bundle.tile, bundle.halo),
            np.array(codes, np.uint8),
            refine,
        )

    @property
    def margin(self) -> int:
        """Return how far around a block pixels take part in its refinement, so that no seam shows."""
        return min(self.refine.reach, self.lattice.tile) if self.refine else 0

    def blocks(self) -> list[Window]:
        """Return the blocks that have a pixel of the region; RegionError where there is none."""
        size = BLOCK_TILES * self.lattice.stride
        found = [
            block
            for block in blocks(self.bounds, size)
            if self.touches(block) and self.inside(block).any()
        ]
        if not found:
            raise RegionError(
                "The region is smaller than one pixel of the mask; draw a larger one."
            )
        return found

    def margin_window(self, block: Window) -> Window:
        return block.grown(self.margin).within(self.bounds)

    def tiles(self, block: Window) -> list[Index]:
        """Return the tiles that the block needs.

        Left out are those too far from the region to matter, and those that touch the slide with their
        faded border alone: the tile within knows the slide's edge better.
        """
        return [
            index
            for index in self.lattice.covering(self.margin_window(block))
            if self.lattice.core(index).within(self.slide)
            and self.touches(self.lattice.window(index).grown(self.margin))
        ]

    def touches(self, window: Window) -> bool:
        left, top = window.column * self.scale, window.row * self.scale
        box = shapely.box(left, top, window.right * self.scale, window.bottom * self.scale)
        return self.region.intersects(box)

    def inside(self, window: Window) -> npt.NDArray[np.bool_]:
        return region_mask(
            self.region,
            column=window.column,
            row=window.row,
            width=window.width,
            height=window.height,
            scale=self.scale,
        )

    def raw(self, tile: PredictedTile) -> LabelMap | None:
        """Return the unblended mask of the part in which the tile weighs most, None outside the region."""
        core = self.lattice.core(tile.index).within(self.bounds)
        if not core or not self.touches(core):
            return None
        rows, columns = core.slices_in(self.lattice.window(tile.index))
        return self._label(tile.probabilities[:, rows, columns].astype(np.float32), core)

    def finish(self, canvas: Canvas, block: Window, report: Report) -> LabelMap:
        """Refine the canvas and return its part in `block`; `report` may cancel."""
        F = canvas.probabilities()
        if self.refine:
            F = propagate_labels(
                F, canvas.image, **asdict(self.refine), device="cpu", report=report
            )
        rows, columns = block.slices_in(canvas.window)
        return self._label(F[:, rows, columns], block)

    def _label(self, F: npt.NDArray[np.float32], window: Window) -> LabelMap:
        """Choose the likeliest class of each pixel of the region; F (C, h, w) need not add up to 1."""
        within = self.inside(window)
        total = np.maximum(F.sum(axis=0), 1e-12)
        confidence = np.rint(255 * F.max(axis=0) / total).clip(0, 255).astype(np.uint8)
        labels = self.codes[F.argmax(axis=0)]
        return self._map(labels * within, confidence * within, window)

    def empty(self, window: Window) -> LabelMap:
        shape = (window.height, window.width)
        return self._map(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), window)

    def _map(
        self, labels: npt.NDArray[np.uint8], confidence: npt.NDArray[np.uint8], window: Window
    ) -> LabelMap:
        return LabelMap(labels, window.column, window.row, self.scale, self.mpp, confidence)

    def put(self, result: LabelMap, part: LabelMap) -> None:
        """Copy a finished block into the result."""
        height, width = part.labels.shape
        rows, columns = Window(part.column, part.row, width, height).slices_in(self.bounds)
        result.labels[rows, columns] = part.labels
        if result.confidence is not None and part.confidence is not None:
            result.confidence[rows, columns] = part.confidence
