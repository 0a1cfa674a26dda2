"""The score of one ROI: counts that add up to tiles, cases and data sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from segcore.assessment.prediction import Codes, Probabilities
from segcore.evaluation import (
    Calibration,
    Confusion,
    boundary,
    boundary_f1,
    calibration,
    confusion,
)

Scores = npt.NDArray[np.float64]
Place = tuple[slice, slice]

BOUNDARY_TOLERANCE = 4.0
"""Micrometres that two boundaries may lie apart and still meet: about half a nucleus."""


@dataclass(frozen=True, eq=False)
class TileScore:
    place: Place
    """Rows and columns of the ROI."""
    confusion: Confusion


@dataclass(frozen=True, eq=False)
class RoiScore:
    """One picture, predicted whole and scored as a whole and by tiles."""

    source: str
    case: str
    tiles: tuple[TileScore, ...]
    """Those with a labelled pixel."""
    confusion: Confusion
    calibration: Calibration
    boundary: Scores
    """(C,) boundary F1; NaN where the reference's labels hold no boundary of the class."""


def score_roi(
    reference: Codes,
    probabilities: Probabilities,
    codes: Sequence[int],
    *,
    source: str,
    case: str,
    tile: int,
    mpp: float,
) -> RoiScore:
    """Compare (H, W) reference codes with (C, H, W) probabilities, channel i of which means `codes[i]`."""
    predicted = likeliest(probabilities, codes)
    tiles = tuple(
        TileScore(place, counts)
        for place in tile_places(reference.shape, tile)
        if (counts := confusion(reference[place], predicted[place], codes)).counts.any()
    )
    return RoiScore(
        source,
        case,
        tiles,
        confusion(reference, predicted, codes),
        calibration(reference, probabilities.clip(0, 1), codes),
        _boundary_scores(reference, predicted, codes, mpp),
    )


def likeliest(probabilities: Probabilities, codes: Sequence[int]) -> Codes:
    return np.array(codes, np.uint8)[probabilities.argmax(axis=0)]


def tile_places(shape: tuple[int, ...], tile: int) -> Iterator[Place]:
    """Cut (H, W) into rectangles of at most `tile` a side that differ by a pixel at most."""
    rows, columns = (_parts(side, tile) for side in shape)
    for row in rows:
        for column in columns:
            yield row, column


def _parts(side: int, most: int) -> list[slice]:
    edges = np.linspace(0, side, -(-side // most) + 1).round().astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _boundary_scores(
    reference: Codes, predicted: Codes, codes: Sequence[int], mpp: float
) -> Scores:
    known = np.isin(reference, codes)
    scores = np.full(len(codes), np.nan)
    for i, code in enumerate(codes):
        if boundary(reference == code, known=known).any():
            scores[i] = boundary_f1(
                reference == code,
                predicted == code,
                tolerance=BOUNDARY_TOLERANCE,
                mpp=mpp,
                known=known,
            )
    return scores
