"""How a stain looks: three figures of a picture's tissue, and the range of them in a set of pictures."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta
from PIL import Image

from segcore.slides.base import Rgb
from segcore.slides.preprocessing.stains import FAINT, optical_density

MPP = 2.0
"""Micrometres per pixel at which stains are looked at: cells melt into tissue."""
LEAST_TISSUE = 0.05
Figure = Annotated[float, Meta(ge=-100, le=100)]
Triple = tuple[Figure, Figure, Figure]
Appearance = npt.NDArray[np.float64]


class StainRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The appearances of a set of pictures: how many, their mean, and their covariance."""

    pictures: Annotated[int, Meta(ge=1)]
    mean: Triple
    covariance: tuple[Triple, Triple, Triple]

    def __post_init__(self) -> None:
        if np.linalg.eigvalsh(np.array(self.covariance)).min() < 1e-6:
            raise ValueError("the covariance of a stain range is not positive definite")

    def distance(self, appearance: Appearance) -> float:
        """Return how many standard deviations an appearance lies from the mean (Mahalanobis)."""
        apart = appearance - np.array(self.mean)
        return float(np.sqrt(apart @ np.linalg.solve(np.array(self.covariance), apart)))


def appearance(picture: Rgb, mpp: float) -> Appearance | None:
    """Return ln(red / green), ln(blue / green) and ln(all) of the tissue's mean optical density.

    None where a picture (H, W, 3) of `mpp` micrometres per pixel shows hardly any tissue.
    """
    height, width = (max(1, round(side * min(1.0, mpp / MPP))) for side in picture.shape[:2])
    small = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.HAMMING))
    density = optical_density(small.astype(np.float32)).reshape(-1, 3)
    tissue = density[(density >= FAINT).all(axis=1)]
    if len(tissue) < LEAST_TISSUE * len(density):
        return None
    red, green, blue = tissue.mean(axis=0)
    return np.log([red / green, blue / green, (red + green + blue) / 3])


def stain_range(
    appearances: Sequence[Appearance], weights: Sequence[float] | None = None
) -> StainRange:
    """Return the range of appearances, each counting by its weight; for a bundle's card.

    Give the pictures of each source a weight of one over their number, so that sources count alike.
    """
    values = np.array(appearances)
    mean = np.average(values, axis=0, weights=weights)
    covariance = np.cov(values.T, aweights=weights)
    rows = [tuple(row) for row in covariance.round(5).tolist()]
    return msgspec.convert(
        {"pictures": len(values), "mean": tuple(mean.round(4).tolist()), "covariance": rows},
        StainRange,
    )
