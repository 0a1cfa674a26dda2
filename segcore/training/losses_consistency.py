"""The consistency loss: two networks shall say the same of a picture, labelled or not."""

from torch import Tensor

from segcore.training.losses import IGNORE


def consistency_loss(first: Tensor, second: Tensor, target: Tensor | None = None) -> Tensor:
    """Return the mean squared difference of two networks' probabilities, over classes and pixels.

    Tarvainen, Valpola: Mean teachers, NeurIPS 2017; the paper on MobileNetV2 + U-Net asks for such a loss
    and gives no formula. Logits (N, C, H, W), softmax over C, sigmoid where C = 1. Both networks learn from
    it: detach the one that shall only teach. Where `target` (N, H, W) is given, pixels that are `IGNORE`
    there (outside the tissue, say) cost nothing; a pixel needs no label to be compared.
    """
    squared = (_probabilities(first) - _probabilities(second)).square().mean(1)  # (N, H, W)
    if target is None:
        return squared.mean()
    known = target != IGNORE
    return (squared * known).sum() / known.sum().clamp_min(1)


def _probabilities(logits: Tensor) -> Tensor:
    logits = logits.float()
    return logits.softmax(1) if logits.shape[1] > 1 else logits.sigmoid()
