"""The invasive front: how long the border between tumor and stroma is."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

SMOOTHING = 2.0
"""Micrometres, one standard deviation: bends and specks finer than this are smoothed away."""
LEAST_SMOOTHING = 1.5
"""Pixels: less leaves the stairs of the pixels in the line."""
ENOUGH = 2
"""Pixels of smoothing, beyond which finer pixels cost time and change nothing: they are joined."""
STRIP, SQUARE = 1024, 128
REACH = 4
"""Standard deviations after which a Gaussian is over."""

Bools = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float32]


def front_length(tumor: Bools, stroma: Bools, mpp: float) -> float:
    """Return the length in millimetres of the border between two masks (h, w) with pixels of `mpp` micrometres.

    Pixel edges would overcount a slanting border by up to sqrt(2), so the line is that of marching squares at
    one half of the smoothed share of tumor in tumor and stroma. Where either meets something else, or the
    rim of the mask, there is no front. Like a coast, a front is the longer the finer one looks: lengths
    compare only at the same smoothing.
    """
    sigma = max(SMOOTHING / mpp, LEAST_SMOOTHING)
    factor = max(1, int(sigma / ENOUGH))
    joined = _joined(tumor, factor), _joined(stroma, factor)
    return sum(_lengths(*joined, sigma / factor)) * factor * mpp / 1000


def _joined(mask: Bools, factor: int) -> Shares:
    """Return the share of True in each square of `factor` x `factor` pixels; what is left over is left out."""
    height, width = (length // factor for length in mask.shape)
    if not height * width:
        return np.zeros((height, width), np.float32)
    whole = mask[: height * factor, : width * factor].view(np.uint8) * np.uint8(255)
    return np.asarray(Image.fromarray(whole).reduce(factor), np.float32) / np.float32(255)


def _lengths(tumor: Shares, stroma: Shares, sigma: float) -> Iterator[float]:
    """Yield the length in pixels of each line, strip by strip, so that memory is bounded."""
    margin = math.ceil(REACH * sigma)
    for top in range(0, len(tumor) - 1, STRIP):
        first = max(top - margin, 0)
        rows = slice(first, top + STRIP + 1 + margin)
        # A strip ends with the row that the next begins with, so each square of four pixels is met once.
        inner = slice(top - first, top - first + STRIP + 1)
        known = (tumor[rows] + stroma[rows] >= 0.5)[inner]
        if tumor[rows].any() and stroma[rows].any() and min(known.shape) > 1:
            share = _share(tumor[rows], stroma[rows], sigma)[inner]
            yield from _line_lengths(share, known)


def _line_lengths(share: Shares, known: Bools) -> Iterator[float]:
    """Yield the length in pixels of each line at one half; squares without one are not searched."""
    for top in range(0, len(share) - 1, SQUARE):
        for left in range(0, share.shape[1] - 1, SQUARE):
            part = np.s_[top : top + SQUARE + 1, left : left + SQUARE + 1]
            if share[part].min() <= 0.5 <= share[part].max():
                for line in find_contours(share[part], 0.5, mask=known[part]):
                    yield float(np.hypot(*np.diff(line, axis=0).T).sum())


def _share(tumor: Shares, stroma: Shares, sigma: float) -> Shares:
    """Return the smoothed share of tumor in tumor and stroma; what is neither weighs nothing."""
    mine, other = (
        gaussian_filter(each, sigma, mode="nearest", truncate=REACH) for each in (tumor, stroma)
    )
    return np.asarray(mine / np.maximum(mine + other, 1e-6), np.float32)
