"""Where a person's look is worth most: the places at which the network is least sure of itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from skimage.feature import peak_local_max

from segcore.annotations import LabelMap
from segcore.annotations.labelmap import values_at
from segcore.explain.heat import RegionHeat

CELLS = 64
"""Side of a place in cells of the map: 128 micrometres where four model pixels of 0.5 make a cell."""
MOST = 50
LEAST = 0.1

Values = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class UncertainPlace:
    """A square worth a look: centre and side in level-0 pixels, and why."""

    x: float
    y: float
    size: float
    score: float
    """In [0, 1]: the mean of `entropy` and, where it is known, of `disagreement`."""
    entropy: float
    disagreement: float | None
    codes: tuple[int, ...]
    """The classes that meet here, the most frequent first; empty where no mask was given."""


def uncertain_places(
    entropy: RegionHeat,
    labels: LabelMap | None = None,
    *,
    disagreement: RegionHeat | None = None,
    size: float | None = None,
    most: int = MOST,
    least: float = LEAST,
) -> list[UncertainPlace]:
    """Return up to `most` squares of `size` level-0 pixels, the most uncertain first, none over another.

    A square's score is the mean over it of the entropy, or of entropy and `disagreement` (a second map, as
    that of flips). Outside the region, and with `labels` where they are 0, there is nothing to be uncertain
    of, which counts as 0. Squares that score below `least` are left out.
    """
    cells = max(1, round(size / entropy.cell[0])) if size else CELLS
    codes = _codes(entropy, labels) if labels else np.isfinite(entropy.values).astype(np.uint8)
    counted = np.isfinite(entropy.values) & (codes > 0)
    maps = [entropy.values, *([_resampled(disagreement, entropy)] if disagreement else [])]
    means = [_means(np.where(counted, each, 0), cells) for each in maps]
    score = np.mean(means, axis=0)
    peaks = peak_local_max(
        score,
        min_distance=cells,
        threshold_abs=least,
        num_peaks=most,
        exclude_border=False,
        p_norm=np.inf,
    )
    width, height = entropy.cell
    return [
        UncertainPlace(
            x=entropy.bounds[0] + (column + 0.5) * width,
            y=entropy.bounds[1] + (row + 0.5) * height,
            size=cells * width,
            score=float(score[row, column]),
            entropy=float(means[0][row, column]),
            disagreement=float(means[1][row, column]) if disagreement else None,
            codes=_most_frequent(codes, row, column, cells) if labels else (),
        )
        for row, column in peaks.tolist()
    ]


def _means(values: Values, cells: int) -> Values:
    """Return the mean over the square around each cell; beyond the map is 0."""
    means = uniform_filter(np.nan_to_num(values), cells, mode="constant")
    return np.asarray(means, np.float32)


def _centres(heat: RegionHeat) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return y of each row's centre and x of each column's, in level-0 pixels."""
    (height, width), (across, down) = heat.values.shape, heat.cell
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    return heat.bounds[1] + rows * down, heat.bounds[0] + columns * across


def _resampled(heat: RegionHeat, like: RegionHeat) -> Values:
    """Return the values of `heat` at the cells of `like`, 0 where it has none."""
    y, x = _centres(like)
    rows = np.floor((y - heat.bounds[1]) / heat.cell[1]).astype(int)
    columns = np.floor((x - heat.bounds[0]) / heat.cell[0]).astype(int)
    return values_at(np.nan_to_num(heat.values), rows, columns)


def _codes(heat: RegionHeat, labels: LabelMap) -> Codes:
    """Return the class code at the centre of each cell, 0 where there is none."""
    y, x = _centres(heat)
    rows = np.floor(y / labels.scale).astype(int) - labels.row
    columns = np.floor(x / labels.scale).astype(int) - labels.column
    return values_at(labels.labels, rows, columns)


def _most_frequent(codes: Codes, row: int, column: int, cells: int) -> tuple[int, ...]:
    """Return the class codes in the square around a cell, the most frequent first."""
    top, left = max(row - cells // 2, 0), max(column - cells // 2, 0)
    square = codes[top : top + cells, left : left + cells]
    found, counts = np.unique(square[square > 0], return_counts=True)
    return tuple(found[np.argsort(-counts, kind="stable")].tolist())
