"""The boundary of a mask, and how well two boundaries meet."""

import math
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from segcore.evaluation.comparison import Mask, Values, check_masks, compare


def boundary(mask: Mask, *, known: Mask | None = None) -> Mask:
    """Return the foreground pixels with a known background pixel above, below, left or right.

    The frame and unknown areas cut through a region; they do not bound it.
    """
    known = np.ones_like(mask) if known is None else known
    check_masks(mask, known)
    beside = np.asarray(ndimage.binary_dilation(known & ~mask), np.bool_)
    return mask & known & beside


def boundary_f1(
    reference: Mask,
    predicted: Mask,
    *,
    tolerance: float,
    mpp: float | None = None,
    known: Mask | None = None,
) -> float:
    """Return 2PR / (P + R) of the boundaries (Csurka et al., BMVC 2013).

    P is the share of predicted boundary pixels within `tolerance` of the reference's, R the reverse.
    `tolerance` is in micrometres where `mpp` (micrometres per pixel) is given, else in pixels, between
    pixel centres. 0 where only one side has a boundary; NaN where neither has.
    """
    check_masks(predicted)
    compare(reference, predicted, known)
    reach = _pixels(tolerance, mpp)
    true, found = boundary(reference, known=known), boundary(predicted, known=known)
    if not (true.any() and found.any()):
        return 0.0 if true.any() or found.any() else math.nan
    precision, recall = _met(found, true, reach), _met(true, found, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def nearest_pixel(mask: Mask) -> tuple[Values, npt.NDArray[np.intp]]:
    """Return each pixel's distance in pixels to the nearest one of `mask`, (H, W), and its row and column, (2, H, W)."""
    found = ndimage.distance_transform_edt(~mask, return_indices=True)
    distance, place = cast("tuple[Values, npt.NDArray[np.intp]]", found)
    return distance, place


def _pixels(tolerance: float, mpp: float | None) -> float:
    if not (0 <= tolerance < math.inf and (mpp is None or 0 < mpp < math.inf)):
        raise ValueError(
            f"a tolerance of {tolerance} at {mpp} micrometres per pixel has no meaning"
        )
    # 0.3 micrometres are three pixels of 0.1, although 0.3 / 0.1 < 3 in floating point.
    return tolerance / (mpp or 1.0) + 1e-9


def _met(one: Mask, other: Mask, reach: float) -> float:
    """Return the share of `one` that has a pixel of `other` within `reach` pixels."""
    distance, _ = nearest_pixel(other)
    return float((distance[one] <= reach).mean())
