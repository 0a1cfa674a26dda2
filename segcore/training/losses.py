"""Losses of multi-class segmentation; target 0..classes-1, `IGNORE` where nothing is known."""

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

IGNORE = 255


def dice_loss(logits: Tensor, target: Tensor, *, epsilon: float = 1.0) -> Tensor:
    """Return 1 - mean soft Dice over the classes present in the batch's (N, H, W) target."""
    classes = logits.shape[1]
    known = (target != IGNORE)[:, None]  # (N, 1, H, W)
    probabilities = logits.softmax(1) * known
    truth = F.one_hot(target.where(target != IGNORE, 0), classes).movedim(-1, 1) * known
    shared = (probabilities * truth).sum((0, 2, 3))  # (classes,)
    total = (probabilities + truth).sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    dice = (2 * shared + epsilon) / (total + epsilon)
    return 1 - dice[present].mean() if present.any() else logits.sum() * 0


def cross_entropy(logits: Tensor, target: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy over the known pixels; 0 where there are none."""
    total = F.cross_entropy(
        logits, target, ignore_index=IGNORE, reduction="sum", label_smoothing=smoothing
    )
    return total / (target != IGNORE).sum().clamp_min(1)


def dice_cross_entropy(logits: Tensor, target: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return Dice loss + cross-entropy (LightMuSeg, 3.1)."""
    return dice_loss(logits, target) + cross_entropy(logits, target, smoothing=smoothing)
