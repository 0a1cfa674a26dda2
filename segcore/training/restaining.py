"""Stains moved towards those of another picture: a crop as another laboratory would have stained it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from segcore.data.sample import Rgb
from segcore.slides.preprocessing import Stains, estimate_stains

LOOKED_AT = 40_000
"""Pixels of a picture that its stains are estimated from."""


class Restaining(NamedTuple):
    """The stains of a picture, and those that its crops may be moved to."""

    own: Stains
    others: Sequence[Stains]


def restain(image: Rgb, restaining: Restaining, rng: np.random.Generator) -> np.ndarray:
    """Move a picture's stains some way to those of another, with a jitter; (H, W, 3) float32, 0 to 255."""
    others = restaining.others
    own, other = _frame(restaining.own), _frame(others[int(rng.integers(len(others)))])
    way = rng.uniform(0.3, 1.0)
    # Rows are as long as the stain is strong, so that strengths move with the colours.
    wanted = (1 - way) * own + way * other + rng.normal(0, 0.03, (3, 3))
    amounts = np.exp(rng.normal(0, 0.12, 3))
    return recoloured(image, np.linalg.inv(own) @ np.diag(amounts) @ wanted)


def _frame(stains: Stains) -> np.ndarray:
    """Return (3, 3): the two stains times their strengths, and the colour that neither has."""
    pair = stains.matrix * np.array(stains.strengths)[:, None]
    third = np.cross(pair[0], pair[1])
    return np.vstack([pair, third / np.linalg.norm(third)])


def recoloured(image: Rgb, change: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
    """Multiply every pixel's optical density by the 3x3 `change`, and add `offset`; float32."""
    density = -np.log((image.astype(np.float32) + 1) / 256)
    density = density @ change.astype(np.float32) + offset
    return (256 * np.exp(-density) - 1).astype(np.float32)


def usable_stains(image: Rgb) -> Stains | None:
    """Return the stains of a picture (Macenko), or None where the estimate is not two stains well apart."""
    step = max(1, round((image[..., 0].size / LOOKED_AT) ** 0.5))
    stains = estimate_stains(image[::step, ::step].astype(np.float32))
    return stains if stains is not None and _is_plausible(stains) else None


def _is_plausible(stains: Stains) -> bool:
    """Tell whether both stains are there, differ, and absorb all colours."""
    first, second = stains.matrix / np.linalg.norm(stains.matrix, axis=1, keepdims=True)
    apart = np.degrees(np.arccos(np.clip(first @ second, -1, 1)))
    low, high = min(stains.strengths), max(stains.strengths)
    return bool(10 < apart < 60 and low > 0.3 and high < 4 and stains.matrix.min() > -0.15)
