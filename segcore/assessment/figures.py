"""The figures of an assessment, each with its interval and the number of cases behind it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import numpy as np

from segcore.assessment.assess import Assessment
from segcore.assessment.bootstrap import (
    Array,
    CaseBootstrap,
    Numbers,
    interval,
    mean_of_numbers,
)
from segcore.assessment.scoring import RoiScore
from segcore.evaluation import Confusion

MEAN = "Mean"
LEVELS = ("pixels", "tile", "roi", "case")
"""All pixels together; then the mean over tiles, over whole ROIs (stitched), over cases."""


class Figure(msgspec.Struct, frozen=True):
    """One measured figure; `value` is None where nothing determines it."""

    value: float | None
    low: float | None
    """The 95 % interval over cases, None with fewer than two."""
    high: float | None
    cases: int
    units: int
    """Tiles, ROIs or cases that were averaged; cases where pixels were counted."""


Overlap = Callable[[Confusion], tuple[Numbers, Numbers]]
"""Per class, a score's numerator and denominator."""

METRICS: Mapping[str, Overlap] = {
    "IoU": lambda c: (c.agreed, c.reference + c.predicted - c.agreed),
    "Dice": lambda c: (2 * c.agreed, c.reference + c.predicted),
    "Sensitivity": lambda c: (c.agreed, c.reference),
}

ClassFigures = dict[str, Figure]
"""By class name, and `MEAN`: the mean of the classes."""


def overlap_figures(assessment: Assessment, level: str, metric: str) -> ClassFigures:
    """Return the metric per class and their mean, at one of `LEVELS`.

    A class is scored where the reference shows it; what is wrongly called so elsewhere shows in `pixels`.
    """
    cases = list(assessment.by_case().values())
    if level == "pixels":
        sums = [_sum(roi.confusion for roi in rois) for rois in cases]
        parts, wholes = (np.array(each) for each in zip(*map(METRICS[metric], sums), strict=True))
        shown = np.array([each.reference > 0 for each in sums]).astype(np.int64)
        return _ratio_figures(assessment.classes, parts, wholes, shown, np.ones(len(cases)))
    scores = [[_scores(unit, metric) for unit in _units(rois, level)] for rois in cases]
    return _mean_figures(assessment.classes, scores)


def boundary_figures(assessment: Assessment) -> ClassFigures:
    """Return the mean boundary F1 of the ROIs whose reference bounds the class."""
    cases = assessment.by_case().values()
    return _mean_figures(assessment.classes, [[roi.boundary for roi in rois] for rois in cases])


def calibration_figure(assessment: Assessment) -> Figure:
    """Return the expected calibration error over all labelled pixels."""
    cases = assessment.by_case().values()
    bins = [[roi.calibration for roi in rois] for rois in cases]
    gaps = np.array([sum(c.right - c.confidence for c in each) for each in bins])
    pixels = np.array([sum(c.pixels.sum() for c in each) for each in bins])[:, None]
    bootstrap = CaseBootstrap(len(bins))
    wholes = np.broadcast_to(pixels, gaps.shape)
    values = np.abs(bootstrap.ratios(gaps, wholes)).sum(axis=1)  # (1 + draws,)
    count = int(np.count_nonzero(pixels))
    return _figure(values, cases=count, units=count)


def case_scores(assessment: Assessment, metric: str) -> dict[tuple[str, str], Array]:
    """Return each case's score per class over its ROIs; NaN where its reference does not show the class."""
    return {
        key: _scores(_sum(roi.confusion for roi in rois), metric)
        for key, rois in assessment.by_case().items()
    }


def _sum(parts: Iterable[Confusion]) -> Confusion:
    first, *rest = parts
    return sum(rest, first)


def _units(rois: Sequence[RoiScore], level: str) -> list[Confusion]:
    if level == "tile":
        return [tile.confusion for roi in rois for tile in roi.tiles]
    if level == "roi":
        return [roi.confusion for roi in rois]
    return [_sum(roi.confusion for roi in rois)]


def _scores(counts: Confusion, metric: str) -> Array:
    part, whole = METRICS[metric](counts)
    return np.where(counts.reference > 0, part / np.maximum(whole, 1), np.nan)


def _mean_figures(classes: Sequence[str], scores: Sequence[Sequence[Array]]) -> ClassFigures:
    """Average over units; `scores` holds, for each case, (C,) of each of its units."""
    stacks = [np.array(each).reshape(-1, len(classes)) for each in scores]
    counts = np.array([(~np.isnan(stack)).sum(axis=0) for stack in stacks])  # (cases, C)
    sums = np.array([np.nansum(stack, axis=0) for stack in stacks])
    units = np.array([(~np.isnan(stack)).any(axis=1).sum() for stack in stacks])
    return _ratio_figures(classes, sums, counts, counts, units)


def _ratio_figures(
    classes: Sequence[str], parts: Numbers, wholes: Numbers, shown: Numbers, units: Numbers
) -> ClassFigures:
    """Make figures of sums over cases: (cases, C) each, and (cases,) units that show any class.

    `shown` counts the units that show the class; draws without any tell nothing of it.
    """
    bootstrap = CaseBootstrap(len(parts))
    values = bootstrap.ratios(parts, wholes)  # (1 + draws, C)
    values[bootstrap.sums(shown) == 0] = np.nan
    columns = [*values.T, mean_of_numbers(values)]
    cases = [*(shown > 0).sum(axis=0), (units > 0).sum()]
    counts = [*shown.sum(axis=0), units.sum()]
    return {
        name: _figure(column, cases=int(n), units=int(count))
        for name, column, n, count in zip((*classes, MEAN), columns, cases, counts, strict=True)
    }


def _figure(values: Array, *, cases: int, units: int) -> Figure:
    """Make a figure of its value and its values over draws, (1 + draws,)."""
    if math.isnan(values[0]):
        return Figure(None, None, None, cases, units)
    low, high = (interval(values[1:]) if cases > 1 else None) or (None, None)
    return Figure(float(values[0]), low, high, cases, units)
