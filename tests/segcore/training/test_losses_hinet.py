import math

import pytest
import torch

from segcore.training.losses import IGNORE
from segcore.training.losses_hinet import hinet_loss, mask_loss, presence_loss

LN3 = math.log(3)  # sigmoid(ln 3) = 3/4
TARGET = torch.tensor([[[1, 0, IGNORE]], [[0, 0, 0]]])
LOGITS = torch.tensor([[[[LN3, LN3, -9.0]]], [[[0.0, 0.0, 0.0]]]])
PRESENCE = torch.tensor([LN3, LN3])


def test_the_mask_term_is_the_mean_bce_of_the_known_pixels():
    expected = -(math.log(3 / 4) + math.log(1 / 4) + 3 * math.log(1 / 2)) / 5

    assert mask_loss(LOGITS, TARGET).item() == pytest.approx(expected)


def test_two_channels_cost_what_their_difference_costs():
    pair = torch.cat([torch.randn(2, 1, 1, 3), torch.zeros(2, 1, 1, 3)], 1)
    pair[:, 1] = pair[:, 0] + LOGITS[:, 0]

    assert mask_loss(pair, TARGET).item() == pytest.approx(
        mask_loss(LOGITS, TARGET).item(), rel=1e-5
    )


def test_the_presence_term_is_the_mean_bce_of_the_pictures():
    expected = -(math.log(3 / 4) + math.log(1 / 4)) / 2

    assert presence_loss(PRESENCE, TARGET).item() == pytest.approx(expected)


def test_a_negative_picture_counts_by_what_is_known_of_it():
    target = TARGET.clone()
    target[1, 0, 1:] = IGNORE  # a third is known
    expected = -(math.log(3 / 4) + math.log(1 / 4) / 3) / (4 / 3)

    assert presence_loss(PRESENCE, target).item() == pytest.approx(expected)


def test_the_tumor_may_be_any_class():
    target = torch.tensor([[[2, 2]], [[0, 0]]])

    assert presence_loss(PRESENCE, target, tumor=0).item() == pytest.approx(
        -(math.log(1 / 4) + math.log(3 / 4)) / 2
    )


def test_the_loss_is_the_sum_of_both_terms():
    expected = presence_loss(PRESENCE, TARGET) + mask_loss(LOGITS, TARGET)

    assert hinet_loss(LOGITS, PRESENCE, TARGET) == expected


def test_a_picture_without_labels_teaches_nothing():
    target = TARGET.clone()
    target[1] = IGNORE
    logits, presence = LOGITS.clone().requires_grad_(), PRESENCE.clone().requires_grad_()

    hinet_loss(logits, presence, target).backward()

    assert not logits.grad[1].any()
    assert presence.grad[1] == 0
    assert presence.grad[0] != 0
