"""The foreground logit: one class of a network's output against all others."""

import torch
from torch import Tensor


def foreground_logit(logits: Tensor, foreground: int = 1) -> Tensor:
    """Return (N, H, W) float32 z with sigmoid(z) = the probability of class `foreground`.

    (N, 1, H, W) logits are z themselves; of C > 1 it is z_f - log(sum of exp z_c, c other than f), the
    log-odds of the softmax.
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        return logits[:, 0]
    others = torch.cat([logits[:, :foreground], logits[:, foreground + 1 :]], dim=1)
    return logits[:, foreground] - others.logsumexp(1)
