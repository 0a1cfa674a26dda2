"""Weighted F-measure: precision and recall whose errors weigh by place and by neighbourhood.

Margolin, Zelnik-Manor, Tal: How to evaluate foreground maps?, CVPR 2014. The constants are the paper's.
"""

import math

import numpy as np
from scipy import ndimage

from segcore.evaluation.boundary import nearest_pixel
from segcore.evaluation.comparison import Comparison, ForegroundMap, Mask, Values, compare

_OFFSETS = np.arange(-3, 4)
_GAUSSIAN = np.exp(-(_OFFSETS**2) / (2 * 5**2))
_GAUSSIAN /= _GAUSSIAN.sum()  # 7 wide, sigma 5; its outer product is the paper's kernel
_DECAY = math.log(0.5) / 5  # an error 5 pixels from the foreground weighs 1.5, far away 2


def weighted_f_measure(
    reference: Mask,
    predicted: ForegroundMap,
    *,
    known: Mask | None = None,
    beta: float = 1.0,
) -> float:
    """Return F = (1 + beta^2) P R / (beta^2 P + R) in [0, 1] of a map in [0, 1], errors weighed.

    0 where only the map has foreground, NaN where neither has any or nothing is known. Distances are pixels:
    compare maps of one resolution. The map is taken as it is, never stretched to [0, 1].
    """
    pair = compare(reference, predicted, known)
    if not pair.positives:
        return 0.0 if pair.background.any() else math.nan
    error = _weighed_error(pair)
    found = pair.positives - error[pair.reference].sum()
    claimed = found + error[pair.known & ~pair.reference].sum()
    recall = found / pair.positives
    precision = found / claimed if claimed > 0 else 0.0
    under = beta**2 * precision + recall
    return float((1 + beta**2) * precision * recall / under) if under > 0 else 0.0


def _weighed_error(pair: Comparison) -> Values:
    """Return min(E, E A) B: spread over the foreground, and the heavier the farther outside it.

    E is |map - reference|; A a Gaussian mean, before which the background takes the error of its nearest
    foreground pixel; B = 2 - exp(ln(1/2) d / 5) at distance d from the foreground, 1 inside.
    """
    error = np.abs(pair.predicted - pair.reference)
    distance, nearest = nearest_pixel(pair.reference)
    carried = np.where(pair.known, error[tuple(nearest)], 0.0)  # (H, W)
    spread = _smooth(carried, pair.known)
    lenient = np.where(pair.reference, np.minimum(error, spread), error)
    return lenient * np.where(pair.reference, 1.0, 2 - np.exp(_DECAY * distance))


def _smooth(values: Values, known: Mask) -> Values:
    """Return the Gaussian mean, 0 beyond the frame as in the paper; unknown pixels take that of the known."""
    weight = _convolve(known.astype(np.float64))
    full = _convolve(np.ones(known.shape))
    return _convolve(values) * np.divide(full, weight, out=np.zeros_like(full), where=known)


def _convolve(values: Values) -> Values:
    rows = ndimage.correlate1d(values, _GAUSSIAN, axis=0, mode="constant")
    return ndimage.correlate1d(rows, _GAUSSIAN, axis=1, mode="constant")
