import math

import numpy as np
import pytest
from scipy.special import softmax

from segcore.evaluation.confidence import entropy, fit_temperature, with_temperature


def test_entropy_is_in_bits():
    likely = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4, [0.5, 0.25, 0.25, 0]]).T

    assert entropy(likely) == pytest.approx([0, 1, 2, 1.5])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_temperature_divides_the_logits(temperature):
    logits = np.random.default_rng(0).normal(0, 3, (4, 50))

    found = with_temperature(softmax(logits, axis=0), temperature)

    assert found == pytest.approx(softmax(logits / temperature, axis=0))


def test_hot_answers_are_less_sure_and_say_the_same():
    likely = softmax(np.random.default_rng(1).normal(0, 3, (4, 50)), axis=0)
    hot = with_temperature(likely, 2.5)

    assert (entropy(hot) > entropy(likely)).all()
    assert np.array_equal(hot.argmax(0), likely.argmax(0))


@pytest.mark.parametrize(("right", "margin"), [(75, 4.0), (90, 1.0), (60, 2.0)])
def test_the_fitted_temperature_is_that_of_the_closed_form(right, margin):
    # Two classes, always the same logits, right in p of the cases: p = sigmoid(margin / T).
    logits = np.array([[margin], [0.0]]).repeat(100, axis=1)
    channels = np.repeat([0, 1], [right, 100 - right])

    found = fit_temperature(logits, channels)

    assert found == pytest.approx(margin / math.log(right / (100 - right)), rel=1e-3)


def test_pixels_without_a_label_count_for_nothing():
    logits = np.array([[3.0], [0.0]]).repeat(100, axis=1).reshape(2, 10, 10)
    channels = np.full((10, 10), -1)
    channels[0, :8], channels[0, 8:] = 0, 1

    assert fit_temperature(logits, channels) == pytest.approx(3 / math.log(4), rel=1e-3)
    with pytest.raises(ValueError, match="labelled"):
        fit_temperature(logits, np.full((10, 10), -1))
