"""Reinhard's colour transfer: the mean and spread of a picture's colours, and another's put in their place.

Reinhard et al. 2001, "Color Transfer between Images"; equation numbers below are its own.
"""

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

Picture = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
Level = Annotated[float, Meta(ge=-10, le=10)]
Spread = Annotated[float, Meta(gt=0, le=10)]

LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
"""Eq. 4: linear red, green, blue to the cones' long, middle and short waves."""
OPPONENT = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
"""Eq. 6: to lightness, yellow-blue and red-green."""
BLACK = 1 / 255


class Colours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean and standard deviation of a picture in lightness, yellow-blue and red-green (l, alpha, beta)."""

    mean: tuple[Level, Level, Level]
    std: tuple[Spread, Spread, Spread]


def opponent(picture: Picture) -> Array:
    """Return (H, W, 3) l, alpha, beta of a picture (eq. 4 to 6)."""
    cones = np.maximum(picture / 255.0, BLACK) @ LMS.T
    return np.log10(cones) @ OPPONENT.T


def from_opponent(values: Array) -> Picture:
    """Return the picture of l, alpha, beta (eq. 8 and 9), clipped to 0..255."""
    cones = 10 ** (values @ np.linalg.inv(OPPONENT).T)
    return np.clip(cones @ np.linalg.inv(LMS).T * 255, 0, 255).astype(np.float32)


def measure_colours(picture: Picture) -> Colours | None:
    """Return a picture's colours, or None where one of the three does not vary."""
    values = opponent(picture).reshape(-1, 3)
    mean, std = values.mean(axis=0), values.std(axis=0)
    if std.min() < 1e-6:
        return None
    return Colours(tuple(map(float, mean)), tuple(map(float, std)))  # type: ignore[arg-type]


def transferred(picture: Picture, *, source: Colours, target: Colours) -> Picture:
    """Return the picture with its mean and spread moved from `source` to `target` (eq. 10 and 11)."""
    factors = np.array(target.std) / np.array(source.std)
    moved = (opponent(picture) - np.array(source.mean)) * factors + np.array(target.mean)
    return from_opponent(moved)
