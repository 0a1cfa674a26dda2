"""Collagen: strands traced along the fibre direction and drawn one by one.

Every strand starts at a hashed point of a fixed grid, so whichever window is drawn, its pixels are the same.
"""
# ruff: noqa: PLR0917 - compiled kernels take numbers by position, not structures

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from segcore.slides.procedural.cells import fibre_angle
from segcore.slides.procedural.layout import (
    FAT,
    HOLLOW,
    LYMPH,
    NECROSIS,
    TISSUE,
    TUMOR,
    Field,
    jitter,
    sample,
)
from segcore.slides.procedural.noise import chance, fractal, noise

Plane = npt.NDArray[np.float32]

REACH = 150
"""No strand gets farther than this from where it starts, in pixels."""
# Pitch of the grid of starts, least and further half-length, least and further half-width, in pixels.
BUNDLE = (26.0, 20.0, 60.0, 2.0, 5.0)
FIBRIL = (7.5, 8.0, 40.0, 0.35, 1.0)
GAP = (13.0, 5.0, 26.0, 0.35, 2.3)


@njit(cache=True, nogil=True)
def density(x: float, y: float, salt: int) -> float:
    """Return how densely collagen is packed at (x, y), 0 (loose, oedematous) to 1 (hyaline)."""
    return min(1.0, max(0.0, 0.55 + 0.8 * fractal(x / 420.0, y / 420.0, salt + 50, 3)))


@njit(cache=True, nogil=True)
def _passable(fields: Field, x: float, y: float, salt: int, overhang: float) -> bool:
    jx, jy = jitter(x, y, salt)
    if sample(fields, TISSUE, jx, jy) < -overhang or sample(fields, HOLLOW, jx, jy) > -3.0:
        return False
    growth = max(sample(fields, TUMOR, jx, jy), sample(fields, NECROSIS, jx, jy))
    return growth < -1.0 and sample(fields, FAT, jx, jy) < 2.0


@njit(cache=True, nogil=True)
def _cross(
    plane: Plane,
    left: int,
    top: int,
    x: float,
    y: float,
    slope: float,
    steep: bool,  # noqa: FBT001 - numba passes positional arguments
    width: float,
    ink: float,
) -> None:
    """Draw one pixel's length of a strand: a run of pixels across it, softened by coverage.

    All arithmetic is in the slide's frame: numbers relative to the window would round differently.
    """
    rows, columns = plane.shape
    across = math.sqrt(1.0 + slope * slope)
    centre, along = (x, math.floor(y)) if steep else (y, math.floor(x))
    half = (width + 0.5) * across
    for i in range(math.floor(centre - half), math.floor(centre + half) + 1):
        cover = width + 0.5 - abs(i + 0.5 - centre) / across
        row, column = (along - top, i - left) if steep else (i - top, along - left)
        if cover > 0.0 and 0 <= row < rows and 0 <= column < columns:
            plane[row, column] += ink * min(1.0, cover, 2.0 * width)


@njit(cache=True, nogil=True)
def _trace(
    plane: Plane,
    left: int,
    top: int,
    fields: Field,
    salt: int,
    start: tuple[float, float],
    forward: float,
    length: float,
    width: float,
    ink: float,
    overhang: float,
) -> None:
    x, y = start
    dx, dy, slope, steep = 0.0, 0.0, 0.0, False
    for step in range(int(length)):
        if step % 3 == 0:
            if not _passable(fields, x, y, salt, overhang):
                return
            angle = fibre_angle(fields, x, y, salt)
            cosine, sine = math.cos(angle), math.sin(angle)
            if cosine * dx + sine * dy < 0.0 or (step == 0 and forward < 0.0):
                cosine, sine = -cosine, -sine
            steep = abs(sine) > abs(cosine)
            major = abs(sine) if steep else abs(cosine)
            dx, dy = cosine / major, sine / major
            slope = dx / dy if steep else dy / dx
        rest = 1.0 - step / length
        _cross(
            plane,
            left,
            top,
            x,
            y,
            slope,
            steep,
            width * math.sqrt(rest),
            ink * min(1.0, 3.0 * rest),
        )
        x, y = x + dx, y + dy


@njit(cache=True, nogil=True)
def _strand_ink(layer: int, x: float, y: float, luck: float, salt: int) -> float:
    """Return how much one strand adds: eosin for bundles and fibrils, emptiness for gaps."""
    packed = density(x, y, salt)
    if layer == 0:
        return (0.03 + 0.55 * luck * luck) * packed
    if layer == 1:
        return (0.04 + 0.40 * luck * luck) * (0.4 + 0.6 * packed)
    open_up = 0.55 + 0.45 * noise(x / 150.0, y / 150.0, salt + 51)
    return 1.0 if luck < 0.06 + 0.65 * (1.0 - packed) * open_up + 0.16 * open_up else 0.0


@njit(cache=True, nogil=True)
def draw_strands(
    plane: Plane,
    left: int,
    top: int,
    fields: Field,
    salt: int,
    layer: int,
    kind: tuple[float, float, float, float, float],
) -> None:
    """Add all strands of `layer` (0 bundle, 1 fibril, 2 gap) that touch the window to `plane`."""
    pitch, least, further, thin, thick = kind
    rows, columns = plane.shape
    for gy in range(int((top - REACH) // pitch), int((top + rows + REACH) // pitch) + 1):
        for gx in range(int((left - REACH) // pitch), int((left + columns + REACH) // pitch) + 1):
            key = salt + 1000 + 40 * layer
            x = (gx + chance(gx, gy, key)) * pitch
            y = (gy + chance(gx, gy, key + 1)) * pitch
            if sample(fields, TISSUE, x, y) < -12 or sample(fields, TUMOR, x, y) > 12:
                continue
            ink = _strand_ink(layer, x, y, chance(gx, gy, key + 2), salt)
            if sample(fields, LYMPH, x, y) > 0:
                ink *= 0.4
            if ink <= 0.0:
                continue
            shape = chance(gx, gy, key + 3)
            length, width = least + further * shape, thin + thick * chance(gx, gy, key + 4) ** 2
            overhang = 9.0 * chance(gx, gy, key + 5) ** 3
            for forward in (1.0, -1.0):
                _trace(
                    plane, left, top, fields, salt, (x, y), forward, length, width, ink, overhang
                )
