"""HI-Net: a feature pyramid with attention on its way down, read from the attentions down to `HINet`.

The paper: "HI-Net" (2025), section 3; equation numbers below are its own. Where it is silent: the pyramid
has 192 channels, which its six groups of GroupNorm divide; the attentions are those of CBAM (Woo et al.
2018), which it names as their model; the "common coarse map" of the shortcuts lies at stride 4.

    image -> ResNet -> C2..C5 -> laterals + TDA, from the top down -> P2..P5 -> a shortcut each -> sum -> classifier
"""

from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.models.lightmuseg import pad_to_stride
from segcore.models.resnet import ResNet

PYRAMID = 192
GROUPS = 6  # G of eq. 5
REDUCTION = 16  # CBAM's r


def conv_gn_relu(inputs: int, outputs: int) -> nn.Sequential:
    """Return the paper's transition module: 3x3 convolution, GroupNorm (eq. 5), ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.GroupNorm(GROUPS, outputs),
        nn.ReLU(inplace=True),
    )


class ChannelAttention(nn.Module):
    """M_c of eq. 6: one perceptron reads the mean and the maximum of each channel; the answers are added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // REDUCTION)
        self.up = nn.Linear(channels // REDUCTION, channels)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.sigmoid(self.answer(x.mean((2, 3))) + self.answer(x.amax((2, 3))))
        return x * weight[:, :, None, None]  # (N, C, H, W)

    def answer(self, pooled: Tensor) -> Tensor:
        return self.up(F.relu(self.down(pooled)))  # (N, C)


class SpatialAttention(nn.Module):
    """M_s of eq. 6: a 7x7 convolution of the channels' mean and maximum weighs each position."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        summary = [x.mean(1, keepdim=True), x.amax(1, keepdim=True)]
        return x * torch.sigmoid(self.conv(torch.cat(summary, dim=1)))  # (N, C, H, W)


class TDA(nn.Module):
    """Top-Down Attention (section 3.1, fig. 5): carry a coarser level to the next finer one.

    The coarser level passes transition, channel and spatial attention, is doubled, and is added to the
    lateral feature.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.transition = conv_gn_relu(channels, channels)
        self.channel = ChannelAttention(channels)
        self.spatial = SpatialAttention()

    def forward(self, coarse: Tensor, lateral: Tensor) -> Tensor:
        attended = self.spatial(self.channel(self.transition(coarse)))  # (N, C, H/2, W/2)
        return lateral + F.interpolate(attended, scale_factor=2.0, mode="nearest")  # (N, C, H, W)


class PlainStep(nn.Module):
    """A feature pyramid's own way down: double the coarser level, add the lateral; TDA left out."""

    def forward(self, coarse: Tensor, lateral: Tensor) -> Tensor:
        return lateral + F.interpolate(coarse, scale_factor=2.0, mode="nearest")  # (N, C, H, W)


class Shortcut(nn.Module):
    """Convolution, GroupNorm, ReLU, and up to the common coarse map in one step (section 3.2, fig. 6)."""

    def __init__(self, channels: int, *, factor: int) -> None:
        super().__init__()
        self.conv = conv_gn_relu(channels, channels)
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return enlarge(self.conv(x), self.factor)  # (N, C, factor H, factor W)


def enlarge(x: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return x
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


class HINet(nn.Module):
    """(N, 3, H, W) normalised image -> (N, classes, H, W) logits, for any H and W.

    `tda` and `shortcut` leave a module out, as the paper's table 3 does; without both this is ResNet + FPN.
    """

    def __init__(
        self, classes: int, *, depth: int = 101, tda: bool = True, shortcut: bool = True
    ) -> None:
        super().__init__()
        self.encoder = ResNet(depth)
        self.laterals = nn.ModuleList(nn.Conv2d(c, PYRAMID, 1) for c in ResNet.channels)
        self.attentions = nn.ModuleList(
            TDA(PYRAMID) if tda else PlainStep() for _ in pairwise(ResNet.channels)
        )
        self.shortcuts = nn.ModuleList(
            Shortcut(PYRAMID, factor=f) for f in (1, 2, 4, 8) if shortcut
        )
        self.classifier = nn.Conv2d(PYRAMID, classes, 1)
        self.presence = nn.Linear(ResNet.channels[-1], 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.mask_logits(self.features(image), image)

    def outputs(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return mask logits (N, classes, H, W) and the logit of "tumor present" (N,), as eq. 1 needs."""
        maps = self.features(image)
        present = self.presence(maps[-1].mean((2, 3)))  # (N, 1)
        return self.mask_logits(maps, image), present[:, 0]

    def features(self, image: Tensor) -> list[Tensor]:
        return self.encoder(pad_to_stride(image))  # C2 at H/4, C3 at H/8, C4 at H/16, C5 at H/32

    def mask_logits(self, maps: list[Tensor], image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        levels = self.pyramid(maps)
        if self.shortcuts:
            pairs = zip(self.shortcuts, levels, strict=True)
            coarse = reduce(torch.add, (lift(level) for lift, level in pairs))  # (N, 192, H/4, W/4)
        else:
            coarse = levels[0]  # P2, which the way down has given something of all
        return enlarge(self.classifier(coarse), 4)[..., :height, :width]  # (N, classes, H, W)

    def pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """Return P2 to P5, 192 channels each, at the sizes of C2 to C5."""
        *finer, level = [lateral(x) for lateral, x in zip(self.laterals, maps, strict=True)]
        levels = [level]  # P5
        for attention, lateral in zip(self.attentions, reversed(finer), strict=True):
            levels.append(attention(levels[-1], lateral))
        return levels[::-1]
