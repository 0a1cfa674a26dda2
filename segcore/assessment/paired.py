"""Whether one of two ways to segment is better, case by case."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from scipy.stats import wilcoxon

from segcore.assessment.assess import Assessment
from segcore.assessment.bootstrap import LEVEL, Array, CaseBootstrap, interval, mean_of_numbers
from segcore.assessment.figures import MEAN, case_scores
from segcore.assessment.prediction import OTHER, tells_one

FEWEST = math.ceil(1 - math.log2(1 - LEVEL))
"""Cases that must differ before Wilcoxon's test can reach 5 %: with n its least p is 2 / 2^n."""


class PairedTest(msgspec.Struct, frozen=True):
    """The second minus the first way, over the cases that show the class."""

    class_name: str
    metric: str
    cases: int
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    """The 95 % bootstrap interval of the mean difference; None with fewer than two cases."""
    high: float | None
    p_value: float | None
    """Wilcoxon signed-rank, two-sided; None where no case differs."""
    conclusion: str


def paired_tests(
    first: Assessment, second: Assessment, *, metric: str = "IoU"
) -> tuple[PairedTest, ...]:
    """Test the classes that both have, and the mean over them, on the same cases.

    Raises ValueError where the cases are not the same, or no class is.
    """
    before, after = case_scores(first, metric), case_scores(second, metric)
    if before.keys() != after.keys():
        raise ValueError("the two assessments are of different cases")
    shared = [name for name in first.classes if name in second.classes]
    if tells_one(first.classes) != tells_one(
        second.classes
    ):  # "the rest" and "other tissue" are two things
        shared = [name for name in shared if name != OTHER]
    if not shared:
        raise ValueError("the two assessments have no class in common")
    a, b = (
        np.array([scores[key] for key in before])[:, [whole.classes.index(n) for n in shared]]
        for whole, scores in ((first, before), (second, after))
    )  # (cases, shared classes)
    columns = [*zip(shared, a.T, b.T, strict=True), (MEAN, mean_of_numbers(a), mean_of_numbers(b))]
    return tuple(paired_test(name, metric, one, other) for name, one, other in columns)


def paired_test(
    class_name: str, metric: str, first: Sequence[float] | Array, second: Sequence[float] | Array
) -> PairedTest:
    """Test two rows of scores of the same cases; cases with a NaN in either are left out."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    both = ~(np.isnan(a) | np.isnan(b))
    a, b = a[both], b[both]
    if not a.size:
        return PairedTest(
            class_name, metric, 0, None, None, None, None, None, None, "no case shows it"
        )
    gains = b - a
    draws = CaseBootstrap(len(gains)).ratios(gains, np.ones(len(gains)))[1:]
    low, high = (interval(draws) if len(gains) > 1 else None) or (None, None)
    p = signed_rank(gains) if gains.any() else None
    return PairedTest(
        class_name,
        metric,
        len(gains),
        float(a.mean()),
        float(b.mean()),
        float(gains.mean()),
        low,
        high,
        p,
        _conclusion(gains, p),
    )


def signed_rank(gains: Array) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; cases without a difference are left out."""
    result: Any = wilcoxon(gains)  # scipy's stubs do not know its fields
    return float(result.pvalue)


def _conclusion(gains: Array, p: float | None) -> str:
    differing = int(np.count_nonzero(gains))
    if p is None:
        return "the same in every case"
    if differing < FEWEST:
        return f"too few cases to conclude anything: {differing} differ, {FEWEST} are needed"
    if p >= 1 - LEVEL:
        return "no difference shown"
    return "the second is better" if np.median(gains[gains != 0]) > 0 else "the first is better"
