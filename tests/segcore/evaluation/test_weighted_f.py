import math

import numpy as np
import pytest

from segcore.evaluation import weighted_f_measure

REFERENCE = np.zeros((21, 21), bool)
REFERENCE[10, 10] = True


def found_half() -> np.ndarray:
    return REFERENCE * 0.5


def test_a_fainter_map_has_full_precision_and_less_recall():
    assert weighted_f_measure(REFERENCE, found_half()) == pytest.approx(2 * 0.5 / 1.5)


@pytest.mark.parametrize(("distance", "weight"), [(5, 1.5), (10, 1.75)])
def test_a_false_claim_weighs_more_the_farther_it_lies(distance, weight):
    values = found_half()
    values[10, 10 - distance] = 0.5
    precision, recall = 0.5 / (0.5 + 0.5 * weight), 0.5

    expected = 2 * precision * recall / (precision + recall)

    assert weighted_f_measure(REFERENCE, values) == pytest.approx(expected)


def test_beta_leans_towards_recall():
    values = found_half()
    values[10, 5] = 0.5  # precision 0.4, recall 0.5

    assert weighted_f_measure(REFERENCE, values, beta=2) == pytest.approx(5 * 0.2 / (4 * 0.4 + 0.5))


def test_a_lone_miss_within_the_foreground_is_spread_over_its_neighbours():
    full = np.ones((21, 21), bool)
    values = full.astype(float)
    values[10, 10] = 0
    centre = (1 / sum(math.exp(-(i**2) / 50) for i in range(-3, 4))) ** 2
    recall = 1 - centre / full.size

    assert weighted_f_measure(full, values) == pytest.approx(2 * recall / (1 + recall))


def test_a_perfect_map_scores_one_and_an_empty_map_nothing():
    assert weighted_f_measure(REFERENCE, REFERENCE) == 1
    assert weighted_f_measure(REFERENCE, np.zeros_like(REFERENCE)) == 0


def test_without_foreground_a_claim_scores_nothing_and_silence_nan():
    empty = np.zeros_like(REFERENCE)

    assert weighted_f_measure(empty, found_half()) == 0
    assert math.isnan(weighted_f_measure(empty, empty))
    assert math.isnan(weighted_f_measure(REFERENCE, REFERENCE, known=empty))


def test_a_frame_of_unknown_pixels_changes_nothing():
    rng = np.random.default_rng(2)
    reference = np.zeros((30, 30), bool)
    reference[6:20, 8:24] = True
    values = rng.random((30, 30))
    known = np.pad(np.ones_like(reference), 9)
    wide = np.pad(reference, 9, constant_values=True)
    around = np.pad(values, 9, constant_values=0.3)

    expected = weighted_f_measure(reference, values)

    assert weighted_f_measure(wide, around, known=known) == pytest.approx(expected)


def test_unknown_neighbours_take_the_mean_of_the_known():
    full = np.ones((21, 21), bool)
    known = np.zeros_like(full)
    known[7:14, 7:14] = np.indices((7, 7)).sum(0) % 3 > 0

    # The error is 1/2 at every known pixel, and so is its mean over the known neighbours.
    found = weighted_f_measure(full, full * 0.5, known=known)

    assert found == pytest.approx(2 * 0.5 / 1.5)
