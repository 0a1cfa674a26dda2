"""The MobileNetV2 encoder, with torchvision's state-dict names.

Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2. The last
1280-channel layer (`features.18`) is there on demand: LightMuSeg goes without, the U-Net has it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from segcore.errors import ModelError

# (expansion t, output channels c, repeats n, stride of the first s): table 2 of the paper.
SETTINGS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
STAGE_ENDS = (2, 4, 7, 14, 18)
STAGE_CHANNELS = (16, 24, 32, 96, 320)
LAST_CHANNELS = 1280
STRIDE = 32


def conv_bn_relu6(
    inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project linearly; add the input where the shape allows (fig. 4)."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(conv_bn_relu6(inputs, hidden, kernel=1))
        layers += [
            conv_bn_relu6(hidden, hidden, kernel=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*layers)
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds_input else self.conv(x)


class MobileNetV2(nn.Module):
    """Five feature maps of an image, from stride 2 to stride 32."""

    channels = STAGE_CHANNELS

    def __init__(self, *, last_layer: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_bn_relu6(3, 32, kernel=3, stride=2)]
        inputs = 32
        for expansion, outputs, repeats, first_stride in SETTINGS:
            for i in range(repeats):
                stride = first_stride if i == 0 else 1
                layers.append(InvertedResidual(inputs, outputs, stride=stride, expansion=expansion))
                inputs = outputs
        self.ends = STAGE_ENDS
        self.last_layer = last_layer
        if last_layer:
            layers.append(conv_bn_relu6(inputs, LAST_CHANNELS, kernel=1))
            self.ends = (*STAGE_ENDS[:-1], len(layers))
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []  # x: (N, 3, H, W), H and W multiples of 32
        for i, layer in enumerate(self.features, start=1):
            x = layer(x)
            if i in self.ends:
                maps.append(x)
        return maps  # 16 at H/2, 24 at H/4, 32 at H/8, 96 at H/16, 320 (or 1280) at H/32

    def load_torchvision(self, state: Mapping[str, Tensor]) -> None:
        """Take torchvision's `mobilenet_v2` weights, without those of layers that are not here."""
        unused = ("classifier.",) if self.last_layer else ("classifier.", "features.18.")
        kept = {name: value for name, value in state.items() if not name.startswith(unused)}
        try:
            self.load_state_dict(kept, strict=True)
        except RuntimeError as error:
            raise ModelError(
                "These weights are not torchvision's mobilenet_v2; give a file with its names and shapes."
            ) from error


def rebase_batch_norm(net: nn.Module, batches: "list[Tensor]") -> None:
    """Move every BatchNorm's running statistics to `batches`; the eval function stays the same.

    Weights whose BatchNorm statistics come from other pictures would otherwise jump when training starts
    to normalise by batch statistics.
    """
    inputs: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def collect(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        x = arguments[0].double()
        pixels = torch.tensor(x.numel() / x.shape[1])
        sums = [x.sum((0, 2, 3)), x.square().sum((0, 2, 3)), pixels]
        assert isinstance(layer, nn.BatchNorm2d)  # noqa: S101 - hooks are set on these alone
        before = inputs.get(layer)
        inputs[layer] = [a + b for a, b in zip(before, sums, strict=True)] if before else sums

    layers = [each for each in net.modules() if isinstance(each, nn.BatchNorm2d)]
    hooks = [each.register_forward_pre_hook(collect) for each in layers]
    net.eval()
    with torch.no_grad():
        for batch in batches:
            net(batch)
    for hook in hooks:
        hook.remove()
    for layer, (total, squares, pixels) in inputs.items():
        _move_statistics(layer, total / pixels, squares / pixels)


@torch.no_grad()
def _move_statistics(layer: nn.BatchNorm2d, mean: Tensor, square: Tensor) -> None:
    assert layer.running_mean is not None  # noqa: S101 - true of every tracking BatchNorm
    assert layer.running_var is not None  # noqa: S101 - likewise
    slope = layer.weight.double() / (layer.running_var.double() + layer.eps).sqrt()
    shift = layer.bias.double() - slope * layer.running_mean.double()
    variance = (square - mean**2).clamp_min(0)
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(variance)
    layer.weight.copy_(slope * (variance + layer.eps).sqrt())
    layer.bias.copy_(shift + slope * mean)
