import math

import numpy as np
import pytest

from segcore.evaluation import boundary, boundary_f1


def square(*, column: int = 5, row: int = 5) -> np.ndarray:
    mask = np.zeros((30, 30), bool)
    mask[row : row + 10, column : column + 10] = True
    return mask


EMPTY = np.zeros((30, 30), bool)


def test_the_boundary_is_the_outermost_foreground():
    ring = square()
    ring[6:14, 6:14] = False

    assert np.array_equal(boundary(square()), ring)


def test_the_frame_bounds_nothing():
    half = np.zeros((4, 6), bool)
    half[:, :3] = True

    assert np.array_equal(np.argwhere(boundary(half))[:, 1], [2, 2, 2, 2])


def test_unlabelled_tissue_bounds_nothing():
    known = np.ones((30, 30), bool)
    known[:, 15:] = False

    found = boundary(square(), known=known)

    assert not found[6:14, 14].any()
    assert found[6:14, 5].all()


def test_one_column_aside_half_of_the_boundary_is_met():
    # 36 pixels each; of the upper and the lower side 9 pixels coincide, of the others none.
    assert boundary_f1(square(), square(column=6), tolerance=0) == 18 / 36
    assert boundary_f1(square(), square(column=6), tolerance=1) == 1


def test_precision_and_recall_are_met_harmonically():
    two = square() | square(column=18, row=18)

    # All 36 predicted pixels are met, half of the reference's 72.
    assert boundary_f1(two, square(), tolerance=1) == pytest.approx(2 * 0.5 / 1.5)


def test_tolerance_is_in_micrometres_where_the_pixel_size_is_given():
    aside = square(column=6)

    assert boundary_f1(square(), aside, tolerance=0.25, mpp=0.25) == 1
    assert boundary_f1(square(), aside, tolerance=0.2, mpp=0.25) == 0.5


def test_three_pixels_of_a_tenth_are_three_tenths():
    assert boundary_f1(square(), square(column=8), tolerance=0.3, mpp=0.1) == 1


def test_a_boundary_on_one_side_only_scores_nothing_and_on_none_nan():
    assert boundary_f1(square(), EMPTY, tolerance=2) == 0
    assert boundary_f1(EMPTY, square(), tolerance=2) == 0
    assert math.isnan(boundary_f1(EMPTY, EMPTY, tolerance=2))
    assert math.isnan(boundary_f1(~EMPTY, ~EMPTY, tolerance=2))
    assert math.isnan(boundary_f1(square(), square(), tolerance=2, known=EMPTY))


def test_boundaries_out_of_reach_score_nothing():
    assert boundary_f1(square(), square(column=18, row=18), tolerance=1) == 0


def test_what_is_claimed_on_unknown_tissue_costs_nothing():
    known = np.ones((30, 30), bool)
    known[17:, 17:] = False
    claimed = square() | square(column=19, row=19)

    assert boundary_f1(square(), claimed, tolerance=0, known=known) == 1


@pytest.mark.parametrize("tolerance", [-1, math.nan, math.inf])
def test_a_tolerance_without_meaning_is_refused(tolerance):
    with pytest.raises(ValueError, match="no meaning"):
        boundary_f1(EMPTY, EMPTY, tolerance=tolerance)
    with pytest.raises(ValueError, match="no meaning"):
        boundary_f1(EMPTY, EMPTY, tolerance=1, mpp=0)
