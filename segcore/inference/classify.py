"""One answer for what was segmented: the bundle's classification, pooled over all tissue it looks inside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.annotations import LabelMap, load_taxonomy
from segcore.inference.tiling import Lattice, Window
from segcore.models import Bundle, TissueClassifier
from segcore.models.classification import add_inside
from segcore.slides import Slide, read_scaled


@dataclass(frozen=True, slots=True)
class TissueScore:
    """What the tissue is called, the probability of that, and of every other class."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    inside: tuple[str, ...]
    area_mm2: float
    """How much tissue of the classes `inside` was looked at."""


def classify_tissue(slide: Slide, bundle: Bundle, masks: Sequence[LabelMap]) -> TissueScore | None:
    """Classify the tissue that `masks`, made with `bundle`, mark; they share no pixel.

    None where the bundle classifies nothing or the masks hold no tissue of the classes it looks inside.
    The paper: "MobileNetV2 and U-Net with label propagation" (2025), section 3.4.
    """
    part, head = bundle.card.classification, bundle.classifier
    if part is None or head is None:
        return None
    codes = [load_taxonomy().named(name).code for name in part.inside]
    pixels = sum(int(np.isin(mask.labels, codes).sum()) for mask in masks)
    if not pixels:
        return None
    sums = torch.zeros(head.linear.in_features, device=bundle.device)
    weight = torch.zeros((), device=bundle.device)
    for mask in masks:
        for picture, inside in _tiles(slide, bundle, mask, codes):
            found, much = _gather(bundle, head, picture, inside)
            sums, weight = sums + found, weight + much
    with torch.inference_mode():
        likely = head.linear(sums / weight).softmax(0).tolist()
    best = int(np.argmax(likely))
    return TissueScore(
        label=part.classes[best],
        confidence=likely[best],
        probabilities=dict(zip(part.classes, likely, strict=True)),
        inside=part.inside,
        area_mm2=pixels * (bundle.mpp / 1000) ** 2,
    )


def _tiles(
    slide: Slide, bundle: Bundle, mask: LabelMap, codes: list[int]
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]]:
    """Yield tiles (tile, tile, 3) and which pixels of their cores are wanted tissue (tile, tile)."""
    lattice = Lattice(bundle.tile, bundle.halo)
    height, width = mask.labels.shape
    bounds = Window(mask.column, mask.row, width, height)
    for index in lattice.covering(bounds):
        outer, core = lattice.window(index), lattice.core(index).within(bounds)
        wanted = np.isin(mask.labels[core.slices_in(bounds)], codes)
        if not wanted.any():
            continue
        inside = np.zeros((bundle.tile, bundle.tile), np.float32)
        inside[core.slices_in(outer)] = wanted
        left, top = outer.column * mask.scale, outer.row * mask.scale
        yield (
            read_scaled(
                slide, left=left, top=top, scale=mask.scale, width=outer.width, height=outer.height
            ),
            inside,
        )


@torch.inference_mode()
def _gather(
    bundle: Bundle,
    head: TissueClassifier,
    picture: npt.NDArray[np.uint8],
    inside: npt.NDArray[np.float32],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a tile's features summed over its tissue (K,) and the tissue's weight, in pixels / 32^2."""
    image = bundle.network_input(torch.from_numpy(picture[None]))
    mask = torch.from_numpy(inside[None]).to(bundle.device)
    if image.shape[2:] != mask.shape[1:]:  # a step of the card has resized the tile
        mask = F.interpolate(mask[None], tuple(image.shape[2:]), mode="area")[0]
    sums, weights = add_inside(*head.features(image, mask))
    return sums[0], weights[0]
