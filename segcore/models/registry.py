from collections.abc import Callable
from functools import partial

from torch import nn

from segcore.errors import ModelError
from segcore.models.hinet import HINet
from segcore.models.lightmuseg import LightMuSeg
from segcore.models.unet import MobileNetV2UNet

_MAKERS: dict[str, Callable[..., nn.Module]] = {
    "lightmuseg-v1": partial(LightMuSeg, frozen=True),
    "lightmuseg-v2": LightMuSeg,
    "lightmuseg-v3": partial(LightMuSeg, sides=True),
    "mobilenetv2-unet": MobileNetV2UNet,
    "hi-net": HINet,
}


def model_names() -> tuple[str, ...]:
    return tuple(_MAKERS)


def create_model(name: str, *, classes: int, **arguments: bool | float | str) -> nn.Module:
    """Return an untrained network: (N, 3, H, W) float, normalised -> logits (N, classes, H, W), any H, W.

    `arguments` are the architecture's own. Raises ModelError for an unknown name or argument.
    """
    if name not in _MAKERS:
        raise ModelError(f"There is no model {name!r}; choose one of {', '.join(_MAKERS)}.")
    if not 1 <= classes <= 255:
        raise ModelError(f"A model has 1 to 255 classes, not {classes}.")
    try:
        return _MAKERS[name](classes, **arguments)
    except TypeError as error:
        given = ", ".join(arguments)
        raise ModelError(f"The model {name!r} does not take the arguments {given}.") from error


def count_parameters(model: nn.Module, *, trainable: bool = False) -> int:
    """Return how many numbers the model holds (BatchNorm statistics apart)."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)
