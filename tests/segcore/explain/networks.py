"""Networks small enough to be reckoned by hand."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.models import Bundle, Normalisation
from tests.segcore.cards import card

PLAIN = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""The network sees rgb / 255."""


class Tiny(nn.Module):
    """Two 3 x 3 layers: what a pixel sees is 5 x 5, so tiles with context change nothing."""

    def __init__(self, classes):
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.second = nn.Conv2d(6, classes, 3, padding=1)

    def forward(self, x):
        return self.second(F.relu(self.first(x)))


def tiny_bundle():
    return Bundle(card(), Tiny(5), torch.device("cpu"))


def darkness_bundle(steepness=8.0, **changes):
    """Return a bundle that calls "Tumor" what is darker than half grey: logit = steepness x (1/2 - mean of rgb)."""
    layer = nn.Conv2d(3, 1, 1)
    nn.init.constant_(layer.weight, -steepness / 3)
    nn.init.constant_(layer.bias, steepness / 2)
    values = {"classes": ("Tumor",), "normalisation": PLAIN, **changes}
    bundle = Bundle(card(**values), nn.Sequential(layer), torch.device("cpu"))
    bundle.precision = torch.float32  # eight bits of mantissa would hide what is reckoned by hand
    return bundle


class Constant(nn.Module):
    """Answers every pixel with the same logits."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, x):
        return self.logits[None, :, None, None].expand(len(x), -1, *x.shape[2:])


def answering(predict, classes=("Tumor", "Stroma", "Other"), **changes):
    """Return a bundle that answers each picture (H, W, 3) with `predict`'s (C, H, W) probabilities."""

    class Answering(Bundle):
        def predict(self, tiles):
            return np.stack([predict(tile) for tile in tiles]).astype(np.float32)

    values = {"classes": classes, "normalisation": PLAIN, **changes}
    return Answering(card(**values), nn.Identity(), torch.device("cpu"))
