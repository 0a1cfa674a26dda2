"""LightMuSeg: a light encoder-decoder for histology, read from `MultiScaleConvolution` down to `LightMuSeg`.

The paper: "LightMuSeg" (2026), sections 2.1 and 2.2; equation numbers below are its own. Where the text
says "average" and the formula sums (eq. 4 and 10), the mean is taken, as its figures do.

    image -> MobileNetV2 -> five maps -> an MSFFM each -> decoder: up, convolve, FRFM with the skip -> head

Variants: V1 keeps the encoder frozen, V2 trains all of it, V3 adds side outputs while it is trained.
"""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.models.mobilenetv2 import STRIDE, MobileNetV2

REDUCTION = 4


class MultiScaleConvolution(nn.Module):
    """Parallel 1x1, 3x3 and 5x5 convolutions, concatenated and mixed by a 1x1 (eq. 1).

    There is no non-linearity inside, so the whole is one 5x5 convolution: `merged`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1)
        self.conv3 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv5 = nn.Conv2d(channels, channels, 5, padding=2)
        self.mix = nn.Conv2d(3 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scales = [self.conv1(x), self.conv3(x), self.conv5(x)]  # 3 x (N, C, H, W)
        return self.mix(torch.cat(scales, dim=1))  # (N, C, H, W)

    @torch.no_grad()
    def merged(self) -> nn.Conv2d:
        """Return the 5x5 convolution that equals this block, borders included."""
        channels = self.mix.out_channels
        mixers = self.mix.weight[:, :, 0, 0].double().split(channels, dim=1)  # 3 x (C out, C mid)
        kernel = torch.zeros_like(self.conv5.weight, dtype=torch.float64)
        bias = self.mix.bias.double() if self.mix.bias is not None else torch.zeros(channels)
        for mixer, conv in zip(mixers, (self.conv1, self.conv3, self.conv5), strict=True):
            edge = 2 - conv.padding[0] if isinstance(conv.padding[0], int) else 0
            kernel += F.pad(torch.einsum("om,mikl->oikl", mixer, conv.weight.double()), [edge] * 4)
            if conv.bias is not None:
                bias = bias + mixer @ conv.bias.double()
        conv = nn.Conv2d(channels, channels, 5, padding=2)
        conv.weight.copy_(kernel)
        assert conv.bias is not None  # noqa: S101 - made with one
        conv.bias.copy_(bias)
        return conv


class ChannelAttention(nn.Module):
    """Squeeze and excitation by two 1x1 convolutions (eq. 2 and 3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.excite = nn.Conv2d(channels // REDUCTION, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        return x * torch.sigmoid(self.excite(F.relu(self.squeeze(pooled))))


class SpatialAttention(nn.Module):
    """Weigh each position by a 7x7 convolution of the channels' mean and maximum (eq. 4 to 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat(
            [x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1
        )  # (N, 2, H, W)
        return x * torch.sigmoid(self.conv(summary))


class MSFFM(nn.Module):
    """Multi-Scale Feature Fusion Module: section 2.1, fig. 2; channels are kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scales: nn.Module = MultiScaleConvolution(channels)  # eq. 1
        self.channel = ChannelAttention(channels)  # eq. 2-3
        self.spatial: nn.Module = SpatialAttention()  # eq. 4-8
        self.project = nn.Conv2d(channels, channels, 1)  # eq. 9

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.spatial(self.channel(self.scales(x))))


class FRFM(nn.Module):
    """Feature Refinement and Fusion Module: section 2.2, eq. 10 and on."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // REDUCTION, bias=False)  # W1
        self.up = nn.Linear(channels // REDUCTION, channels, bias=False)  # W2
        self.fuse = nn.Conv2d(2 * channels, channels, 1, bias=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        pooled = (a + b).mean((2, 3))  # (N, C)
        weight = torch.sigmoid(self.up(F.relu(self.down(pooled))))[:, :, None, None]
        return self.fuse(torch.cat([a * weight, b * weight], dim=1))  # (N, C, H, W)


class PlainFusion(nn.Module):
    """Concatenation and 1x1 as in a U-Net: what is left of FRFM without its refinement, for ablations."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fuse = nn.Conv2d(2 * channels, channels, 1, bias=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.fuse(torch.cat([a, b], dim=1))  # (N, C, H, W)


class UpBlock(nn.Module):
    """Bilinear x2, 3x3 convolution, BN, ReLU (CBR of fig. 1), then FRFM with the skip."""

    def __init__(self, inputs: int, outputs: int, *, frfm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )
        self.fusion = FRFM(outputs) if frfm else PlainFusion(outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.fusion(self.conv(upsample(x, 2)), skip)


def upsample(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def side_output(channels: int, classes: int) -> nn.Sequential:
    """Return a head for deep supervision: 3x3 to C/4, dropout 0.1, 1x1."""
    inner = channels // 4
    return nn.Sequential(
        nn.Conv2d(channels, inner, 3, padding=1, bias=False),
        nn.BatchNorm2d(inner),
        nn.ReLU(inplace=True),
        nn.Dropout(0.1),
        nn.Conv2d(inner, classes, 1),
    )


class LightMuSeg(nn.Module):
    """(N, 3, H, W) normalised image -> (N, classes, H, W) logits, for any H and W.

    `msffm` and `frfm` leave a module out, as the paper's table 3 does.
    """

    def __init__(
        self,
        classes: int,
        *,
        frozen: bool = False,
        sides: bool = False,
        msffm: bool = True,
        frfm: bool = True,
    ) -> None:
        super().__init__()
        widths = MobileNetV2.channels  # 16, 24, 32, 96, 320
        self.encoder = MobileNetV2()
        self.skips = nn.ModuleList(MSFFM(width) if msffm else nn.Identity() for width in widths)
        self.decoder = nn.ModuleList(
            UpBlock(deep, shallow, frfm=frfm)
            for deep, shallow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], classes, 3, padding=1)
        self.sides = nn.ModuleList(side_output(w, classes) for w in widths[-2:0:-1] if sides)
        self.frozen = frozen
        if frozen:
            self.encoder.requires_grad_(requires_grad=False).eval()

    def forward(self, image: Tensor) -> Tensor:
        return self.outputs(image)[0]

    def outputs(self, image: Tensor) -> list[Tensor]:
        """Return the logits and, while a V3 is trained, those of its side outputs, all (N, classes, H, W)."""
        height, width = image.shape[-2:]
        padded = pad_to_stride(image)  # (N, 3, 32a, 32b)
        stages = [skip(x) for skip, x in zip(self.skips, self.encoder(padded), strict=True)]
        x = stages.pop()  # (N, 320, H/32, W/32)
        decoded = []
        for block in self.decoder:
            x = block(x, stages.pop())  # 96 at H/16, 32 at H/8, 24 at H/4, 16 at H/2
            decoded.append(x)
        logits = [upsample(self.head(x), 2)]  # (N, classes, H, W)
        if self.training:
            logits += [
                upsample(side(x), factor)
                for side, x, factor in zip(self.sides, decoded, (16, 8, 4), strict=False)
            ]
        return [each[..., :height, :width] for each in logits]

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """Switch to training; a frozen encoder keeps its statistics."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self


def pad_to_stride(image: Tensor) -> Tensor:
    """Repeat the last row and column until both sides are multiples of 32."""
    height, width = image.shape[-2:]
    bottom, right = -height % STRIDE, -width % STRIDE
    return F.pad(image, [0, right, 0, bottom], mode="replicate") if bottom or right else image
