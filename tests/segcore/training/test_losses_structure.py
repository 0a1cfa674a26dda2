import math

import numpy as np
import pytest
import torch

from segcore.training.losses import IGNORE
from segcore.training.losses_structure import structure_loss, structure_weights


def by_formula(logits: np.ndarray, target: np.ndarray, smoothing: float = 1.0) -> float:
    """Return the loss of (N, H, W) logits in numpy, window by window."""
    losses = []
    for z, t in zip(logits, target, strict=True):
        known, truth = t != IGNORE, t == 1
        if not known.any():
            continue
        weight = np.zeros(z.shape)
        for y, x in np.argwhere(known):
            window = np.s_[max(y - 15, 0) : y + 16, max(x - 15, 0) : x + 16]
            inside = known[window].size / 31**2  # beyond the frame the truth is 0
            weight[y, x] = 1 + 5 * abs(inside * truth[window][known[window]].mean() - truth[y, x])
        p = 1 / (1 + np.exp(-z))
        bce = -np.where(truth, np.log(p), np.log(1 - p))
        shared, either = (weight * p * truth).sum(), (weight * np.where(truth, 1, p)).sum()
        losses.append(
            (weight * bce).sum() / weight.sum() + 1 - (shared + smoothing) / (either + smoothing)
        )
    return float(np.mean(losses))


def picture(seed: int, *, unknown: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits (3, 1, 40, 37) and a target with blobs; `unknown` is the share that is IGNORE."""
    rng = np.random.default_rng(seed)
    target = np.kron(rng.integers(0, 2, (3, 5, 5)), np.ones((8, 8), int))[..., :37]
    target[rng.random(target.shape) < unknown] = IGNORE
    return torch.from_numpy(rng.normal(size=(3, 1, 40, 37))), torch.from_numpy(target)


@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_loss_is_that_of_the_formula(unknown):
    logits, target = picture(1, unknown=unknown)

    found = structure_loss(logits, target)

    assert found.item() == pytest.approx(by_formula(logits[:, 0].numpy(), target.numpy()), rel=1e-5)


def test_loss_of_a_single_pixel_is_that_computed_by_hand():
    weight = 1 + 5 * (1 - 1 / 961)  # the rest of its window lies beyond the frame
    expected = math.log(2) + 1 - (weight / 2 + 1) / (weight + 1)

    found = structure_loss(torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, dtype=torch.long))

    assert found.item() == pytest.approx(expected)


def test_boundaries_weigh_most_and_the_middle_of_a_region_one():
    truth = torch.zeros(1, 80, 80)
    truth[:, :, 40:] = 1

    weights = structure_weights(truth, torch.ones_like(truth))[0, 40]

    assert weights[20] == 1
    assert weights[39].item() == pytest.approx(1 + 5 * 15 / 31)
    assert weights[40].item() == pytest.approx(1 + 5 * 15 / 31)
    assert weights.argmax() in (39, 40)


def test_unknown_tissue_makes_no_boundary():
    truth, known = torch.zeros(1, 80, 80), torch.zeros(1, 80, 80)
    truth[:, :, 40:] = known[:, :, 40:] = 1

    weights = structure_weights(truth, known)[0, 40]

    assert weights[40:60].tolist() == pytest.approx([1] * 20)
    assert not weights[:40].any()


def test_a_picture_without_labels_does_not_dilute_the_mean():
    logits, target = picture(2, unknown=0.0)
    target[1:] = IGNORE

    assert structure_loss(logits, target) == structure_loss(logits[:1], target[:1])


def test_unknown_pixels_have_no_gradient():
    logits, target = picture(3, unknown=0.5)
    logits.requires_grad_()

    structure_loss(logits, target).backward()

    assert not logits.grad[:, 0][target == IGNORE].any()
    assert logits.grad[:, 0][target != IGNORE].abs().min() > 0


def test_one_class_of_many_is_weighed_against_the_rest():
    logits, target = torch.randn(2, 4, 20, 20), torch.randint(0, 4, (2, 20, 20))
    odds = torch.logit(logits.double().softmax(1)[:, 2:3])

    found = structure_loss(logits, target, foreground=2)

    assert found.item() == pytest.approx(
        structure_loss(odds, (target == 2).long()).item(), rel=1e-5
    )
