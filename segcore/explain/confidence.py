"""Where a network is unsure: the entropy of its answer."""

import math

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from segcore.evaluation.confidence import entropy, with_temperature
from segcore.explain.frame import Canvas, Frame, in_cells
from segcore.explain.heat import RegionHeat
from segcore.models import Bundle
from segcore.progress import Report, silent
from segcore.slides import Slide

CELL = 4
"""Model pixels: maps of the answer are means of so many by so many."""


def uncertainty_map(
    slide: Slide,
    bundle: Bundle,
    region: BaseGeometry,
    *,
    temperature: float | None = None,
    report: Report = silent,
) -> RegionHeat:
    """Return the entropy of the answer in `region` (level-0 pixels): 0 where sure, 1 where all classes are alike.

    `one` is log2 of the number of classes, in bits. The probabilities are calibrated by `temperature`, that
    of the bundle's card where not given. Raises PixelSizeMissingError, RegionError.
    """
    degrees = bundle.card.temperature if temperature is None else temperature
    frame = frame_of_answers(slide, bundle, region)
    canvas = Canvas(frame, CELL)
    places = frame.tiles()
    bits = math.log2(max(len(bundle.classes), 2))
    for number, place in enumerate(places):
        report(number / len(places), f"{number} of {len(places)} tiles")
        likely = all_classes(bundle.predict(frame.read(slide, place)[None])[0])
        canvas.add(place, in_cells(entropy(with_temperature(likely, degrees)) / bits, CELL))
    report(1.0)
    return RegionHeat(canvas.values(), canvas.bounds, "entropy", one=bits, unit="bits")


def frame_of_answers(slide: Slide, bundle: Bundle, region: BaseGeometry) -> Frame:
    """Cover a region with tiles of the bundle's size, which share its halo in whole cells."""
    context = bundle.halo // CELL * CELL
    core = bundle.tile - 2 * context
    return Frame.around(slide, bundle.mpp, region, core=core, context=context)


def all_classes(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (C, H, W): of one class also the probability that it is not."""
    if len(probabilities) > 1:
        return probabilities
    return np.concatenate([probabilities, 1 - probabilities])
