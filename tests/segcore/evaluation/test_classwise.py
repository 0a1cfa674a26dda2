from functools import partial

import numpy as np
import pytest

from segcore.evaluation import boundary_f1, confusion, dice, mean_absolute_error, per_class

CODES = [1, 2, 4]
RNG = np.random.default_rng(4)
REFERENCE, PREDICTED = RNG.choice([0, 1, 2, 4], (2, 30, 20)).astype(np.uint8)


def test_masks_of_each_class_score_as_the_counts_say():
    expected = confusion(REFERENCE, PREDICTED, CODES).dice

    assert per_class(dice, REFERENCE, PREDICTED, CODES) == pytest.approx(expected)


def test_probabilities_are_scored_channel_by_channel():
    probabilities = np.stack([np.equal(PREDICTED, code) for code in CODES]).astype(np.float32)
    known = REFERENCE != 0
    wrong = [np.equal(REFERENCE, code) != np.equal(PREDICTED, code) for code in CODES]
    expected = [each[known].mean() for each in wrong]

    found = per_class(mean_absolute_error, REFERENCE, probabilities, CODES)

    assert found == pytest.approx(expected)


def test_a_score_with_settings_is_given_as_a_partial():
    found = per_class(partial(boundary_f1, tolerance=1, mpp=0.5), REFERENCE, REFERENCE, CODES)

    assert found.tolist() == [1, 1, 1]


def test_a_channel_too_few_is_refused():
    with pytest.raises(ValueError, match="3 classes"):
        per_class(dice, REFERENCE, np.zeros((2, 30, 20)), CODES)
