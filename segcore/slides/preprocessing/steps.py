"""The steps by name: what a bundle's card holds, and what each does to a picture."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from segcore.slides.base import Rgb
from segcore.slides.preprocessing.colours import Colours, measure_colours, transferred
from segcore.slides.preprocessing.contrast import Picture, equalised, resized, standardised
from segcore.slides.preprocessing.stains import (
    REFERENCE,
    Stains,
    estimate_stains,
    normalised,
    separated,
)

Side = Annotated[int, Meta(ge=32, le=8192)]
Share = Annotated[float, Meta(ge=0, le=1)]
PositiveShare = Annotated[float, Meta(gt=0, le=1)]


class _Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="step"):
    pass


class Resize(_Step, frozen=True, tag="resize"):
    """Bring tiles to one size by bicubic interpolation; masks go back to the tile's own size."""

    width: Side
    height: Side

    def apply(self, picture: Picture) -> Picture:
        return resized(picture, width=self.width, height=self.height)


class Macenko(_Step, frozen=True, tag="macenko"):
    """Normalise the stains to `target`; without `source`, those of each tile are estimated."""

    target: Stains = REFERENCE
    source: Stains | None = None

    def apply(self, picture: Picture) -> Picture:
        source = None if single_colour(picture) else self.source or estimate_stains(picture)
        return normalised(picture, source=source, target=self.target) if source else picture


class Reinhard(_Step, frozen=True, tag="reinhard"):
    """Move the colours' mean and spread to `target`; without `source`, those of each tile are measured."""

    target: Colours
    source: Colours | None = None

    def apply(self, picture: Picture) -> Picture:
        source = None if single_colour(picture) else self.source or measure_colours(picture)
        return transferred(picture, source=source, target=self.target) if source else picture


class SeparateStain(_Step, frozen=True, tag="separate-stain"):
    """Show one stain alone; without `stains`, those of each tile are estimated."""

    keep: Literal["haematoxylin", "eosin"]
    stains: Stains | None = None

    def apply(self, picture: Picture) -> Picture:
        stains = None if single_colour(picture) else self.stains or estimate_stains(picture)
        keep = 0 if self.keep == "haematoxylin" else 1
        return separated(picture, stains, keep=keep) if stains else picture


class Clahe(_Step, frozen=True, tag="clahe"):
    """Even out the contrast of the luminance, locally and within limits."""

    clip: Annotated[float, Meta(ge=1, le=100)] = 2.0
    """The most that any grey level may be stretched."""
    grid: Annotated[int, Meta(ge=1, le=64)] = 8
    """Cells along each side."""

    def apply(self, picture: Picture) -> Picture:
        if single_colour(picture):
            return picture
        return equalised(picture, clip=self.clip, grid=self.grid)


class Standardise(_Step, frozen=True, tag="standardise"):
    """Give each channel of each tile one mean and standard deviation, as shares of 255.

    With the card's own normalisation as `mean` and `std`, the network sees mean 0 and variance 1.
    """

    mean: tuple[Share, Share, Share]
    std: tuple[PositiveShare, PositiveShare, PositiveShare]

    def apply(self, picture: Picture) -> Picture:
        return standardised(picture, mean=self.mean, std=self.std)


Step = Resize | Macenko | Reinhard | SeparateStain | Clahe | Standardise
STEPS: tuple[type[Step], ...] = (Resize, Macenko, Reinhard, SeparateStain, Clahe, Standardise)


def step_names() -> tuple[str, ...]:
    """Return the names of all steps, as cards spell them."""
    return tuple(str(each.__struct_config__.tag) for each in STEPS)


def preprocess(image: Rgb, steps: Sequence[Step]) -> Picture:
    """Return (H, W, 3) float32, 0 to 255 unless standardised, of (H, W, 3) uint8 after `steps` in turn."""
    picture = image.astype(np.float32)
    for step in steps:
        picture = step.apply(picture)
    return picture


def single_colour(picture: Picture) -> bool:
    """Tell whether all pixels are alike (true of an empty picture)."""
    return bool((picture == picture[:1, :1]).all())
