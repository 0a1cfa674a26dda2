"""Grad-CAM of a region of any size: tile by tile, with one set of channel weights for the whole."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry
from torch import Tensor, nn

from segcore.annotations.raster import region_mask
from segcore.errors import PixelSizeMissingError, RegionError
from segcore.explain.gradcam import captured, default_layer
from segcore.explain.score import network_input
from segcore.models import Bundle
from segcore.models.fusion import fuse
from segcore.progress import Report, silent
from segcore.slides import Slide, read_scaled

CORE, CONTEXT = 512, 64  # model pixels: a tile explains its core and sees its context besides


@dataclass(frozen=True, eq=False)
class RegionHeat:
    """A heatmap over a rectangle of a slide; NaN outside the region."""

    values: npt.NDArray[np.float32]
    """(h, w) in [0, 1], at the resolution of the layer."""
    bounds: tuple[float, float, float, float]
    """(left, top, right, bottom) in level-0 pixels."""


def explain_region(
    slide: Slide,
    bundle: Bundle,
    region: BaseGeometry,
    class_index: int,
    *,
    layer: str | None = None,
    report: Report = silent,
) -> RegionHeat:
    """Return where the network looked for a class in `region` (level-0 pixels).

    Selvaraju et al. 2017, eq. 1 and 2, with the score summed over the pixels of the region that are
    predicted as the class, or over all its pixels where none is. The channel weights (eq. 1) are those of
    the whole region, so that tiles compare. Raises PixelSizeMissingError, RegionError, ModelError.
    """
    frame = _Frame.around(slide, bundle, region)
    # Folding changes nothing but rounding, and leaves the layers that are looked at in their places.
    network = fuse(bundle.model).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    parts: list[_Part] = []
    tiles = list(frame.tiles())
    for number, (column, row) in enumerate(tiles):
        report(number / len(tiles), f"{number} of {len(tiles)} tiles")
        inside = frame.inside(region, column, row)
        if inside.any():
            image = frame.read(slide, column, row)
            pixels = network_input(bundle, image, class_index)
            parts.append(
                _look(
                    network,
                    pixels,
                    inside,
                    class_index=class_index,
                    layer=layer,
                    place=(column, row),
                )
            )
    predicted = any(part.pixels for part in parts)
    weights = torch.stack([p.of_class if predicted else p.of_all for p in parts]).sum(0)
    values = frame.stitch(parts, weights)
    report(1.0)
    return RegionHeat(values, frame.bounds)


@dataclass(frozen=True, eq=False)
class _Part:
    """What one tile adds: its core's activation (K, h, w), and summed gradients (K,) of both scores."""

    place: tuple[int, int]
    activation: Tensor
    inside: npt.NDArray[np.bool_]
    of_class: Tensor
    of_all: Tensor
    pixels: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """The rectangle of model pixels around a region, from the corner (left, top) in level-0 pixels."""

    left: float
    top: float
    scale: float
    width: int
    height: int

    @classmethod
    def around(cls, slide: Slide, bundle: Bundle, region: BaseGeometry) -> "_Frame":
        if slide.mpp is None:
            raise PixelSizeMissingError(
                f"The slide {slide.name} does not say how large its pixels are; set their size first."
            )
        if region.is_empty or region.area == 0:
            raise RegionError("The region is empty; draw one on the tissue.")
        scale = bundle.mpp / slide.mpp
        left, top, right, bottom = region.bounds
        width, height = math.ceil((right - left) / scale), math.ceil((bottom - top) / scale)
        return cls(left, top, scale, width, height)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        right, bottom = self.left + self.width * self.scale, self.top + self.height * self.scale
        return self.left, self.top, right, bottom

    def tiles(self) -> Iterator[tuple[int, int]]:
        for row in range(0, self.height, CORE):
            for column in range(0, self.width, CORE):
                yield column, row

    def read(self, slide: Slide, column: int, row: int) -> npt.NDArray[np.uint8]:
        side = CORE + 2 * CONTEXT
        left = self.left + (column - CONTEXT) * self.scale
        top = self.top + (row - CONTEXT) * self.scale
        return read_scaled(slide, left=left, top=top, scale=self.scale, width=side, height=side)

    def inside(self, region: BaseGeometry, column: int, row: int) -> npt.NDArray[np.bool_]:
        """Return (CORE, CORE): which pixels of the tile's core lie in the region."""
        shifted = translate(region, -self.left, -self.top)
        return region_mask(
            shifted, column=column, row=row, width=CORE, height=CORE, scale=self.scale
        )

    def stitch(self, parts: list[_Part], weights: Tensor) -> npt.NDArray[np.float32]:
        """Return eq. 2 over all parts, divided by its maximum."""
        stride = CORE // parts[0].activation.shape[-1]
        height, width = -(-self.height // stride), -(-self.width // stride)
        heat = np.full((height + CORE, width + CORE), np.nan, np.float32)
        for part in parts:
            values = torch.relu(torch.einsum("k,khw->hw", weights, part.activation.float()))
            column, row = (place // stride for place in part.place)
            side = CORE // stride
            seen = part.inside[stride // 2 :: stride, stride // 2 :: stride]
            heat[row : row + side, column : column + side] = np.where(
                seen, values.cpu().numpy(), np.nan
            )
        heat = heat[:height, :width]
        most = np.nanmax(heat) if np.isfinite(heat).any() else 0.0
        return heat / max(float(most), 1e-12)


def _look(
    network: nn.Module,
    pixels: Tensor,
    inside: npt.NDArray[np.bool_],
    *,
    class_index: int,
    layer: str | None,
    place: tuple[int, int],
) -> _Part:
    core = slice(CONTEXT, CONTEXT + CORE)
    with torch.inference_mode(mode=False), torch.enable_grad():
        with captured(network, layer or default_layer(network)) as outputs:
            logits = network(pixels)[0, :, core, core]  # (C, CORE, CORE)
        wanted = torch.from_numpy(inside).to(logits.device)
        single = logits.shape[0] == 1
        mine = wanted & (logits[0] > 0 if single else logits.argmax(0) == class_index)
        activation = outputs[-1]  # (1, K, h, w)
        of_class = _summed_gradient((logits[class_index] * mine).sum(), activation)
        of_all = _summed_gradient((logits[class_index] * wanted).sum(), activation)
    stride = pixels.shape[-1] // activation.shape[-1]
    inner = slice(CONTEXT // stride, (CONTEXT + CORE) // stride)
    kept = activation.detach()[0, :, inner, inner].half().cpu()
    return _Part(place, kept, inside, of_class, of_all, int(mine.sum()))


def _summed_gradient(score: Tensor, activation: Tensor) -> Tensor:
    """Return (K,): eq. 1 before its division, which only scales the map."""
    (gradient,) = torch.autograd.grad(score, activation, retain_graph=True)
    return gradient.sum((0, 2, 3)).cpu()
