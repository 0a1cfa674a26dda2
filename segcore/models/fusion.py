"""Exact rewriting of a trained network into a faster one for inference."""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from segcore.models.lightmuseg import MSFFM, LightMuSeg, MultiScaleConvolution

PRECISE_LAYERS = 8
"""First encoder layers that stay float32 where the rest is bfloat16.

With eight bits of mantissa everywhere 0.4 % of the pixels change class, nearly all of it through these
layers; with them in float32 less than 0.1 % do.
"""


def fuse(model: nn.Module) -> nn.Module:
    """Return a copy for inference, equal up to rounding: BatchNorms and parallel kernels folded away.

    A BatchNorm that follows a convolution becomes part of it, and MSFFM's 1x1, 3x3, 5x5 and 1x1 become
    one 5x5 (a third fewer multiplications). The copy is in eval mode and can no longer be trained.
    """
    model = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
    for module in list(model.modules()):
        if isinstance(module, nn.Sequential):
            _fold_batch_norms(module)
        elif isinstance(module, MSFFM) and isinstance(module.scales, MultiScaleConvolution):
            module.scales = module.scales.merged().requires_grad_(requires_grad=False)
    return model


def _fold_batch_norms(chain: nn.Sequential) -> None:
    for i in range(len(chain) - 1):
        conv, norm = chain[i], chain[i + 1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            chain[i] = fuse_conv_bn_eval(conv, norm)
            chain[i + 1] = nn.Identity()


def inference_engine(model: nn.Module, device: torch.device, precision: torch.dtype) -> nn.Module:
    """Return the fused copy of `model` that runs fastest on `device`, channels last, in `precision`.

    It takes float32 images. Only rounding differs from `model`.
    """
    engine = fuse(model)
    if precision == torch.bfloat16 and isinstance(engine, LightMuSeg):
        _round_all_but_first_layers(engine)
    else:
        _cast_input(engine.to(precision), precision)
    if device.type == "cpu":
        _clip_inside_convolutions(engine)
    return engine.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _round_all_but_first_layers(engine: LightMuSeg) -> None:
    rest = list(engine.encoder.features)[PRECISE_LAYERS:]
    for module in (*rest, engine.skips, engine.decoder, engine.head):
        module.to(torch.bfloat16)
    for module in (rest[0], *engine.skips):
        _cast_input(module, torch.bfloat16)
    engine.head.register_forward_hook(lambda _module, _inputs, logits: logits.float().contiguous())


def _cast_input(module: nn.Module, precision: torch.dtype) -> None:
    module.register_forward_pre_hook(lambda _module, inputs: (inputs[0].to(precision),))


class ClippedConvolution(nn.Module):
    """A convolution that applies its ReLU or ReLU6 while it writes: one pass over memory less."""

    def __init__(self, conv: nn.Conv2d, activation: nn.ReLU | nn.ReLU6) -> None:
        super().__init__()
        self.conv = conv
        self.clip = ("hardtanh", [0.0, 6.0]) if isinstance(activation, nn.ReLU6) else ("relu", [])

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        return torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001 - what torch.compile itself emits
            x,
            conv.weight,
            conv.bias,
            conv.padding,
            conv.stride,
            conv.dilation,
            conv.groups,
            *self.clip,
            "",
        )


def _clip_inside_convolutions(engine: nn.Module) -> None:
    """Use oneDNN's fused operator where this build of torch has it."""
    if not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return
    for chain in [m for m in engine.modules() if isinstance(m, nn.Sequential)]:
        kept = [m for m in chain if not isinstance(m, nn.Identity)]
        for conv, activation in pairwise(kept):
            if isinstance(conv, nn.Conv2d) and isinstance(activation, nn.ReLU | nn.ReLU6):
                places = list(chain)
                chain[places.index(conv)] = ClippedConvolution(conv, activation)
                chain[places.index(activation)] = nn.Identity()
