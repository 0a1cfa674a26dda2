"""E-measure: how a foreground map aligns with its reference, pixel by pixel against both means.

Fan, Gong, Cao, Ren, Cheng, Borji: Enhanced-alignment Measure, IJCAI 2018. We divide by the number of pixels N
as the paper does; its authors' program divides by N - 1, and can so exceed 1.
"""

import math

import numpy as np

from segcore.evaluation.comparison import ForegroundMap, Mask, Values, check_masks, compare

THRESHOLDS = np.arange(256) / 255


def e_measure(reference: Mask, predicted: Mask, *, known: Mask | None = None) -> float:
    """Return the E-measure in [0, 1] of a mask over the known pixels.

    Where the reference has no foreground this is the predicted background's share, where it has nothing
    else the predicted foreground's, as in the paper; NaN where nothing is known.
    """
    check_masks(predicted)
    pair = compare(reference, predicted, known)
    hits, false = pair.foreground.sum(), pair.background.sum()
    return float(_alignment(np.array([hits]), np.array([false]), pair.positives, pair.size)[0])


def mean_e_measure(
    reference: Mask, predicted: ForegroundMap, *, known: Mask | None = None
) -> float:
    """Return the mean E-measure of the masks `predicted >= t`, t = 0, 1/255, ..., 1."""
    pair = compare(reference, predicted, known)
    hits, false = _reaching(pair.foreground), _reaching(pair.background)
    return float(_alignment(hits, false, pair.positives, pair.size).mean())


def _reaching(values: Values) -> Values:
    """Return for each threshold how many of the values reach it, (256,)."""
    highest = np.searchsorted(THRESHOLDS, values, side="right") - 1
    counts = np.bincount(highest, minlength=len(THRESHOLDS))
    return counts[::-1].cumsum()[::-1].astype(np.float64)


def _alignment(hits: Values, false: Values, positives: int, size: int) -> Values:
    """Return the mean of (1 + xi)^2 / 4 for counts of right and wrong foreground pixels.

    xi = 2ab / (a^2 + b^2), a and b what map and reference differ from their means: of two masks it takes
    four values, one for each pair of classes.
    """
    if not size:
        return np.full_like(hits, math.nan)
    claimed, share = (hits + false) / size, positives / size
    if positives in (0, size):
        return claimed if positives else 1 - claimed
    pixels = (hits, false, positives - hits, size - positives - false)
    deviations = (
        (1 - claimed, 1 - share),
        (1 - claimed, -share),
        (-claimed, 1 - share),
        (-claimed, -share),
    )
    xi = [2 * a * b / (a**2 + b**2) for a, b in deviations]
    terms = [n * (1 + each) ** 2 / 4 for n, each in zip(pixels, xi, strict=True)]
    return np.sum(terms, axis=0) / size
