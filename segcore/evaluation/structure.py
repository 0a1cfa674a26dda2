"""S-measure: how alike the structures of a foreground map and its reference are.

Fan, Cheng, Liu, Li, Borji: Structure-measure, ICCV 2017. S = alpha S_object + (1 - alpha) S_region. The
paper weighs the four regions by the foreground they hold, its authors' program by their area; all published
scores come from the program, and so do ours.
"""

import math
from collections.abc import Iterator

import numpy as np

from segcore.evaluation.comparison import Comparison, ForegroundMap, Mask, Values, compare


def s_measure(
    reference: Mask,
    predicted: ForegroundMap,
    *,
    known: Mask | None = None,
    alpha: float = 0.5,
) -> float:
    """Return the S-measure in [0, 1] of a map in [0, 1] over the known pixels.

    1 - mean(map) where the reference has no foreground, mean(map) where it has nothing else, as in the
    paper; NaN where nothing is known. The map is taken as it is, never stretched to [0, 1].
    """
    pair = compare(reference, predicted, known)
    if not pair.size:
        return math.nan
    if pair.positives in (0, pair.size):
        mean = float(pair.predicted.sum() / pair.size)
        return mean if pair.positives else 1 - mean
    return max(0.0, alpha * _objects(pair) + (1 - alpha) * _regions(pair))


def _objects(pair: Comparison) -> float:
    """Return mu O_FG + (1 - mu) O_BG, where mu is the foreground's share of the reference."""
    share = pair.positives / pair.size
    return share * _uniformity(pair.foreground) + (1 - share) * _uniformity(1 - pair.background)


def _uniformity(values: Values) -> float:
    """Return 2x / (x^2 + 1 + 2 lambda s) of the mean x and sample deviation s, lambda = 1/2."""
    mean, deviation = values.mean(), math.sqrt(_covariance(values, values))
    return float(2 * mean / (mean**2 + 1 + deviation))


def _regions(pair: Comparison) -> float:
    """Return the SSIM of the four blocks around the reference's centroid, weighed by their known pixels."""
    score = 0.0
    for block in _blocks(pair.reference):
        known = pair.known[block]
        if known.any():
            reference = pair.reference[block][known].astype(np.float64)
            score += known.sum() / pair.size * _ssim(pair.predicted[block][known], reference)
    return float(score)


def _blocks(reference: Mask) -> Iterator[tuple[slice, slice]]:
    """Yield the quarters of the picture; the centroid's row and column belong to the upper left."""
    row, column = (int(each) + 1 for each in np.argwhere(reference).mean(axis=0).round())
    for rows in (slice(None, row), slice(row, None)):
        for columns in (slice(None, column), slice(column, None)):
            yield rows, columns


def _ssim(x: Values, y: Values) -> float:
    """Return 4 x y s_xy / ((x^2 + y^2)(s_x^2 + s_y^2)); 1 where both sides of it are 0."""
    alike = 4 * x.mean() * y.mean() * _covariance(x, y)
    bound = (x.mean() ** 2 + y.mean() ** 2) * (_covariance(x, x) + _covariance(y, y))
    return float(alike / bound) if bound else 1.0


def _covariance(x: Values, y: Values) -> float:
    """Return the sample covariance, 0 for a single pixel."""
    # The first value goes first, so that a constant has a variance of exactly 0, on which _ssim turns.
    dx, dy = x - x[0], y - y[0]
    return float(((dx - dx.mean()) * (dy - dy.mean())).sum() / max(len(x) - 1, 1))
