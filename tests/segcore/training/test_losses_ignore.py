"""What holds for every loss: where nothing is known it costs nothing, and no gradient is ever infinite."""

import pytest
import torch

from segcore.training.losses import IGNORE, dice_cross_entropy
from segcore.training.losses_consistency import consistency_loss
from segcore.training.losses_hinet import hinet_loss
from segcore.training.losses_structure import structure_loss
from segcore.training.losses_weighted import soft_dice_cross_entropy


def soft_dice_and_weighted_cross_entropy(logits, target):
    return soft_dice_cross_entropy(logits, target, torch.tensor([0.5, 1.0, 2.0]))


def consistency(logits, target):
    return consistency_loss(logits, torch.zeros_like(logits), target)


def hinet(logits, target):
    return hinet_loss(logits, logits[:, :, 0].mean((1, 2)), target)


LOSSES = [
    structure_loss,
    dice_cross_entropy,
    soft_dice_and_weighted_cross_entropy,
    consistency,
    hinet,
]
losses = pytest.mark.parametrize("loss", LOSSES)


@losses
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_where_nothing_is_known_loss_and_gradient_are_zero(loss, scale):
    logits = (torch.randn(2, 3, 20, 20) * scale).requires_grad_()

    found = loss(logits, torch.full((2, 20, 20), IGNORE))
    found.backward()

    assert found.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@losses
@pytest.mark.parametrize("known", [1, 399])
def test_gradients_of_confident_networks_are_finite(loss, known):
    torch.manual_seed(0)
    logits = (torch.randn(2, 3, 20, 20) * 1e4).requires_grad_()
    target = torch.full((2, 400), IGNORE)
    target[:, :known] = torch.randint(0, 3, (2, known))

    found = loss(logits, target.view(2, 20, 20))
    found.backward()

    assert found.isfinite()
    assert logits.grad.isfinite().all()


@losses
def test_what_is_said_of_unknown_pixels_changes_nothing(loss):
    torch.manual_seed(0)
    one, two = torch.randn(2, 2, 3, 20, 20)
    target = torch.randint(0, 3, (2, 20, 20))
    target[:, 5:12] = IGNORE

    mixed = torch.where((target == IGNORE)[:, None], two, one)

    assert loss(one, target).item() == pytest.approx(loss(mixed, target).item(), rel=1e-6)


@pytest.mark.parametrize("loss", [structure_loss, hinet, consistency])
def test_one_channel_does_for_two_classes(loss):
    logits = torch.randn(2, 1, 20, 20).requires_grad_()

    loss(logits, torch.randint(0, 2, (2, 20, 20))).backward()

    assert logits.grad.any()


@losses
def test_a_step_against_the_gradient_lowers_the_loss(loss):
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 20, 20).requires_grad_()
    target = torch.randint(0, 3, (2, 20, 20))

    before = loss(logits, target)
    before.backward()

    assert loss(logits.detach() - 0.1 * logits.grad, target) < before
