"""MobileNetV2 + U-Net: the segmentation network of the label-propagation paper.

The paper: "MobileNetV2 and U-Net with label propagation" (2025), sections 3.3 and 4. It gives the encoder,
"a U-Net decoder" with BatchNorm and dropout 0.3, and nothing of its widths; taken is the common layout
(256, 128, 64, 32, 16 channels; nearest x2, concatenation with the skip, two 3x3 convolutions), whose
6.63 M parameters are those that others publish for this pair.

    image -> MobileNetV2 with its 1280-channel layer -> five maps -> five up blocks -> head
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.models.lightmuseg import pad_to_stride
from segcore.models.mobilenetv2 import LAST_CHANNELS, MobileNetV2

WIDTHS = (256, 128, 64, 32, 16)
DROPOUT = 0.3


def conv_bn_relu(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNetBlock(nn.Module):
    """Nearest x2, concatenate the skip, twice 3x3 convolution, BN, ReLU; then dropout of whole channels."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = conv_bn_relu(inputs + skip, outputs)
        self.conv2 = conv_bn_relu(outputs, outputs)
        self.dropout = nn.Dropout2d(DROPOUT)  # neighbours in a channel say nearly the same

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")  # (N, inputs, 2H, 2W)
        if skip is not None:
            x = torch.cat([x, skip], dim=1)  # (N, inputs + skip, 2H, 2W)
        return self.dropout(self.conv2(self.conv1(x)))  # (N, outputs, 2H, 2W)


class MobileNetV2UNet(nn.Module):
    """(N, 3, H, W) normalised image -> (N, classes, H, W) logits, for any H and W."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        skips = (*MobileNetV2.channels[-2::-1], 0)  # 96, 32, 24, 16, none at H
        inputs = (LAST_CHANNELS, *WIDTHS[:-1])
        self.encoder = MobileNetV2(last_layer=True)
        self.decoder = nn.ModuleList(
            UNetBlock(deep, skip, outputs)
            for deep, skip, outputs in zip(inputs, skips, WIDTHS, strict=True)
        )
        self.head = nn.Conv2d(WIDTHS[-1], classes, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        *skips, x = self.encoder(pad_to_stride(image))  # x: (N, 1280, H/32, W/32)
        for block in self.decoder:
            x = block(x, skips.pop() if skips else None)  # 256 at H/16, 128, 64, 32, 16 at H
        return self.head(x)[..., :height, :width]  # (N, classes, H, W)
