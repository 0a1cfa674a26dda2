"""Parts of a fused network as a CPU runs them best, by the operators that torch.compile emits for oneDNN.

Each computes what the part it replaces does; only rounding differs. Measured for 512 x 512 tiles: packing
a kernel once instead of at every call, and adding, clipping while a convolution writes, each save a pass
over memory, and at these sizes memory is most of the time.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.models.lightmuseg import FRFM, MSFFM, SpatialAttention
from segcore.models.mobilenetv2 import InvertedResidual

Activation = nn.ReLU | nn.ReLU6
BACKEND: Any = torch._C._nn  # noqa: SLF001 - where torch.compile has it from  # pyright: ignore[reportAttributeAccessIssue]


def is_available() -> bool:
    """Tell whether this build of torch has the operators."""
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and hasattr(BACKEND, "mkldnn_reorder_conv2d_weight")
    )


class PackedConvolution(nn.Module):
    """A convolution with its kernel in oneDNN's own order, its activation applied while it writes.

    The kernel is held in `precision`, which the input must have too; the bias stays float32, since a
    rounded bias moves a whole channel.
    """

    def __init__(
        self, conv: nn.Conv2d, precision: torch.dtype, activation: Activation | None = None
    ) -> None:
        super().__init__()
        self.bias = None if conv.bias is None else conv.bias.detach().float()
        self.padding, self.stride, self.dilation = conv.padding, conv.stride, conv.dilation
        self.groups = conv.groups
        self.weight = conv.weight.detach().to(precision)
        if conv.kernel_size != (1, 1):  # a 1x1 kernel's best order depends on the size of the map
            self.weight = BACKEND.mkldnn_reorder_conv2d_weight(
                self.weight.contiguous().to_mkldnn(),
                self.padding,
                self.stride,
                self.dilation,
                self.groups,
            )
        self.clip = ("none", [])
        if activation is not None:
            relu6 = isinstance(activation, nn.ReLU6)
            self.clip = ("hardtanh", [0.0, 6.0]) if relu6 else ("relu", [])

    def forward(self, x: Tensor) -> Tensor:
        place = (self.padding, self.stride, self.dilation, self.groups)
        return torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001 - what torch.compile itself emits
            x, self.weight, self.bias, *place, *self.clip, ""
        )

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """Return the convolution of `x` plus `other`."""
        if x.dtype != torch.float32:  # the operator wants a bias of the input's own type
            return self(x).add_(other)
        place = (self.padding, self.stride, self.dilation, self.groups)
        return torch.ops.mkldnn._convolution_pointwise.binary(  # noqa: SLF001 - likewise
            x, other, self.weight, self.bias, *place, "add", None, None, [], None
        )


class PackedResidual(nn.Module):
    """An inverted residual that adds its input while the last convolution writes."""

    def __init__(self, block: InvertedResidual) -> None:
        super().__init__()
        *self.first, last = [m for m in block.conv if not isinstance(m, nn.Identity)]
        assert isinstance(last, PackedConvolution)  # noqa: S101 - the blocks are packed before
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.first:
            y = layer(y)
        return self.last.plus(y, x)


class WideSpatialAttention(nn.Module):
    """Spatial attention whose convolution gives each channel its own copy of the weights.

    Maps of one shape multiply ten times as fast as one is broadcast over the channels, which lie innermost
    in memory; likewise the maximum over channels is several times faster with planes.
    """

    def __init__(self, attention: SpatialAttention, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, channels, 7, padding=3)
        with torch.no_grad():
            self.conv.weight.copy_(attention.conv.weight.expand_as(self.conv.weight))
            assert self.conv.bias is not None  # noqa: S101 - made with one
            assert attention.conv.bias is not None  # noqa: S101 - likewise
            self.conv.bias.copy_(attention.conv.bias.expand_as(self.conv.bias))

    def forward(self, x: Tensor) -> Tensor:
        planes = x.contiguous()  # (N, C, H, W), rows of a channel together
        summary = torch.cat([planes.mean(1, keepdim=True), planes.amax(1, keepdim=True)], dim=1)
        weights = self.conv(summary.contiguous(memory_format=torch.channels_last))
        return x * weights.sigmoid_()  # (N, C, H, W)


class MatrixFRFM(nn.Module):
    """FRFM with the weights folded into its 1x1: W (w a, w b) = (W_a w) a + (W_b w) b, two matrix products."""

    def __init__(self, block: FRFM) -> None:
        super().__init__()
        self.down, self.up = block.down, block.up
        first, second = block.fuse.weight[:, :, 0, 0].detach().chunk(2, dim=1)  # 2 x (C out, C in)
        self.first, self.second = first.T.contiguous(), second.T.contiguous()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        count, channels, height, width = a.shape
        pooled = a.mean((2, 3)) + b.mean((2, 3))  # (N, C)
        weight = torch.sigmoid(self.up(F.relu(self.down(pooled))))[:, :, None]  # (N, C, 1)
        kernels = [(weight * kernel).to(a.dtype) for kernel in (self.first, self.second)]
        rows = [x.permute(0, 2, 3, 1).reshape(count, -1, channels) for x in (a, b)]  # (N, H W, C)
        mixed = torch.baddbmm(torch.bmm(rows[0], kernels[0]), rows[1], kernels[1])
        return mixed.view(count, height, width, channels).permute(0, 3, 1, 2)  # (N, C, H, W)


def pack(part: nn.Module, precision: torch.dtype) -> None:
    """Replace what is inside `part`, fused and channels last, by its fast form in `precision`."""
    for module in list(part.modules()):
        if isinstance(module, MSFFM) and isinstance(module.spatial, SpatialAttention):
            module.spatial = WideSpatialAttention(module.spatial, module.project.out_channels)
    for module in list(part.modules()):
        if isinstance(module, nn.Sequential):
            _pack_chain(module, precision)
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and not isinstance(module, FRFM):
                setattr(module, name, PackedConvolution(child, precision))
    _replace_blocks(part)
    part.to(precision)


def _pack_chain(chain: nn.Sequential, precision: torch.dtype) -> None:
    places = [i for i, m in enumerate(chain) if not isinstance(m, nn.Identity)]
    for i, after in pairwise(places):
        conv, activation = chain[i], chain[after]
        if isinstance(conv, nn.Conv2d) and isinstance(activation, Activation):
            chain[i] = PackedConvolution(conv, precision, activation)
            chain[after] = nn.Identity()


def _replace_blocks(part: nn.Module) -> None:
    for module in list(part.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, InvertedResidual) and child.adds_input:
                setattr(module, name, PackedResidual(child))
            elif isinstance(child, FRFM):
                setattr(module, name, MatrixFRFM(child))
