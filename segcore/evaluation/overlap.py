"""Overlap of two masks: Dice, intersection over union, sensitivity."""

import math

import numpy as np

from segcore.evaluation.comparison import Mask, check_masks, compare


def dice(reference: Mask, predicted: Mask, *, known: Mask | None = None) -> float:
    """Return 2|A and B| / (|A| + |B|) over the known pixels (Dice 1945); NaN where both are empty."""
    hits, false, missed = _counts(reference, predicted, known)
    return _ratio(2 * hits, 2 * hits + false + missed)


def iou(reference: Mask, predicted: Mask, *, known: Mask | None = None) -> float:
    """Return |A and B| / |A or B| over the known pixels (Jaccard 1901); NaN where both are empty."""
    hits, false, missed = _counts(reference, predicted, known)
    return _ratio(hits, hits + false + missed)


def sensitivity(reference: Mask, predicted: Mask, *, known: Mask | None = None) -> float:
    """Return the share of the reference's foreground that is found; NaN where it has none."""
    hits, _, missed = _counts(reference, predicted, known)
    return _ratio(hits, hits + missed)


def _counts(reference: Mask, predicted: Mask, known: Mask | None) -> tuple[int, int, int]:
    """Return the pixels found, wrongly claimed and missed."""
    check_masks(predicted)
    pair = compare(reference, predicted, known)
    hits = int(np.count_nonzero(pair.foreground))
    return hits, int(np.count_nonzero(pair.background)), pair.positives - hits


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
