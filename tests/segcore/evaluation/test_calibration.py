import math

import numpy as np
import pytest

from segcore.evaluation import calibration

# Confidences 0.9, 0.9, 0.6, 0.6 for the codes 1, 1, 1, 2; the last pixel is unlabelled.
PROBABILITIES = np.array([[[0.9, 0.9, 0.6, 0.4, np.nan]], [[0.1, 0.1, 0.4, 0.6, np.nan]]])
REFERENCE = np.array([[1, 2, 1, 2, 0]], np.uint8)  # right, wrong, right, right


def test_error_is_that_computed_by_hand():
    found = calibration(REFERENCE, PROBABILITIES, [1, 2], bins=10)

    assert found.pixels.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 2, 0]
    assert found.expected_error == pytest.approx(abs(0.5 - 0.9) / 2 + abs(1 - 0.6) / 2)


def test_one_bin_compares_mean_confidence_with_accuracy():
    found = calibration(REFERENCE, PROBABILITIES, [1, 2], bins=1)

    assert found.expected_error == pytest.approx(0)  # both are 3/4


def test_a_bin_ends_with_its_upper_edge():
    probabilities = np.array([[[0.5, 0.75, 1.0]], [[0.5, 0.25, 0.0]]])

    found = calibration(np.ones((1, 3), np.uint8), probabilities, [1, 2], bins=4)

    assert found.pixels.tolist() == [0, 1, 1, 1]


def test_parts_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 4, (20, 30)).astype(np.uint8)
    probabilities = rng.dirichlet([1, 1, 1], (20, 30)).transpose(2, 0, 1)

    whole = calibration(reference, probabilities, [1, 2, 3])
    parts = [
        calibration(reference[rows], probabilities[:, rows], [1, 2, 3])
        for rows in (slice(7), slice(7, None))
    ]

    assert (parts[0] + parts[1]).expected_error == pytest.approx(whole.expected_error)


def test_codes_that_the_network_does_not_know_count_for_nothing():
    found = calibration(np.full((1, 5), 9, np.uint8), PROBABILITIES, [1, 2])

    assert math.isnan(found.expected_error)


def test_nothing_labelled_gives_nan():
    found = calibration(np.zeros((1, 5), np.uint8), PROBABILITIES, [1, 2])

    assert math.isnan(found.expected_error)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="2 classes"):
        calibration(REFERENCE, PROBABILITIES[:1], [1, 2])
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration(REFERENCE, PROBABILITIES * 2, [1, 2])


def test_calibrations_of_different_bins_do_not_add():
    with pytest.raises(ValueError, match="bins"):
        calibration(REFERENCE, PROBABILITIES, [1, 2]) + calibration(
            REFERENCE, PROBABILITIES, [1, 2], bins=3
        )
