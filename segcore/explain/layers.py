"""The layers that Grad-CAM can look at, named for people."""

from typing import NamedTuple

from torch import nn

from segcore.errors import ModelError
from segcore.models.hinet import HINet
from segcore.models.lightmuseg import LightMuSeg
from segcore.models.unet import MobileNetV2UNet


class Layer(NamedTuple):
    """A module of a network, by its dotted name, with a title for people."""

    name: str
    title: str


LAYERS: dict[type[nn.Module], tuple[Layer, ...]] = {
    LightMuSeg: (
        Layer("decoder.1", "Decoder at 1/8: groups of cells"),
        Layer("decoder.0", "Decoder at 1/16: tissue areas"),
        Layer("decoder.2", "Decoder at 1/4: single cells"),
        Layer("decoder.3", "Decoder at 1/2: nearly the answer itself"),
        Layer("skips.4", "Encoder at 1/32: the whole view"),
        Layer("skips.3", "Encoder at 1/16: tissue areas"),
        Layer("skips.2", "Encoder at 1/8: groups of cells"),
        Layer("skips.1", "Encoder at 1/4: single cells"),
    ),
    MobileNetV2UNet: (
        Layer("decoder.1", "Decoder at 1/8: groups of cells"),
        Layer("decoder.0", "Decoder at 1/16: tissue areas"),
        Layer("decoder.2", "Decoder at 1/4: single cells"),
        Layer("decoder.3", "Decoder at 1/2: nearly the answer itself"),
    ),
    HINet: (
        Layer("shortcuts.1", "Pyramid from 1/8: groups of cells"),
        Layer("shortcuts.0", "Pyramid from 1/4: single cells"),
        Layer("shortcuts.2", "Pyramid from 1/16: tissue areas"),
        Layer("shortcuts.3", "Pyramid from 1/32: the whole view"),
    ),
}
"""The first of each is looked at where none is named. With the shipped LightMuSeg the deepest layer's map
hardly depends on the place, the earliest are blocky, and the last is the class's own probability again."""


def explained_layers(model: nn.Module) -> tuple[Layer, ...]:
    """Return the layers worth a look, the default first; of an unknown network all convolutions, last first.

    Raises ModelError where it has none.
    """
    modules = dict(model.named_modules())
    for kind, layers in LAYERS.items():
        if isinstance(model, kind):
            return tuple(each for each in layers if each.name in modules)
    names = [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
    if not names:
        raise ModelError("Grad-CAM needs a network with convolutions; name a layer.")
    return tuple(Layer(name, f"Convolution {name}") for name in reversed(names))


def default_layer(model: nn.Module) -> str:
    """Return the layer that Grad-CAM looks at where none is named."""
    return explained_layers(model)[0].name
