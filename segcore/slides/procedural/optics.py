"""From stain to picture: Beer-Lambert absorption, the lens's blur, uneven light and the sensor's noise."""
# ruff: noqa: PLR0917 - compiled kernels take numbers by position, not structures

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from segcore.slides.procedural.ground import Planes
from segcore.slides.procedural.noise import chance, fractal, noise

Rgb = npt.NDArray[np.uint8]
Vector = tuple[float, float, float]
BLOOD: Vector = (0.06, 0.60, 0.80)
TAPS = 2
"""Pixels that the blur looks to either side; a window is painted this much wider."""


@dataclass(frozen=True, slots=True)
class Stain:
    """How a laboratory's stain and scanner colour the same tissue.

    The vectors are optical densities of red, green and blue per unit of stain (unit length).
    """

    haematoxylin: Vector = (0.645, 0.680, 0.349)
    eosin: Vector = (0.152, 0.846, 0.511)
    haematoxylin_strength: float = 1.0
    eosin_strength: float = 1.0
    glass: Vector = (244.0, 242.0, 240.0)
    blur: float = 0.62
    """Standard deviation of the lens's blur in pixels."""


STANDARD = Stain()


def draw_stain(seed: int) -> Stain:
    """Return a laboratory's stain by chance, within what real breast slides show."""
    rng = np.random.default_rng([seed, 2])
    white = rng.uniform(232, 250)
    return Stain(
        haematoxylin=_tilted(STANDARD.haematoxylin, rng),
        eosin=_tilted(STANDARD.eosin, rng),
        haematoxylin_strength=float(rng.uniform(0.65, 1.45)),
        eosin_strength=float(rng.uniform(0.6, 1.6)),
        glass=tuple(float(white + step) for step in rng.uniform(-5, 5, 3)),  # type: ignore[arg-type]
        blur=float(rng.uniform(0.45, 1.1)),
    )


def _tilted(vector: Vector, rng: np.random.Generator) -> Vector:
    moved = np.clip(np.asarray(vector) + rng.normal(0, 0.045, 3), 0.03, 1)
    red, green, blue = moved / np.linalg.norm(moved)
    return float(red), float(green), float(blue)


@njit(cache=True, nogil=True)
def _drift(x: int, y: int, salt: int) -> Vector:
    """Return factors of haematoxylin and eosin and the loss of light, which vary slowly over a slide."""
    haem = 1.0 + 0.12 * fractal(x / 1300.0, y / 1300.0, salt + 90, 2)
    eosin = 1.0 + 0.16 * fractal(x / 900.0, y / 900.0, salt + 92, 2)
    return haem, eosin, 0.008 + 0.008 * noise(x / 1700.0, y / 1700.0, salt + 100)


@njit(cache=True, nogil=True)
def _transmit(
    light: Planes, planes: Planes, left: int, top: int, salt: int, vectors: Planes
) -> None:
    """Beer-Lambert: I = exp(-OD) of uneven stain under uneven light."""
    _, rows, columns = planes.shape
    for row in range(rows):
        y = top + row
        more_haem, more_eosin, shade = _drift(left - left % 8, y - y % 8, salt)
        for column in range(columns):
            x = left + column
            if x % 8 == 0:  # the drift over 8 px is far below one grey level
                more_haem, more_eosin, shade = _drift(x - x % 8, y - y % 8, salt)
            grain = 1.0 + 0.22 * noise(x / 1.7, y / 1.7, salt + 94)
            haem = planes[0, row, column] * more_haem * grain
            eosin = planes[1, row, column] * more_eosin * grain
            blood = planes[2, row, column]
            for k in range(3):
                density = haem * vectors[0, k] + eosin * vectors[1, k] + blood * vectors[2, k]
                light[k, row, column] = math.exp(-density - shade)


@njit(cache=True, nogil=True)
def _expose(
    out: Rgb, light: Planes, left: int, top: int, salt: int, glass: Planes, weights: Planes
) -> None:
    """Blur with a separable kernel, add noise and quantise; drops TAPS at each side."""
    _, rows, columns = light.shape
    line = np.empty(columns, np.float32)
    for k in range(3):
        for row in range(TAPS, rows - TAPS):
            for column in range(columns):
                total = weights[0] * light[k, row, column]
                for tap in range(1, TAPS + 1):
                    total += weights[tap] * (
                        light[k, row - tap, column] + light[k, row + tap, column]
                    )
                line[column] = total
            for column in range(TAPS, columns - TAPS):
                total = weights[0] * line[column]
                for tap in range(1, TAPS + 1):
                    total += weights[tap] * (line[column - tap] + line[column + tap])
                x, y = left + column, top + row
                grey = chance(x, y, salt + 95) + chance(x, y, salt + 96) - 1.0
                own = chance(x, y, salt + 97 + k) - 0.5
                value = glass[k] * total + (2.6 * grey + 1.6 * own) * (1.25 - 0.8 * total)
                out[row - TAPS, column - TAPS, k] = np.uint8(min(255.0, max(0.0, value + 0.5)))


def expose(planes: Planes, *, left: int, top: int, salt: int, stain: Stain) -> Rgb:
    """Return (h - 2 TAPS, w - 2 TAPS, 3) of the stained `planes`, whose first pixel is (left, top)."""
    vectors = np.array(
        [
            np.multiply(stain.haematoxylin, stain.haematoxylin_strength),
            np.multiply(stain.eosin, stain.eosin_strength),
            np.multiply(BLOOD, stain.eosin_strength),
        ],
        np.float32,
    )
    light = np.empty_like(planes)
    _transmit(light, planes, left, top, salt, vectors)
    weights = np.exp(-0.5 * (np.arange(TAPS + 1) / stain.blur) ** 2)
    weights = (weights / (2 * weights.sum() - weights[0])).astype(np.float32)
    out = np.empty((planes.shape[1] - 2 * TAPS, planes.shape[2] - 2 * TAPS, 3), np.uint8)
    _expose(out, light, left, top, salt, np.asarray(stain.glass, np.float32), weights)
    return out
