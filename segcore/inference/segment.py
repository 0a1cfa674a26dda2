"""From a slide, a bundle and a region to a mask."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap, load_taxonomy
from segcore.annotations.raster import region_mask
from segcore.errors import RegionError
from segcore.inference.region import clip_to_slide, grid_bounds, grid_scale
from segcore.inference.tiles import PredictedTile, TileSource
from segcore.inference.tiling import Index, Lattice, Window, blend_window, blocks
from segcore.models import Bundle
from segcore.models.bundle import CPU_BATCH
from segcore.progress import Report, silent
from segcore.refinement import Refinement, propagate_labels
from segcore.slides import Slide

Partial = Callable[[LabelMap], None]

BLOCK_TILES = 4
"""A block is refined as one: so many tile strides wide and high."""


def segment_region(
    slide: Slide,
    bundle: Bundle,
    region: BaseGeometry,
    *,
    report: Report = silent,
    refine: Refinement | None = Refinement(),  # noqa: B008 - frozen
    partial: Partial | None = None,
    batch: int | None = None,
) -> LabelMap:
    """Return the class of every mask pixel whose centre lies in `region` (level-0 pixels); 0 elsewhere.

    `report` is called after each batch of tiles. `partial` gets the unrefined mask of each tile soon after
    its batch, and each block as it will be in the result. Memory beside the mask itself is bounded.
    Raises PixelSizeMissingError where the slide has no pixel size, RegionError where the region is empty,
    outside the slide, or the slide too coarse for the bundle.
    """
    work = _Segmentation.plan(slide, bundle, region, refine)
    size = batch or (16 if bundle.device.type == "cuda" else CPU_BATCH)
    source = TileSource(slide, bundle, work.lattice, scale=work.scale, batch=size)
    tell = partial or _nobody
    planned = [(block, work.tiles(block)) for block in work.blocks()]
    total = len({index for _, tiles in planned for index in tiles})
    result = work.empty(work.bounds)
    done: set[Index] = set()
    report(0.0, f"0 of {total} tiles")
    for block, wanted in planned:
        canvas = Canvas(work.lattice, work.margin_window(block), len(work.codes))
        for tiles in source.stream(wanted):
            for tile in tiles:
                canvas.add(tile)
                if partial and tile.index not in done and (raw := work.raw(tile)):
                    tell(raw)
            done.update(tile.index for tile in tiles)
            report(len(done) / total, f"{len(done)} of {total} tiles")
        finished = work.finish(canvas, block)
        work.put(result, finished)
        tell(finished)
    return result


def _nobody(_part: LabelMap) -> None:
    """Take the place of `partial` where nobody looks."""


@dataclass(frozen=True, eq=False)
class _Segmentation:
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
    def plan(
        cls, slide: Slide, bundle: Bundle, region: BaseGeometry, refine: Refinement | None
    ) -> "_Segmentation":
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

    def finish(self, canvas: "Canvas", block: Window) -> LabelMap:
        """Refine the canvas and return its part in `block`."""
        F = canvas.probabilities()
        if self.refine:
            F = propagate_labels(
                F,
                canvas.image,
                alpha=self.refine.alpha,
                sigma_intensity=self.refine.sigma_intensity,
                sigma_space=self.refine.sigma_space,
                radius=self.refine.radius,
                device="cpu",
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

    def probabilities(self) -> npt.NDArray[np.float32]:
        """Return (C, h, w); all classes alike where no tile was needed."""
        covered = self._weight > 0
        self._sum /= np.where(covered, self._weight, 1)
        self._sum[:, ~covered] = 1 / len(self._sum)
        return self._sum
