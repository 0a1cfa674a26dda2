"""HI-Net's loss: whether there is tumor in a picture, and which pixels it is."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.training.losses import IGNORE, cross_entropy


def hinet_loss(logits: Tensor, presence: Tensor, target: Tensor, *, tumor: int = 1) -> Tensor:
    """Return the classification term + the mask term (HI-Net, eq. 1-3, with the sign that eq. 2 lacks).

    `logits` (N, C, H, W), `presence` (N,) logits of "tumor present", `target` (N, H, W), where class `tumor`
    is the tumor. Pixels and pictures that are `IGNORE` cost nothing.
    """
    return presence_loss(presence, target, tumor=tumor) + mask_loss(logits, target, tumor=tumor)


def presence_loss(presence: Tensor, target: Tensor, *, tumor: int = 1) -> Tensor:
    """Return the mean BCE of "tumor present" over the pictures (eq. 2).

    One tumor pixel makes a picture positive. Where none is known, tumor may still hide under `IGNORE`, so a
    negative picture counts by the share of its pixels that is known.
    """
    present = (target == tumor).flatten(1).any(1).float()  # (N,)
    share = (target != IGNORE).flatten(1).float().mean(1)
    weight = torch.maximum(present, share)
    bce = F.binary_cross_entropy_with_logits(presence.float(), present, reduction="none")
    total = weight.sum()
    return (weight * bce).sum() / torch.where(total > 0, total, 1)


def mask_loss(logits: Tensor, target: Tensor, *, tumor: int = 1) -> Tensor:
    """Return the mean BCE of the known pixels (eq. 3).

    Of C > 1 classes it is the cross-entropy of their softmax, which for two is the BCE of the difference.
    """
    if logits.shape[1] > 1:
        return cross_entropy(logits.float(), target)
    known = (target != IGNORE).float()
    truth = (target == tumor).float()
    bce = F.binary_cross_entropy_with_logits(logits[:, 0].float(), truth, reduction="none")
    return (bce * known).sum() / known.sum().clamp_min(1)
