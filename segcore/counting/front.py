"""The invasive front: how long the border between tumor and stroma is."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

SMOOTHING = 2.0
"""Micrometres, one standard deviation: bends and specks finer than this are smoothed away."""
LEAST_SMOOTHING = 1.5
"""Pixels: less leaves the stairs of the pixels in the line."""
STRIP = 1024
REACH = 4
"""Standard deviations after which a Gaussian is over."""

Bools = npt.NDArray[np.bool_]


def front_length(tumor: Bools, stroma: Bools, mpp: float) -> float:
    """Return the length in millimetres of the border between two masks (h, w) with pixels of `mpp` micrometres.

    Pixel edges would overcount a slanting border by up to sqrt(2), so the line is that of marching squares at
    one half of the smoothed share of tumor in tumor and stroma. Where either meets something else, or the
    rim of the mask, there is no front. Like a coast, a front is the longer the finer one looks: lengths
    compare only at the same smoothing.
    """
    sigma = max(SMOOTHING / mpp, LEAST_SMOOTHING)
    return sum(_lengths(tumor, stroma, sigma)) * mpp / 1000


def _lengths(tumor: Bools, stroma: Bools, sigma: float) -> Iterator[float]:
    """Yield the length in pixels of each line, strip by strip, so that memory is bounded."""
    margin = math.ceil(REACH * sigma)
    for top in range(0, max(len(tumor) - 1, 1), STRIP):
        first = max(top - margin, 0)
        rows = slice(first, top + STRIP + 1 + margin)
        if not (tumor[rows].any() and stroma[rows].any()):
            continue
        share = _share(tumor[rows], stroma[rows], sigma)
        # A strip ends with the row that the next begins with, so each square of four pixels is met once.
        inner = slice(top - first, top - first + STRIP + 1)
        known = (tumor[rows] | stroma[rows])[inner]
        if min(known.shape) < 2:
            continue
        for line in find_contours(share[inner], 0.5, mask=known):
            yield float(np.hypot(*np.diff(line, axis=0).T).sum())


def _share(tumor: Bools, stroma: Bools, sigma: float) -> npt.NDArray[np.float32]:
    """Return the smoothed share of tumor in tumor and stroma; what is neither weighs nothing."""
    smooth = [
        gaussian_filter(each.astype(np.float32), sigma, mode="nearest", truncate=REACH)
        for each in (tumor, stroma)
    ]
    return np.asarray(smooth[0] / np.maximum(smooth[0] + smooth[1], 1e-6), np.float32)
