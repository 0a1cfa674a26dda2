import math

import numpy as np
import pytest

from segcore.evaluation import dice, iou, sensitivity

REFERENCE = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
PREDICTED = np.array([[1, 1, 0, 1], [1, 1, 0, 0]], bool)  # 2 hits, 3 false, 1 missed
KNOWN = np.array([[1, 1, 1, 1], [0, 0, 1, 1]], bool)  # two of the false are not known to be so
EMPTY = np.zeros_like(REFERENCE)


def test_scores_are_those_computed_by_hand():
    assert dice(REFERENCE, PREDICTED) == 4 / 8
    assert iou(REFERENCE, PREDICTED) == 2 / 6
    assert sensitivity(REFERENCE, PREDICTED) == 2 / 3


def test_unknown_pixels_count_for_nothing():
    assert dice(REFERENCE, PREDICTED, known=KNOWN) == 4 / 6
    assert iou(REFERENCE, PREDICTED, known=KNOWN) == 2 / 4
    assert sensitivity(REFERENCE, PREDICTED, known=~REFERENCE | PREDICTED) == 1


@pytest.mark.parametrize("score", [dice, iou, sensitivity])
def test_two_empty_masks_score_nan(score):
    assert math.isnan(score(EMPTY, EMPTY))
    assert math.isnan(score(REFERENCE, PREDICTED, known=EMPTY))


def test_only_sensitivity_says_nothing_of_a_claim_without_foreground():
    assert dice(EMPTY, PREDICTED) == iou(EMPTY, PREDICTED) == 0
    assert math.isnan(sensitivity(EMPTY, PREDICTED))


def test_codes_do_not_pass_for_masks():
    codes = np.array([[0, 1, 2]], np.uint8)

    with pytest.raises(ValueError, match="compare one class"):
        dice(codes, codes == 1)
    with pytest.raises(ValueError, match="compare one class"):
        dice(codes == 1, codes)
    with pytest.raises(ValueError, match="compare one class"):
        dice(codes == 1, codes == 1, known=codes)


def test_pictures_of_different_size_are_not_compared():
    with pytest.raises(ValueError, match="shapes"):
        dice(REFERENCE, PREDICTED[:, :1])
