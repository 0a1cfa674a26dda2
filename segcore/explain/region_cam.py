"""Grad-CAM of a region: one set of channel weights for all its tiles."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from segcore.errors import RegionError
from segcore.explain.frame import Canvas, Frame, Place
from segcore.explain.gradcam import captured
from segcore.explain.heat import RegionHeat
from segcore.explain.score import logits_of, network_input, predicted_as
from segcore.models import Bundle
from segcore.progress import Report, share
from segcore.slides import Slide

KEPT = 256 << 20
"""Bytes of activations that wait for the weights; those of further tiles are computed again."""


def cam_of_region(
    slide: Slide,
    bundle: Bundle,
    network: nn.Module,
    frame: Frame,
    class_index: int,
    *,
    layer: str,
    report: Report,
) -> RegionHeat:
    """Return eq. 2 over all tiles with the weights (eq. 1) of the whole region, divided by its maximum."""
    cam = _Cam(slide, bundle, network, frame, class_index, layer)
    inside = ((place, frame.inside(place)) for place in frame.tiles())
    places = [place for place, pixels in inside if pixels.any()]
    if not places:
        raise RegionError("The region is smaller than one pixel of the model; draw a larger one.")
    canvas = cam.second_pass(places, cam.first_pass(places, share(report, 0, 2)), report)
    report(1.0)
    values = canvas.values()
    most = max(float(np.nanmax(values)), 1e-12)
    return RegionHeat(values / most, canvas.bounds, "grad_cam", bundle.classes[class_index])


class _Cam:
    """The two passes over the tiles: what each channel weighs, then what that makes of each place."""

    def __init__(  # noqa: PLR0917 - called once
        self,
        slide: Slide,
        bundle: Bundle,
        network: nn.Module,
        frame: Frame,
        class_index: int,
        layer: str,
    ) -> None:
        self._slide, self._bundle, self._network = slide, bundle, network
        self._frame, self._class, self._layer = frame, class_index, layer
        self._kept: dict[Place, Tensor] = {}

    def first_pass(self, places: list[Place], report: Report) -> Tensor:
        """Return (K,): eq. 1 before its division, which only scales the map."""
        looks = []
        for number, place in enumerate(places):
            report(number / len(places), f"{number} of {len(places)} tiles")
            look, activation = self._look(place)
            looks.append(look)
            if sum(each.nbytes for each in self._kept.values()) + activation.nbytes <= KEPT:
                self._kept[place] = activation
        predicted = any(each.predicted for each in looks)
        sums = [each.of_class if predicted else each.of_all for each in looks]
        return torch.stack(sums).sum(0)

    def second_pass(self, places: list[Place], weights: Tensor, report: Report) -> Canvas:
        """Return eq. 2 of all tiles."""
        canvas = None
        for number, place in enumerate(places):
            report(0.5 + number / len(places) / 2, "joining the tiles")
            activation = self._kept.pop(place, None)
            if activation is None:
                activation = self._activation(place)
            heat = torch.relu(torch.einsum("k,khw->hw", weights, activation.float())).numpy()
            canvas = canvas or Canvas(self._frame, self._frame.side // heat.shape[-1])
            canvas.add(place, heat)
        if canvas is None:
            raise RuntimeError("a region without tiles has no map")
        return canvas

    def _input(self, place: Place) -> Tensor:
        return network_input(self._bundle, self._frame.read(self._slide, place), self._class)

    def _activation(self, place: Place) -> Tensor:
        """Return a tile's activation (K, h, w) on the CPU, in half precision."""
        with torch.inference_mode(mode=False), captured(self._network, self._layer) as outputs:
            with torch.no_grad():
                self._network(self._input(place))
            return outputs[-1].detach()[0].half().cpu()

    def _look(self, place: Place) -> "tuple[_Look, Tensor]":
        """Return what a tile adds to the weights, and its activation as above."""
        frame = self._frame
        core = slice(frame.context, frame.context + frame.core)
        with torch.inference_mode(mode=False), torch.enable_grad():
            pixels = self._input(place)
            with captured(self._network, self._layer) as outputs:
                logits = logits_of(self._network, pixels, frame.side)[:, core, core]
            activation = outputs[-1]  # (1, K, h, w)
            inside = torch.from_numpy(frame.inside(place)).to(logits.device)
            mine = inside & predicted_as(logits, self._class)
            look = _Look(
                of_class=_summed_gradient((logits[self._class] * mine).sum(), activation),
                of_all=_summed_gradient((logits[self._class] * inside).sum(), activation),
                predicted=bool(mine.any()),
            )
        return look, activation.detach()[0].half().cpu()


@dataclass(frozen=True, eq=False, slots=True)
class _Look:
    """Summed gradients (K,) of the scores over the pixels predicted as the class, and over all."""

    of_class: Tensor
    of_all: Tensor
    predicted: bool


def _summed_gradient(score: Tensor, activation: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(score, activation, retain_graph=True)
    return gradient.sum((0, 2, 3)).cpu()
