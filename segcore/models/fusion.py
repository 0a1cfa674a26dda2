"""Exact rewriting of a trained network into a faster one for inference."""

import copy
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from segcore.models import onednn
from segcore.models.lightmuseg import MSFFM, LightMuSeg, MultiScaleConvolution
from segcore.models.onednn import pack
from segcore.models.resnet import Bottleneck, ResNet
from segcore.models.strips import StripwiseEncoder
from segcore.models.unet import MobileNetV2UNet

PRECISE_LAYERS = 13
"""First encoder layers that stay float32 where the rest is bfloat16.

Nearly all pixels that change class through eight bits of mantissa do so through these layers: on twelve
tiles of three real slides 0.9 % with two layers in float32, 0.16 % with eight, 0.09 % with thirteen, which
cost hardly more as their maps are small. Biases are float32 throughout.
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
        elif isinstance(module, Bottleneck | ResNet):
            _fold_named_pairs(module)
        elif isinstance(module, MSFFM) and isinstance(module.scales, MultiScaleConvolution):
            module.scales = module.scales.merged().requires_grad_(requires_grad=False)
    return model


def _fold_batch_norms(chain: nn.Sequential) -> None:
    for i in range(len(chain) - 1):
        conv, norm = chain[i], chain[i + 1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            chain[i] = fuse_conv_bn_eval(conv, norm)
            chain[i + 1] = nn.Identity()


def _fold_named_pairs(block: Bottleneck | ResNet) -> None:
    """Fold each `bnN` into its `convN`, as torchvision calls them."""
    for name, conv in list(block.named_children()):
        norm = getattr(block, name.replace("conv", "bn"))
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(block, name, fuse_conv_bn_eval(conv, norm))
            setattr(block, name.replace("conv", "bn"), nn.Identity())


def inference_engine(model: nn.Module, device: torch.device, precision: torch.dtype) -> nn.Module:
    """Return the fused copy of `model` that runs fastest on `device`, channels last, in `precision`.

    It takes float32 images and gives float32 logits. Only rounding differs from `model`.
    """
    engine = fuse(model)
    engine = engine.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    fit = pack if device.type == "cpu" and onednn.is_available() else _cast
    if precision == torch.bfloat16 and isinstance(engine, LightMuSeg | MobileNetV2UNet):
        _round_all_but_first_layers(engine, fit)
    else:
        fit(engine, precision)
        _cast_inputs(engine, precision)
    if device.type == "cpu" and isinstance(engine, LightMuSeg | MobileNetV2UNet):
        engine.add_module("encoder", StripwiseEncoder(engine.encoder))
    engine.register_forward_hook(lambda _module, _inputs, logits: logits.float())
    return engine


def _cast(part: nn.Module, precision: torch.dtype) -> None:
    part.to(precision)


def _round_all_but_first_layers(
    engine: LightMuSeg | MobileNetV2UNet, fit: Callable[[nn.Module, torch.dtype], None]
) -> None:
    layers = list(engine.encoder.features)
    first, rest = nn.Sequential(*layers[:PRECISE_LAYERS]), nn.Sequential(*layers[PRECISE_LAYERS:])
    after = nn.ModuleDict({name: m for name, m in engine.named_children() if name != "encoder"})
    fit(first, torch.float32)
    fit(rest, torch.bfloat16)
    fit(after, torch.bfloat16)
    engine.encoder.features = nn.Sequential(*first, *rest)
    for name, module in after.items():
        setattr(engine, name, module)
    takers = engine.skips if isinstance(engine, LightMuSeg) else engine.decoder
    for module in (rest[0], *takers):
        _cast_inputs(module, torch.bfloat16)
    # Enlarging in float32 is the faster where the channels are few, and spares the logits a rounding.
    engine.head.register_forward_hook(lambda _module, _inputs, logits: logits.float().contiguous())


def _cast_inputs(module: nn.Module, precision: torch.dtype) -> None:
    module.register_forward_pre_hook(
        lambda _module, inputs: tuple(x if x is None else x.to(precision) for x in inputs)
    )
