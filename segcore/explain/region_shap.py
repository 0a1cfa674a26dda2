"""SHAP of a region: the contributions of all tiles added up, at the same points between glass and picture."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from segcore.explain.frame import Canvas, Frame, Map, Place
from segcore.explain.heat import RegionHeat
from segcore.explain.score import logits_of, network_input, predicted_as
from segcore.explain.shap import expected_gradients, in_unit_range
from segcore.models import Bundle
from segcore.progress import Report, share
from segcore.slides import Slide

CELL = 4
"""Model pixels: the contributions of so many by so many are added up, as single ones are noise."""
SMOOTHING = 1.5
"""Cells, one standard deviation: neighbours of opposite sign, which cancel out, hide the map from the eye."""
SAMPLES = 8


def shap_of_region(
    slide: Slide,
    bundle: Bundle,
    network: nn.Module,
    frame: Frame,
    class_index: int,
    *,
    samples: int,
    seed: int,
    report: Report,
) -> RegionHeat:
    """Return what each cell adds to the score of the region, divided by the 99.5th percentile of the sizes.

    The score is a sum over pixels, each of which lies in the core of one tile; what a tile's context adds
    to it is added to what the neighbour finds there, so no seam arises.
    """
    places = frame.tiles()
    everywhere = not _is_predicted(slide, bundle, frame, places, class_index)
    canvas = Canvas(frame, CELL)
    for number, place in enumerate(places):
        part = share(report, number, len(places))
        part(0.0, f"{number} of {len(places)} tiles")
        pixels = network_input(bundle, frame.read(slide, place), class_index).detach()
        chosen = _chosen(network, pixels, frame, place, class_index, everywhere=everywhere)
        if not chosen.any():
            canvas.add_up(place, np.zeros((frame.side // CELL,) * 2, np.float32))
            continue

        def score(x: Tensor, chosen: Tensor = chosen) -> Tensor:
            """Return the summed logit of the chosen pixels."""
            return (logits_of(network, x, frame.side)[class_index] * chosen).sum()[None]

        found = expected_gradients(bundle, score, pixels, samples=samples, seed=seed, report=part)
        canvas.add_up(place, _summed_in_cells(found, frame.side))
    report(1.0)
    values = in_unit_range(canvas.values())
    return RegionHeat(values, canvas.bounds, "shap", bundle.classes[class_index])


def _is_predicted(
    slide: Slide, bundle: Bundle, frame: Frame, places: list[Place], class_index: int
) -> bool:
    """Tell whether any pixel of the region is predicted as the class."""
    core = slice(frame.context, frame.context + frame.core)
    for place in places:
        likely = bundle.predict(frame.read(slide, place)[None])[0][:, core, core]
        mine = likely[0] > 0.5 if len(likely) == 1 else likely.argmax(0) == class_index
        if (mine & frame.inside(place)).any():
            return True
    return False


def _chosen(
    network: nn.Module,
    pixels: Tensor,
    frame: Frame,
    place: Place,
    class_index: int,
    *,
    everywhere: bool,
) -> Tensor:
    """Return (side, side): which pixels of the tile the score is summed over, none in its context."""
    core = slice(frame.context, frame.context + frame.core)
    chosen = torch.zeros((frame.side, frame.side), dtype=torch.bool, device=pixels.device)
    chosen[core, core] = torch.from_numpy(frame.inside(place)).to(pixels.device)
    if everywhere:
        return chosen
    with torch.no_grad():
        return chosen & predicted_as(logits_of(network, pixels, frame.side), class_index)


def _summed_in_cells(found: Tensor, side: int) -> Map:
    """Return (side / CELL, side / CELL): a tile's contributions (H, W) summed and smoothed.

    Where a step of the card has resized the input, (H, W) is not (side, side).
    """
    cells = nn.functional.adaptive_avg_pool2d(found[None, None], side // CELL)[0, 0]
    sums = cells.numpy() * (found.numel() / cells.numel())
    return gaussian_filter(sums, SMOOTHING, mode="constant").astype(np.float32)
