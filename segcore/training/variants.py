"""The ablations of the three papers as a table: what each leaves out, and what it is compared with."""

from functools import cache

import msgspec

from segcore.errors import DataError
from segcore.refinement import Refinement
from segcore.training.recipe import Recipe, read_recipe


class Variant(msgspec.Struct, frozen=True):
    """A recipe with another network, or with something done before or after it."""

    name: str
    group: str
    about: str
    architecture: str
    arguments: dict[str, bool | float | str] = {}
    preprocessing: str | None = None
    """The recipe whose pre-processing is taken ("" = none); None leaves the recipe's own."""
    refinement: Refinement | None = None
    weights_of: str = ""
    """The variant whose weights are taken; nothing is trained."""

    def recipe(self, base: Recipe) -> Recipe:
        """Return the recipe that trains this variant."""
        steps = base.preprocessing
        if self.preprocessing is not None:
            steps = read_recipe(self.preprocessing).preprocessing if self.preprocessing else ()
        return msgspec.structs.replace(
            base,
            name=f"{base.name}, {self.name}",
            architecture=self.architecture,
            arguments=self.arguments,
            preprocessing=steps,
        )


class Group(msgspec.Struct, frozen=True):
    name: str
    title: str
    baseline: str
    """The variant that the others are compared with."""


GROUPS = (
    Group("lightmuseg", "LightMuSeg: variants and modules (its table 3)", "lightmuseg-v2"),
    Group("unet", "MobileNetV2 + U-Net: what is done before and after (its table 4)", "unet-plain"),
    Group("hi-net", "HI-Net: backbone, TDA and shortcut (its tables 2 and 3)", "hi-net-whole"),
)

_V1, _V2, _V3 = "lightmuseg-v1", "lightmuseg-v2", "lightmuseg-v3"
_UNET, _HINET = "mobilenetv2-unet", "hi-net"
_PAPER_2 = Refinement(alpha=0.9)

# Left out are the papers' other encoders (ViT, EfficientNet, ResNeXt) and MobileNetV2 without a decoder.
VARIANTS = (
    Variant(_V2, "lightmuseg", "the whole network", _V2),
    Variant(_V1, "lightmuseg", "encoder frozen", _V1),
    Variant(_V3, "lightmuseg", "with deep supervision", _V3),
    Variant("v1-without-msffm", "lightmuseg", "encoder frozen, no MSFFM", _V1, {"msffm": False}),
    Variant("v2-without-msffm", "lightmuseg", "no MSFFM", _V2, {"msffm": False}),
    Variant("v3-without-msffm", "lightmuseg", "deep supervision, no MSFFM", _V3, {"msffm": False}),
    Variant("v2-without-frfm", "lightmuseg", "no FRFM: 1x1 as in a U-Net", _V2, {"frfm": False}),
    Variant("unet-plain", "unet", "the network alone", _UNET, preprocessing=""),
    Variant(
        "unet-propagated",
        "unet",
        "label propagation, alpha 0.9",
        _UNET,
        preprocessing="",
        refinement=_PAPER_2,
        weights_of="unet-plain",
    ),
    Variant(
        "unet-preprocessed",
        "unet",
        "stain normalisation, CLAHE, standardisation",
        _UNET,
        preprocessing=_UNET,
    ),
    Variant(
        "unet-preprocessed-propagated",
        "unet",
        "both",
        _UNET,
        preprocessing=_UNET,
        refinement=_PAPER_2,
        weights_of="unet-preprocessed",
    ),
    Variant("hi-net-whole", "hi-net", "the whole network, ResNet-101", _HINET),
    Variant("hi-net-without-tda", "hi-net", "no TDA", _HINET, {"tda": False}),
    Variant("hi-net-without-shortcut", "hi-net", "no shortcut", _HINET, {"shortcut": False}),
    Variant(
        "hi-net-fpn",
        "hi-net",
        "neither: ResNet-101 + FPN",
        _HINET,
        {"tda": False, "shortcut": False},
    ),
    Variant(
        "hi-net-fpn-50",
        "hi-net",
        "neither, ResNet-50",
        _HINET,
        {"tda": False, "shortcut": False, "depth": 50},
    ),
)


@cache
def variant(name: str) -> Variant:
    return next(each for each in VARIANTS if each.name == name)


def choose(only: tuple[str, ...] = ()) -> tuple[Variant, ...]:
    """Return the variants and the groups that `only` names, all where it is empty; raises DataError."""
    known = {each.name for each in (*VARIANTS, *GROUPS)}
    if unknown := [name for name in only if name not in known]:
        names = ", ".join(each.name for each in (*GROUPS, *VARIANTS))
        raise DataError(f"There is no ablation {unknown[0]!r}; choose among {names}.")
    return tuple(each for each in VARIANTS if not only or {each.name, each.group} & set(only))
