"""The absolute error of a foreground map."""

import math

import numpy as np

from segcore.evaluation.comparison import ForegroundMap, Mask, compare


def mean_absolute_error(
    reference: Mask, predicted: ForegroundMap, *, known: Mask | None = None
) -> float:
    """Return the mean of |predicted - reference| over the known pixels (Perazzi et al., CVPR 2012).

    The map is taken as it is, never stretched to [0, 1]. NaN where nothing is known.
    """
    pair = compare(reference, predicted, known)
    if not pair.size:
        return math.nan
    return float(np.abs(pair.predicted - pair.reference).sum() / pair.size)
