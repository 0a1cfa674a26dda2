import math

import numpy as np
import pytest

from segcore.evaluation import s_measure

REFERENCE = np.array([[1, 1, 1, 0, 0]], bool)
MAP = np.array([[1.0, 1.0, 0.5, 0.5, 0.0]])
# Foreground 1, 1, 1/2: mean 5/6, sample variance 1/12. One minus background 1/2, 1: mean 3/4, variance 1/8.
OBJECTS = 0.6 * (5 / 3) / (25 / 36 + 1 + math.sqrt(1 / 12)) + 0.4 * 1.5 / (
    9 / 16 + 1 + math.sqrt(1 / 8)
)
# The centroid is column 1. Left: constant and equal, 1. Right: means 1/3 and 1/3, variances 1/12 and 1/3,
# covariance 1/12: 4 (1/9)(1/12) / ((2/9)(5/12)) = 2/5.
REGIONS = 0.4 * 1 + 0.6 * 2 / 5


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_s_measure_is_that_computed_by_hand(alpha):
    expected = alpha * OBJECTS + (1 - alpha) * REGIONS

    assert s_measure(REFERENCE, MAP, alpha=alpha) == pytest.approx(expected)


def test_a_map_is_read_upright_and_lying():
    assert s_measure(REFERENCE.T, MAP.T) == pytest.approx((OBJECTS + REGIONS) / 2)


def test_unknown_pixels_count_for_nothing():
    reference = np.hstack([REFERENCE, [[True, False]]])
    values = np.hstack([MAP, [[0.0, 1.0]]])
    known = np.array([[1, 1, 1, 1, 1, 0, 0]], bool)

    assert s_measure(reference, values, known=known) == pytest.approx((OBJECTS + REGIONS) / 2)


def test_a_foreground_that_reaches_the_last_row_leaves_blocks_empty():
    reference = np.array([[0, 0], [0, 1]], bool)

    assert s_measure(reference, reference) == pytest.approx(1)


def test_a_reference_of_one_class_is_scored_by_the_mean():
    assert s_measure(np.zeros_like(REFERENCE), MAP) == pytest.approx(0.4)
    assert s_measure(np.ones_like(REFERENCE), MAP) == pytest.approx(0.6)


def test_the_opposite_of_the_reference_scores_nothing():
    rng = np.random.default_rng(0)
    reference = rng.random((20, 30)) < 0.4

    assert s_measure(reference, ~reference) == 0
    assert s_measure(reference, reference) == pytest.approx(1)


def test_nothing_known_gives_nan():
    assert math.isnan(s_measure(REFERENCE, MAP, known=np.zeros_like(REFERENCE)))
