"""Haematoxylin and eosin told apart: optical density, Macenko's estimate, normalisation, separation.

Beer-Lambert: OD = -ln(I / I0) = C S, with amounts C (pixels, 2) and stains S (2, 3). Macenko et al. 2009,
"A method for normalizing histology slides for quantitative analysis".
"""

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

Picture = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
Density = Annotated[float, Meta(ge=-1, le=1)]
Vector = tuple[Density, Density, Density]
Strength = Annotated[float, Meta(gt=0, le=100)]

LIGHT = 240.0
"""I0: the value of glass, as in Macenko's own program."""
FAINT = 0.15
"""Pixels with a smaller optical density in any channel say nothing about stains (beta)."""
EXTREMES = (1.0, 99.0)
"""Percentiles of the angle that stand for the pure stains (alpha)."""
STRONG = 99.0
"""Percentile of the amounts that two pictures are made to share."""
LEAST_PIXELS = 16


class Stains(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a laboratory's haematoxylin and eosin look like, and how strong they get."""

    haematoxylin: Vector
    """Optical density of red, green, blue per unit."""
    eosin: Vector
    strengths: tuple[Strength, Strength] = (1.0, 1.0)
    """99th percentile of the amounts of haematoxylin and of eosin."""

    def __post_init__(self) -> None:
        if np.linalg.matrix_rank(self.matrix, tol=1e-3) < 2:
            raise ValueError("haematoxylin and eosin have the same colour")

    @property
    def matrix(self) -> Array:
        """Return S, (2, 3)."""
        return np.array([self.haematoxylin, self.eosin])


REFERENCE = Stains(
    haematoxylin=(0.5626, 0.7201, 0.4062),
    eosin=(0.2159, 0.8012, 0.5581),
    strengths=(1.9705, 1.0308),
)
"""The target that Macenko's own program normalises to."""


def optical_density(picture: Picture) -> Array:
    """Return (H, W, 3): -ln((I + 1) / I0); the 1 keeps black finite."""
    return -np.log((picture.astype(np.float64) + 1) / LIGHT)


def transmitted(density: Array) -> Picture:
    """Return the picture of an optical density: the inverse of `optical_density`, clipped to 0..255."""
    return np.clip(LIGHT * np.exp(-density) - 1, 0, 255).astype(np.float32)


def amounts(picture: Picture, stains: Stains) -> Array:
    """Return (H, W, 2): how much haematoxylin and eosin each pixel holds, by least squares."""
    return optical_density(picture) @ np.linalg.pinv(stains.matrix)


def estimate_stains(picture: Picture) -> Stains | None:
    """Return the stains of a picture (Macenko, section 2), or None where it shows too little of two stains."""
    density = optical_density(picture).reshape(-1, 3)
    tissue = density[(density >= FAINT).all(axis=1)]
    if len(tissue) < LEAST_PIXELS:
        return None
    spread, axes = np.linalg.eigh(np.cov(tissue.T))
    if spread[1] < 1e-6:  # all pixels lie on one line of colours, or in one point
        return None
    plane = axes[:, [2, 1]] * np.sign(axes[:, [2, 1]].sum(axis=0) + 1e-12)  # (3, 2)
    angles = np.arctan2(*(tissue @ plane).T[::-1])
    ends = np.percentile(angles, EXTREMES)
    pure = np.stack([np.cos(ends), np.sin(ends)], axis=1) @ plane.T  # (2, 3)
    haematoxylin, eosin = pure if pure[0, 0] > pure[1, 0] else pure[::-1]  # the redder is eosin
    if np.linalg.matrix_rank(pure, tol=1e-3) < 2:
        return None
    strengths = np.percentile(tissue_amounts(density, haematoxylin, eosin), STRONG, axis=0)
    if strengths.min() <= 0:
        return None
    return Stains(
        as_vector(haematoxylin), as_vector(eosin), (float(strengths[0]), float(strengths[1]))
    )


def tissue_amounts(density: Array, haematoxylin: Array, eosin: Array) -> Array:
    return density @ np.linalg.pinv(np.array([haematoxylin, eosin]))


def as_vector(values: Array) -> Vector:
    red, green, blue = np.clip(values, -1, 1)
    return float(red), float(green), float(blue)


def normalised(picture: Picture, *, source: Stains, target: Stains) -> Picture:
    """Return the picture as `target`'s laboratory would have stained it."""
    factors = np.array(target.strengths) / np.array(source.strengths)
    return transmitted(amounts(picture, source) * factors @ target.matrix)


def separated(picture: Picture, stains: Stains, *, keep: int) -> Picture:
    """Return the picture with one stain alone: `keep` 0 is haematoxylin, 1 is eosin."""
    return transmitted(amounts(picture, stains)[..., [keep]] * stains.matrix[[keep]])
