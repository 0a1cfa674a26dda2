"""Whether the answer would be the same from another laboratory: flips under other stains and other ways up."""

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from segcore.explain.confidence import CELL, all_classes, frame_of_answers
from segcore.explain.frame import Canvas, in_cells
from segcore.explain.heat import RegionHeat
from segcore.models import Bundle
from segcore.progress import Report, share, silent
from segcore.slides import Rgb, Slide
from segcore.slides.preprocessing.stains import REFERENCE, optical_density, transmitted

VIEWS = 8
AMOUNT, HUE = 0.15, 0.04
"""One standard deviation of a stain's amount, as a share, and of its colour, in optical density per unit."""


def robustness_map(
    slide: Slide,
    bundle: Bundle,
    region: BaseGeometry,
    *,
    views: int = VIEWS,
    seed: int = 0,
    report: Report = silent,
) -> RegionHeat:
    """Return which share of `views` predicts another class than the picture itself, over `region` (level-0).

    Each view has other amounts and colours of haematoxylin and eosin, drawn from `seed` once for the whole
    region, and another of the eight ways to turn and mirror a square; its answer is turned back. `one` is
    all views. Raises PixelSizeMissingError, RegionError.
    """
    frame = frame_of_answers(slide, bundle, region)
    canvas = Canvas(frame, CELL)
    changes = stain_changes(views, seed)
    places = frame.tiles()
    for number, place in enumerate(places):
        part = share(report, number, len(places))
        part(0.0, f"{number} of {len(places)} tiles")
        picture = frame.read(slide, place)
        canvas.add(place, in_cells(flips(bundle, picture, changes, report=part), CELL))
    report(1.0)
    return RegionHeat(canvas.values(), canvas.bounds, "flips", unit="of the views")


def flips(
    bundle: Bundle,
    picture: Rgb,
    changes: npt.NDArray[np.float64],
    *,
    report: Report = silent,
) -> npt.NDArray[np.float32]:
    """Return (H, W): the share of views of a square `picture`, one for each of `changes`, that change the class."""
    before = _answer(bundle, picture)
    flipped = np.zeros(before.shape, np.float32)
    for view, change in enumerate(changes):
        report(view / len(changes), f"view {view + 1} of {len(changes)}")
        seen = turned(restained(picture, change), view)
        flipped += turned_back(_answer(bundle, seen), view) != before
    return (flipped / max(len(changes), 1)).astype(np.float32)


def stain_changes(views: int, seed: int) -> npt.NDArray[np.float64]:
    """Return (views, 3, 3): what each view multiplies optical density by."""
    rng = np.random.default_rng(seed)
    stains = REFERENCE.matrix / np.linalg.norm(REFERENCE.matrix, axis=1, keepdims=True)
    third = np.cross(*stains)
    own = np.vstack(
        [stains, third / np.linalg.norm(third)]
    )  # what neither stain explains stays as it is
    amounts = np.exp(rng.normal(0, AMOUNT, (views, 2)))
    hues = rng.normal(0, HUE, (views, 2, 3))
    changes = []
    for factors, shifts in zip(amounts, hues, strict=True):
        other = own.copy()
        other[:2] = (own[:2] + shifts) * factors[:, None]
        changes.append(np.linalg.inv(own) @ other)
    return np.array(changes).reshape(views, 3, 3)


def restained(picture: Rgb, change: npt.NDArray[np.float64]) -> Rgb:
    """Return the picture with its optical density multiplied by `change` (3, 3)."""
    density = optical_density(picture.astype(np.float32)) @ change
    return np.rint(transmitted(density)).astype(np.uint8)


def turned(picture: npt.NDArray[np.uint8], way: int) -> npt.NDArray[np.uint8]:
    """Return a square picture in one of eight ways: quarter turns, mirrored from the fourth on."""
    quarters = np.rot90(picture, way % 4)
    return np.ascontiguousarray(quarters[:, ::-1] if way % 8 >= 4 else quarters)


def turned_back(picture: npt.NDArray[np.generic], way: int) -> npt.NDArray[np.generic]:
    """Return what `turned` made `picture` of."""
    upright = picture[:, ::-1] if way % 8 >= 4 else picture
    return np.rot90(upright, -(way % 4))


def _answer(bundle: Bundle, picture: Rgb) -> npt.NDArray[np.intp]:
    """Return (H, W): the likeliest channel."""
    return all_classes(bundle.predict(picture[None])[0]).argmax(axis=0)
