import math

import pytest
import torch

from segcore.training.losses import IGNORE, cross_entropy, dice_cross_entropy, dice_loss

# Two classes, one row of three pixels; softmax of (0, ln 3) is (1/4, 3/4).
LOGITS = torch.tensor([[[[0.0, 0.0, 5.0]], [[math.log(3), 0.0, -5.0]]]])
TARGET = torch.tensor([[[1, 0, IGNORE]]])


def test_cross_entropy_is_the_mean_over_known_pixels():
    expected = -(math.log(3 / 4) + math.log(1 / 2)) / 2

    assert cross_entropy(LOGITS, TARGET).item() == pytest.approx(expected)


def test_dice_is_that_computed_by_hand():
    # class 0: probabilities 1/4, 1/2; truth 0, 1: 2 * 1/2 / (3/4 + 1). class 1: 2 * 3/4 / (5/4 + 1).
    expected = 1 - (1 / 1.75 + 1.5 / 2.25) / 2

    assert dice_loss(LOGITS, TARGET, epsilon=0.0).item() == pytest.approx(expected)


def test_unknown_pixels_have_no_gradient():
    logits = LOGITS.clone().requires_grad_()

    dice_cross_entropy(logits, TARGET).backward()

    assert logits.grad[..., 2].abs().max() == 0
    assert logits.grad[..., :2].abs().min() > 0


def test_a_batch_without_labels_costs_nothing():
    logits = LOGITS.clone().requires_grad_()

    loss = dice_cross_entropy(logits, torch.full((1, 1, 3), IGNORE))
    loss.backward()

    assert loss.item() == 0
    assert not logits.grad.any()
