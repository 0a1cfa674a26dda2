"""How far a scribble reaches, and what a few of them together propose for the mask.

Label propagation is linear: F of several strokes is the sum of theirs. So each scribble is spread once, alone,
in a window around it, and a further one costs no more than the first. A pixel changes its class where the
strokes of another weigh more than what it is now; what no stroke speaks of stays as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from shapely import LineString, Point

from segcore.annotations.labelmap import Labels
from segcore.annotations.raster import region_mask
from segcore.progress import Report
from segcore.slides.base import Rgb
from viewer.document import SPREAD, MaskGrid, Proposal
from viewer.tools import Scribble, Tissue

LABELLED, BLANK = 1.0, 0.5
"""What a pixel weighs that has a class, and one that has none, against the strokes around it."""
SMOOTHING = 9
"""Mask pixels along a side of the window of the median that pixels are compared after."""
TOLERANCE = 1e-4
"""Of influence, which is multiplied by the strength of a stroke, some hundreds."""
EVENING = 7
"""Mask pixels along a side of what decides by majority: what is thinner than half of it goes."""
HOLE = 300
"""Mask pixels: a hole of at most so many is a nucleus, not other tissue."""
MOST = 2048
"""Mask pixels along a side of what is proposed at once."""

Bools = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Influence:
    """What a scribble weighs at each mask pixel around it, from mask pixel (column, row)."""

    code: int
    column: int
    row: int
    values: npt.NDArray[np.float32]
    """(side, side): 1 where the tissue is wholly that of the scribble."""
    painted: Bools
    """(side, side): the pixels of the scribble itself."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return (left, top, right, bottom) in mask pixels."""
        height, width = self.values.shape
        return self.column, self.row, self.column + width, self.row + height


def influence_of(
    scribble: Scribble, grid: MaskGrid, tissue: Tissue, *, report: Report
) -> Influence:
    """Spread one scribble over the tissue around it that looks alike. Raises SlideError."""
    from segcore.refinement import SPREADING, propagate_labels  # noqa: PLC0415 - numba is slow to load

    left, top, right, bottom = (each / grid.scale for each in scribble.bounds)
    column, row = int(left) - SPREADING.reach, int(top) - SPREADING.reach
    side = int(max(right - left, bottom - top)) + 2 * SPREADING.reach + 2
    pixels = tissue.pixels(column * grid.scale, row * grid.scale, side, grid.scale)
    report(0.1)
    points = scribble.points
    line = LineString(points) if len(points) > 1 else Point(*points[:1])
    painted = region_mask(
        line.buffer(max(scribble.radius, 0.75 * grid.scale)),
        column=column,
        row=row,
        width=side,
        height=side,
        scale=grid.scale,
    )
    F = propagate_labels(
        painted[np.newaxis].astype(np.float32),
        smoothed(pixels),
        alpha=SPREADING.alpha,
        sigma_intensity=SPREADING.sigma_intensity,
        sigma_space=SPREADING.sigma_space,
        radius=SPREADING.radius,
        tolerance=TOLERANCE,
        device="cpu",
        report=report,
    )
    return Influence(scribble.code, column, row, F[0], painted)


def warm_up(report: Report) -> None:
    """Load and compile what spreading needs, so that the first stroke need not wait."""
    from segcore.refinement import propagate_labels  # noqa: PLC0415 - numba is slow to load

    report(0.0)
    blank = np.zeros((8, 8, 3), np.uint8)
    propagate_labels(np.zeros((1, 8, 8), np.float32), smoothed(blank), device="cpu")


def smoothed(pixels: Rgb) -> Rgb:
    """Return pixels without what is smaller than a nucleus, so that a stroke crosses from cell to cell.

    A median leaves a straight edge where it is; after a Gaussian, strokes stopped two pixels short of it.
    """
    from skimage.filters.rank import median  # noqa: PLC0415 - keeps the start quick

    window = np.ones((SMOOTHING, SMOOTHING), np.uint8)
    channels = [median(pixels[..., channel], window) for channel in range(3)]
    return np.stack(channels, axis=2).astype(np.uint8)


def box_of(influences: Iterable[Influence]) -> Box:
    """Return (left, top, right, bottom) around all of them, in mask pixels."""
    lefts, tops, rights, bottoms = zip(*(each.box for each in influences), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def proposal_of(
    influences: Sequence[Influence],
    before: Labels,
    by_hand: Bools,
    *,
    box: Box,
    grid: MaskGrid,
    size: tuple[int, int],
    strength: float,
) -> Proposal:
    """Return what the scribbles propose within `box`, where the mask is `before` now.

    What is corrected `by_hand` changes only where it is scribbled over; of two scribbles the later counts.
    A pixel of a scribble weighs as much as `strength` pixels that have a class. `size` is (columns, rows) of the slide in mask pixels: what lies outside stays as it is.
    """
    weights: dict[int, npt.NDArray[np.float32]] = {}
    for each in influences:
        weight = weights.setdefault(each.code, np.zeros(before.shape, np.float32))
        weight[_within(each, box)] += strength * each.values
    heaviest = np.where(before > 0, LABELLED, BLANK).astype(np.float32)
    for code, weight in weights.items():
        heaviest += np.where(before == code, weight, 0)
    after = before.copy()
    for code, weight in weights.items():
        wins = (weight > heaviest) & (before != code) & ~by_hand
        after[wins], heaviest[wins] = code, weight[wins]
    for code in weights:
        after = _tidied(after, before, code, ~by_hand)
    for each in influences:
        after[_within(each, box)][each.painted] = each.code
    y, x = np.ogrid[box[1] : box[3], box[0] : box[2]]
    on_slide = (x >= 0) & (y >= 0) & (x < size[0]) & (y < size[1])
    after = np.where(on_slide, after, before)
    return Proposal(SPREAD, grid, box[0], box[1], before, after)


def _tidied(after: Labels, before: Labels, code: int, may_change: Bools) -> Labels:
    """Return `after` with what becomes of a class made even: no crumbs, pinholes and frayed edges."""
    from scipy.ndimage import binary_fill_holes  # noqa: PLC0415 - keeps the start quick
    from skimage.morphology import remove_small_objects  # noqa: PLC0415 - likewise

    is_class = after == code
    even = _share(is_class) > 0.5
    tidy = np.where(is_class & ~even, before, after)
    near = _share(is_class & (before != code)) > 0.1
    tidy[even & near & may_change] = code
    new = (tidy == code) & (before != code)
    holes = binary_fill_holes(new) & ~new
    tidy[holes & ~remove_small_objects(holes, max_size=HOLE) & may_change] = code
    return tidy


def _share(region: Bools) -> npt.NDArray[np.float32]:
    """Return which share of the pixels around each lies in the region; along a straight edge it crosses 1/2."""
    from scipy.ndimage import uniform_filter  # noqa: PLC0415 - keeps the start quick

    share = uniform_filter(region.astype(np.float32), EVENING, mode="nearest")
    return np.asarray(share, np.float32)


def _within(influence: Influence, box: Box) -> tuple[slice, slice]:
    left, top, right, bottom = influence.box
    return slice(top - box[1], bottom - box[1]), slice(left - box[0], right - box[0])
