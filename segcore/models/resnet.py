"""The ResNet-50 and ResNet-101 encoders, with torchvision's state-dict names.

He et al. 2016, "Deep Residual Learning for Image Recognition", table 1, without its classifier (`fc`).
As in torchvision, the stride of a bottleneck lies in its 3x3 convolution.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.errors import ModelError

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Bottlenecks in layer1 to layer4, by depth: table 1."""
EXPANSION = 4
STAGE_CHANNELS = (256, 512, 1024, 2048)


class Bottleneck(nn.Module):
    """1x1 to `width` channels, 3x3, 1x1 to four times `width`, plus the input (fig. 5, right)."""

    def __init__(self, inputs: int, width: int, *, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))  # (N, width, H, W)
        y = F.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4 width, H/stride, W/stride)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Four feature maps of an image, C2 to C5, from stride 4 to stride 32."""

    channels = STAGE_CHANNELS

    def __init__(self, depth: int) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ModelError(f"There is no ResNet-{depth} here; choose a depth of 50 or 101.")
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        first, second, third, fourth = BLOCKS[depth]
        self.layer1 = stage(64, 64, blocks=first, stride=1)
        self.layer2 = stage(256, 128, blocks=second, stride=2)
        self.layer3 = stage(512, 256, blocks=third, stride=2)
        self.layer4 = stage(1024, 512, blocks=fourth, stride=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu(self.bn1(self.conv1(x)))  # (N, 64, H/2, W/2); H and W are multiples of 32
        x = F.max_pool2d(x, 3, 2, padding=1)  # (N, 64, H/4, W/4)
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps  # 256 at H/4, 512 at H/8, 1024 at H/16, 2048 at H/32

    def load_torchvision(self, state: Mapping[str, Tensor]) -> None:
        """Take torchvision's `resnet50` or `resnet101` weights; their classifier is left out."""
        kept = {name: value for name, value in state.items() if not name.startswith("fc.")}
        try:
            self.load_state_dict(kept, strict=True)
        except RuntimeError as error:
            raise ModelError(
                "These weights are not torchvision's ResNet of this depth; give a file with its names and shapes."
            ) from error


def stage(inputs: int, width: int, *, blocks: int, stride: int) -> nn.Sequential:
    first = Bottleneck(inputs, width, stride=stride)
    rest = (Bottleneck(EXPANSION * width, width, stride=1) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)
