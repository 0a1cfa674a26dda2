import math

import numpy as np
import pytest

from segcore.evaluation import confusion

REFERENCE = np.array([[1, 1, 1, 2], [2, 2, 0, 0]], np.uint8)
PREDICTED = np.array([[1, 1, 2, 2], [2, 1, 1, 2]], np.uint8)
# Six labelled pixels: class 1 is hit twice of three, class 2 twice of three; one is taken for the other each way.


def test_counts_are_those_counted_by_hand():
    found = confusion(REFERENCE, PREDICTED, [1, 2, 3])

    assert found.counts.tolist() == [[2, 1, 0, 0], [1, 2, 0, 0], [0, 0, 0, 0]]


def test_scores_are_those_computed_by_hand():
    found = confusion(REFERENCE, PREDICTED, [1, 2, 3])

    assert found.iou[:2].tolist() == [2 / 4, 2 / 4]
    assert found.dice[:2].tolist() == [4 / 6, 4 / 6]
    assert found.accuracy == 4 / 6


def test_a_class_that_neither_side_has_scores_nan():
    found = confusion(REFERENCE, PREDICTED, [1, 2, 3])

    assert math.isnan(found.iou[2])
    assert math.isnan(found.dice[2])


def test_an_unlabelled_prediction_is_a_miss():
    found = confusion(np.array([1, 1], np.uint8), np.array([1, 0], np.uint8), [1])

    assert found.iou.tolist() == [0.5]
    assert found.accuracy == 0.5


def test_confusions_of_parts_add_up_to_that_of_the_whole():
    rng = np.random.default_rng(0)
    reference, predicted = rng.integers(0, 4, (2, 30, 20)).astype(np.uint8)
    whole = confusion(reference, predicted, [1, 2, 3])
    parts = [confusion(reference[s], predicted[s], [1, 2, 3]) for s in (np.s_[:11], np.s_[11:])]

    assert np.array_equal((parts[0] + parts[1]).counts, whole.counts)


def test_nothing_labelled_gives_no_accuracy():
    nothing = np.zeros((2, 2), np.uint8)

    assert math.isnan(confusion(nothing, nothing, [1]).accuracy)


def test_pictures_of_different_size_are_not_compared():
    with pytest.raises(ValueError, match="shapes"):
        confusion(REFERENCE, PREDICTED[:1], [1])


# Six pixels of class 1, four found; two of class 2, both found and two more claimed.
UNEVEN = confusion(
    np.array([1, 1, 1, 1, 1, 1, 2, 2, 0], np.uint8),
    np.array([1, 1, 1, 1, 2, 2, 2, 2, 1], np.uint8),
    [1, 2, 3],
)


def test_means_are_those_computed_by_hand_over_the_classes_that_are_there():
    assert UNEVEN.sensitivity[:2].tolist() == [4 / 6, 1]
    assert UNEVEN.mean_accuracy == pytest.approx(5 / 6)
    assert UNEVEN.mean_iou == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert UNEVEN.mean_dice == pytest.approx((8 / 10 + 4 / 6) / 2)


def test_frequency_weighs_the_iou_of_each_class():
    assert UNEVEN.frequency_weighted_iou == pytest.approx(6 / 8 * 4 / 6 + 2 / 8 * 2 / 4)


def test_generalized_dice_weighs_classes_by_their_inverse_squared_size():
    # 2 (4/36 + 2/4) / ((6 + 4)/36 + (2 + 4)/4) = 11/16
    assert UNEVEN.generalized_dice == pytest.approx(11 / 16)


def test_a_class_only_predicted_costs_generalized_dice_as_the_rarest_present():
    found = confusion(np.array([1, 1, 1, 1]), np.array([1, 1, 2, 2]), [1, 2])

    # agreed 2, of 4 + 2 and 0 + 2, all over 4 squared
    assert found.generalized_dice == pytest.approx(0.5)
    assert found.frequency_weighted_iou == pytest.approx(0.5)


def test_nothing_labelled_gives_no_means():
    nothing = confusion(np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8), [1, 2])

    assert np.isnan(nothing.sensitivity).all()
    assert math.isnan(nothing.mean_accuracy)
    assert math.isnan(nothing.mean_iou)
    assert math.isnan(nothing.mean_dice)
    assert math.isnan(nothing.frequency_weighted_iou)
    assert math.isnan(nothing.generalized_dice)
