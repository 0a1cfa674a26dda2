import math

import pytest
import torch

from segcore.training.losses import IGNORE
from segcore.training.losses_consistency import consistency_loss

# Probabilities (1/4, 3/4) and (1/2, 1/2) against (1/2, 1/2) at both pixels.
FIRST = torch.tensor([[[[0.0, 0.0]], [[math.log(3), 0.0]]]])
SECOND = torch.zeros(1, 2, 1, 2)


def test_loss_is_that_computed_by_hand():
    assert consistency_loss(FIRST, SECOND).item() == pytest.approx((1 / 16 + 0) / 2)


def test_pixels_without_label_are_left_out_where_a_target_says_so():
    assert consistency_loss(FIRST, SECOND, torch.tensor([[[2, IGNORE]]])).item() == pytest.approx(
        1 / 16
    )
    assert consistency_loss(FIRST, SECOND, torch.tensor([[[IGNORE, 1]]])).item() == 0


def test_one_channel_is_a_sigmoid():
    logit = torch.full((1, 1, 1, 1), math.log(3))

    assert consistency_loss(logit, torch.zeros_like(logit)).item() == pytest.approx(1 / 16)


def test_it_does_not_matter_which_network_comes_first():
    one, two = torch.randn(2, 2, 3, 5, 5)

    assert consistency_loss(one, two) == consistency_loss(two, one)
    assert consistency_loss(one, one + 7) < 1e-12  # a softmax does not see a common shift


def test_a_detached_network_only_teaches():
    one, two = FIRST.clone().requires_grad_(), SECOND.clone().requires_grad_()

    consistency_loss(one, two.detach()).backward()

    assert one.grad.any()
    assert two.grad is None
