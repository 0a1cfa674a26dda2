"""Nests: how many pieces the tumor falls into, and how large they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

LEAST_NEST = 1000.0
"""Square micrometres: about five tumor cells; smaller groups are single cells and buds, or specks of the mask."""


@dataclass(frozen=True)
class Nests:
    """The connected areas of a class of at least `least_um2`, all sizes in square micrometres."""

    number: int
    median_um2: float | None
    """None where there are none."""
    largest_um2: float | None
    least_um2: float


def find_nests(
    masks: Iterable[npt.NDArray[np.bool_]], mpp: float, *, least_um2: float = LEAST_NEST
) -> Nests:
    """Measure the areas of masks (h, w) with pixels of `mpp` micrometres; pixels that meet at a corner do not touch.

    An area that the border of the region cuts counts with what of it lies inside.
    """
    sizes = np.concatenate([np.zeros(0), *map(_pixels_of_areas, masks)]) * mpp**2
    nests = sizes[
        sizes >= least_um2 * (1 - 1e-9)
    ]  # the least size itself is enough, for all rounding
    if not nests.size:
        return Nests(0, None, None, least_um2)
    return Nests(len(nests), float(np.median(nests)), float(nests.max()), least_um2)


def _pixels_of_areas(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    areas, _ = cast("tuple[npt.NDArray[np.int32], int]", ndimage.label(mask))
    return np.bincount(areas.ravel())[1:].astype(np.float64)
