"""Calibration: whether a prediction made with 80 % confidence is right in 80 % of the cases."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segcore.evaluation.confusion import Codes, Counts, Scores


@dataclass(frozen=True, eq=False)
class Calibration:
    """Per bin of confidence, (bins,): pixels, how many of them are right, and the sum of their confidences.

    Bin m of M holds the confidences in ((m - 1)/M, m/M]. Parts add up to the whole.
    """

    pixels: Counts
    right: Counts
    confidence: Scores

    def __add__(self, other: "Calibration") -> "Calibration":
        if len(self.pixels) != len(other.pixels):
            raise ValueError("calibrations of different bins cannot be added")
        return Calibration(
            self.pixels + other.pixels,
            self.right + other.right,
            self.confidence + other.confidence,
        )

    @property
    def expected_error(self) -> float:
        """Return the expected calibration error: sum of n_m/n |accuracy_m - confidence_m|; NaN without pixels.

        Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017, eq. 3.
        """
        total = self.pixels.sum()
        return float(np.abs(self.right - self.confidence).sum() / total) if total else math.nan


def calibration(
    reference: Codes,
    probabilities: npt.NDArray[np.floating],
    codes: Sequence[int],
    *,
    bins: int = 15,
    ignore: int = 0,
) -> Calibration:
    """Bin the highest of each pixel's (C, H, W) probabilities, channel i of which means `codes[i]`.

    Pixels whose (H, W) reference is `ignore` or none of `codes` count for nothing, as in a confusion.
    Raises ValueError where shapes disagree or a probability that counts lies outside [0, 1].
    """
    if probabilities.shape != (len(codes), *reference.shape):
        raise ValueError(f"{probabilities.shape} are no probabilities of {len(codes)} classes")
    counted = (reference != ignore) & np.isin(reference, codes)
    known = probabilities[:, counted].astype(np.float64)  # (C, n)
    if not ((known >= 0) & (known <= 1)).all():
        raise ValueError("probabilities must lie between 0 and 1")
    confidence = known.max(axis=0)
    right = np.asarray(codes)[known.argmax(axis=0)] == reference[counted]
    bin_of = np.searchsorted(np.arange(1, bins) / bins, confidence, side="left")
    return Calibration(
        np.bincount(bin_of, minlength=bins).astype(np.int64),
        np.bincount(bin_of[right], minlength=bins).astype(np.int64),
        np.bincount(bin_of, weights=confidence, minlength=bins).astype(np.float64),
    )
