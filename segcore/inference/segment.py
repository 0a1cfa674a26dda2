"""From a slide, a bundle and a region to a mask."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from typing import Self

from segcore.annotations import LabelMap
from segcore.inference.cache import PredictedTile, RunCache
from segcore.inference.canvas import Canvas
from segcore.inference.plan import Plan
from segcore.inference.predicting import Warn
from segcore.inference.region import Region
from segcore.inference.tiles import TileSource, unheard
from segcore.inference.tiling import Index, Window
from segcore.models import Bundle
from segcore.models.bundle import CPU_BATCH
from segcore.progress import Cancelled, Report, silent
from segcore.refinement import Refinement
from segcore.slides import Slide

Partial = Callable[[LabelMap], None]

CUDA_BATCH = 16
HEARTBEAT = 0.05
"""Seconds between two reports while a block is refined."""
LAST_BLOCK = 0.05
"""Share of the bar that is left when all tiles are there and the last block is still refined."""


def segment_region(
    slide: Slide,
    bundle: Bundle,
    region: Region,
    *,
    report: Report = silent,
    refine: Refinement | None = Refinement(),  # noqa: B008 - frozen
    partial: Partial | None = None,
    batch: int | None = None,
    cache: RunCache | None = None,
    keep_finished: bool = False,
    warn: Warn = unheard,
) -> LabelMap:
    """Return the class of every mask pixel whose centre lies in `region` (level-0 pixels); 0 elsewhere.

    A region has any shape and any number of parts; several regions are segmented as their union.
    `report` is called after each batch of tiles. `partial` gets the unrefined mask of each predicted tile
    soon after its batch, and each block as it will be in the result. Tiles that are in `cache` are not
    predicted again; the result is the same, byte by byte. Where `report` raises Cancelled, so does this;
    with `keep_finished` it returns what was there: refined blocks, unrefined tiles, 0 elsewhere. `warn` is
    told in a sentence where a device's memory is too small. Memory beside mask and cache is bounded.

    Raises PixelSizeMissingError where the slide has no pixel size, RegionError where the region is empty,
    outside the slide, or the slide too coarse for the bundle.
    """
    plan = Plan.of(slide, bundle, region, refine)
    size = batch or (CUDA_BATCH if bundle.device.type == "cuda" else CPU_BATCH)
    source = TileSource(
        slide,
        bundle,
        plan.lattice,
        scale=plan.scale,
        batch=size,
        cache=RunCache() if cache is None else cache,
        warn=warn,
    )
    run = _Run(plan, source, partial, keep_raw=keep_finished)
    try:
        run.go(report)
    except Cancelled:
        if not keep_finished:
            raise
    return run.result


def refine_again(
    slide: Slide,
    bundle: Bundle,
    region: Region,
    *,
    cache: RunCache,
    refine: Refinement | None,
    report: Report = silent,
    partial: Partial | None = None,
) -> LabelMap | None:
    """Return the mask with another refinement, from the tiles of an earlier run; None where one is missing.

    The network is never run. Errors as in `segment_region`.
    """
    plan = Plan.of(slide, bundle, region, refine)
    source = TileSource(slide, bundle, plan.lattice, scale=plan.scale, batch=1, cache=cache)
    if not all(source.holds(plan.tiles(block)) for block in plan.blocks()):
        return None
    run = _Run(plan, source, partial, keep_raw=False)
    run.go(report)
    return run.result


class _Run:
    """One segmentation as it goes: tiles come in, blocks go out."""

    def __init__(
        self, plan: Plan, source: TileSource, partial: Partial | None, *, keep_raw: bool
    ) -> None:
        self.result = plan.empty(plan.bounds)
        self._plan, self._source, self._partial = plan, source, partial
        self._keep_raw = keep_raw
        self._done: set[Index] = set()

    def go(self, report: Report) -> None:
        """Do it all; raises what `report` raises."""
        planned = [(block, self._plan.tiles(block)) for block in self._plan.blocks()]
        total = len({index for _, tiles in planned for index in tiles})
        share = 1 - LAST_BLOCK if self._plan.refine else 1.0

        def tell() -> None:
            report(share * len(self._done) / total, f"{len(self._done)} of {total} tiles")

        tell()
        with _Finisher(self._plan, self._put) as finisher:
            for block, wanted in planned:
                canvas = Canvas(
                    self._plan.lattice, self._plan.margin_window(block), len(self._plan.codes)
                )
                for tiles in self._source.stream(wanted, self._show):
                    for tile in tiles:
                        canvas.add(tile)
                    self._done.update(tile.index for tile in tiles)
                    tell()
                finisher.finish(canvas, block, tell)
            finisher.wait(tell)
        report(1.0, f"{total} of {total} tiles")

    def _show(self, tile: PredictedTile) -> None:
        """Give the raw mask of a predicted tile, once."""
        if tile.index in self._done or not (self._partial or self._keep_raw):
            return
        self._done.add(tile.index)
        if raw := self._plan.raw(tile):
            self._put(raw)

    def _put(self, part: LabelMap) -> None:
        self._plan.put(self.result, part)
        if self._partial:
            self._partial(part)


class _Finisher:
    """Refines one block on a thread of its own while the tiles of the next are predicted."""

    def __init__(self, plan: Plan, put: Partial) -> None:
        self._plan, self._put = plan, put
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="refinement")
        self._unwanted = threading.Event()
        self._running: Future[LabelMap] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._unwanted.set()
        self._pool.shutdown()

    def finish(self, canvas: Canvas, block: Window, tell: Callable[[], None]) -> None:
        """Begin a block; two are in memory at the most, so the one before it is waited for."""
        self.wait(tell)
        self._running = self._pool.submit(self._plan.finish, canvas, block, self._go_on)

    def wait(self, tell: Callable[[], None]) -> None:
        """Put the block that is being refined, if any, when it is ready; `tell` may cancel meanwhile."""
        while self._running is not None:
            try:
                part = self._running.result(HEARTBEAT)
            except StillRunning:
                tell()
            else:
                self._running = None
                self._put(part)

    def _go_on(self, fraction: float, text: str = "") -> None:  # noqa: ARG002 - a `Report`
        if self._unwanted.is_set():
            raise Cancelled
