import math

import numpy as np
import pytest

from segcore.evaluation import mean_absolute_error

REFERENCE = np.array([[1, 0, 0, 1]], bool)
MAP = np.array([[0.75, 0.5, 0.0, np.nan]])
KNOWN = np.array([[1, 1, 1, 0]], bool)


def test_error_is_the_mean_over_known_pixels():
    assert mean_absolute_error(REFERENCE, MAP, known=KNOWN) == (0.25 + 0.5) / 3


def test_a_faint_map_is_not_stretched():
    assert mean_absolute_error(REFERENCE, np.full((1, 4), 0.25)) == 0.5


def test_nothing_known_gives_nan():
    assert math.isnan(mean_absolute_error(REFERENCE, MAP, known=np.zeros_like(KNOWN)))


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, 255])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_absolute_error(REFERENCE, np.full((1, 4), value))
