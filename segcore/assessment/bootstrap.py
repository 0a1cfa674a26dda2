"""The bootstrap over cases: how a figure would scatter if other cases had been looked at.

Cases are drawn with replacement, never pixels, tiles or ROIs: those of one case resemble each other, and
intervals that took them for independent would be far too narrow (Efron and Tibshirani 1993, ch. 8).
A figure that is a function of sums over cases needs nothing but how often each case was drawn.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.int64]

DRAWS = 2000
SEED = 42
LEVEL = 0.95


class CaseBootstrap:
    """Draws of `cases` cases. Row 0 of `counts` is the sample itself, in which each counts once."""

    def __init__(self, cases: int, *, draws: int = DRAWS, seed: int = SEED) -> None:
        drawn = np.random.default_rng(seed).multinomial(cases, np.full(cases, 1 / cases), draws)
        self.counts: Array = np.vstack([np.ones(cases), drawn]).astype(
            np.float64
        )  # (1 + draws, cases)

    def sums(self, values: Numbers) -> Array:
        """Return (1 + draws, ...) sums over the drawn cases of values (cases, ...)."""
        return np.tensordot(self.counts, values.astype(np.float64), axes=1)

    def ratios(self, parts: Numbers, wholes: Numbers) -> Array:
        """Return the ratio of two sums over the drawn cases; NaN where the whole is 0."""
        part, whole = self.sums(parts), self.sums(wholes)
        return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def interval(draws: Array) -> tuple[float, float] | None:
    """Return the percentile interval of (draws,), NaN left out; None where all are."""
    numbers = draws[~np.isnan(draws)]
    if not numbers.size:
        return None
    low, high = np.quantile(numbers, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_of_numbers(values: Array) -> Array:
    """Return the mean over the last axis, NaN left out; NaN where all are."""
    numbers = ~np.isnan(values)
    total, count = np.where(numbers, values, 0).sum(axis=-1), numbers.sum(axis=-1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
