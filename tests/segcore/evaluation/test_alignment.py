import math

import numpy as np
import pytest

from segcore.evaluation import e_measure, mean_e_measure

REFERENCE = np.array([[1, 0, 0, 0]], bool)
MASK = np.array([[1, 1, 0, 0]], bool)
# Means 1/4 and 1/2. Hit: xi = 2 (1/2)(3/4) / (1/4 + 9/16) = 12/13. False: -4/5. Both background: 4/5, twice.
BY_HAND = ((25 / 13) ** 2 / 4 + 0.2**2 / 4 + 2 * 1.8**2 / 4) / 4


def test_e_measure_is_that_computed_by_hand():
    assert e_measure(REFERENCE, MASK) == pytest.approx(BY_HAND)


def test_the_mean_runs_over_256_thresholds_of_which_the_first_claims_everything():
    assert mean_e_measure(REFERENCE, MASK) == pytest.approx((0.25 + 255 * BY_HAND) / 256)


def test_the_mean_is_that_of_the_masks_at_each_threshold():
    rng = np.random.default_rng(1)
    reference = rng.random((20, 30)) < 0.4
    values = rng.random((20, 30)) * 0.6 + 0.4 * reference
    known = rng.random((20, 30)) < 0.8

    masks = [values >= t / 255 for t in range(256)]
    expected = np.mean([e_measure(reference, mask, known=known) for mask in masks])

    assert mean_e_measure(reference, values, known=known) == pytest.approx(expected)


def test_a_perfect_mask_scores_one_and_its_opposite_nothing():
    assert e_measure(REFERENCE, REFERENCE) == 1
    assert e_measure(REFERENCE, ~REFERENCE) == 0


def test_a_mask_of_one_class_scores_a_quarter():
    assert e_measure(REFERENCE, np.ones_like(MASK)) == 0.25
    assert e_measure(REFERENCE, np.zeros_like(MASK)) == 0.25


def test_a_reference_of_one_class_is_scored_by_the_share():
    assert e_measure(np.zeros_like(REFERENCE), REFERENCE) == 0.75
    assert e_measure(np.ones_like(REFERENCE), REFERENCE) == 0.25


def test_unknown_pixels_count_for_nothing():
    reference = np.hstack([REFERENCE, [[True, False]]])
    mask = np.hstack([MASK, [[False, True]]])
    known = np.array([[1, 1, 1, 1, 0, 0]], bool)

    assert e_measure(reference, mask, known=known) == pytest.approx(BY_HAND)


def test_nothing_known_gives_nan():
    nothing = np.zeros_like(REFERENCE)

    assert math.isnan(e_measure(REFERENCE, MASK, known=nothing))
    assert math.isnan(mean_e_measure(REFERENCE, MASK, known=nothing))
