"""Deep supervision: one loss, summed over a network's output and its side outputs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def deep_supervision(
    loss: Callable[[Tensor, Tensor], Tensor], outputs: Sequence[Tensor], target: Tensor
) -> Tensor:
    """Return the sum of `loss(logits, target)` over the logits that `LightMuSeg.outputs` gives (V3).

    The paper names no weights for the side outputs: they count alike. All must have the target's size.
    """
    return torch.stack([loss(logits, target) for logits in outputs]).sum()
