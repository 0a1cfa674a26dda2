"""Soft Dice + weighted cross-entropy: the loss of MobileNetV2 + U-Net, made for rare classes."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.training.losses import IGNORE, dice_loss


def soft_dice_cross_entropy(logits: Tensor, target: Tensor, class_weights: Tensor) -> Tensor:
    """Return soft Dice loss (eps 1e-6) + cross-entropy weighed by class.

    `logits` (N, C, H, W), C > 1; `target` (N, H, W); `class_weights` (C,), as of `inverse_frequency`. A
    batch that is wholly `IGNORE` costs nothing.
    """
    dice = dice_loss(logits, target, epsilon=1e-6)
    return dice + weighted_cross_entropy(logits, target, class_weights)


def weighted_cross_entropy(logits: Tensor, target: Tensor, class_weights: Tensor) -> Tensor:
    """Return sum(w_y ce) / sum(w_y) over the known pixels, y their class; 0 where that weighs nothing."""
    weights = class_weights.to(logits)
    total = F.cross_entropy(logits, target, weights, ignore_index=IGNORE, reduction="sum")
    known = target[target != IGNORE]
    weight = weights[known].sum()
    return total / torch.where(weight > 0, weight, 1)


def inverse_frequency(counts: Tensor) -> Tensor:
    """Return w_c = n / (k n_c) of the pixels n_c of each class, (C,), k classes present; 0 for the absent.

    The weights' mean over all n pixels is 1. Count over the training set: a batch knows little of rare classes.
    """
    counts = counts.double()
    present = counts > 0
    even = counts.sum() / present.sum().clamp_min(1)  # pixels of each class if all were as frequent
    return torch.where(present, even / counts.clamp_min(1), 0).float()
