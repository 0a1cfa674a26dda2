import math

import numpy as np
import pytest
import torch

from segcore.training.losses import IGNORE
from segcore.training.losses_weighted import (
    inverse_frequency,
    soft_dice_cross_entropy,
    weighted_cross_entropy,
)

# Two classes, one row of three pixels; softmax of (0, ln 3) is (1/4, 3/4).
LOGITS = torch.tensor([[[[0.0, 0.0, 5.0]], [[math.log(3), 0.0, -5.0]]]])
TARGET = torch.tensor([[[1, 0, IGNORE]]])
WEIGHTS = torch.tensor([1.0, 3.0])


def test_weighted_cross_entropy_is_that_computed_by_hand():
    expected = -(3 * math.log(3 / 4) + math.log(1 / 2)) / 4

    assert weighted_cross_entropy(LOGITS, TARGET, WEIGHTS).item() == pytest.approx(expected)


def test_classes_without_weight_cost_nothing():
    assert weighted_cross_entropy(LOGITS, TARGET, torch.zeros(2)).item() == 0


def test_weights_are_inverse_to_frequency_and_one_on_average():
    counts = torch.tensor([6, 2, 0])

    weights = inverse_frequency(counts)

    assert weights.tolist() == pytest.approx([8 / 12, 8 / 4, 0])
    assert (weights * counts).sum().item() == pytest.approx(8)


def test_no_pixels_give_no_weights():
    assert inverse_frequency(torch.zeros(3)).tolist() == [0, 0, 0]


def test_loss_is_that_of_the_formula():
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(2, 4, 9, 11)), rng.integers(0, 4, (2, 9, 11))
    target[rng.random(target.shape) < 0.3] = IGNORE
    weights = np.array([0.5, 1, 2, 4])

    known = target != IGNORE
    z = np.moveaxis(logits, 1, -1)[known]  # (n, 4)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    truth = np.eye(4)[target[known]]
    dice = (2 * (p * truth).sum(0) + 1e-6) / (p.sum(0) + truth.sum(0) + 1e-6)
    pixel = weights[target[known]]
    entropy = -(pixel * np.log((p * truth).sum(1))).sum() / pixel.sum()

    found = soft_dice_cross_entropy(*map(torch.from_numpy, (logits, target, weights)))

    assert found.item() == pytest.approx(1 - dice.mean() + entropy)


def test_a_perfect_prediction_costs_next_to_nothing():
    target = torch.randint(0, 3, (1, 8, 8))
    logits = 50.0 * torch.nn.functional.one_hot(target, 3).movedim(-1, 1)

    assert soft_dice_cross_entropy(logits, target, torch.ones(3)).item() == pytest.approx(
        0, abs=1e-6
    )
