"""What holds for every measure of a foreground map, whatever the pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segcore.evaluation import mean_absolute_error, mean_e_measure, s_measure, weighted_f_measure

MEASURES = [mean_absolute_error, mean_e_measure, s_measure, weighted_f_measure]
shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a reference, a map and known pixels of one shape."""
    shape = draw(shapes)
    mask = arrays.arrays(bool, shape)
    return draw(mask), draw(arrays.arrays(float, shape, elements=st.floats(0, 1))), draw(mask)


@pytest.mark.parametrize("measure", MEASURES)
@settings(deadline=None, max_examples=60)
@given(pictures())
def test_a_score_lies_between_nothing_and_one_or_is_nan(measure, picture):
    reference, values, known = picture

    found = measure(reference, values, known=known)

    assert np.isnan(found) or -1e-9 <= found <= 1 + 1e-9


@pytest.mark.parametrize("measure", MEASURES)
@settings(deadline=None, max_examples=60)
@given(pictures())
def test_what_is_said_of_unknown_pixels_changes_nothing(measure, picture):
    reference, values, known = picture

    found = measure(reference, values, known=known)
    other = measure(reference ^ ~known, np.where(known, values, 1 - values), known=known)

    assert other == pytest.approx(found, nan_ok=True)
