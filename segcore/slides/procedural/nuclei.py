"""Stamping the cells: nuclei with membrane, chromatin and nucleoli, blood cells, and the dead."""
# ruff: noqa: PLR0917 - compiled kernels take numbers by position, not structures

import math

from numba import njit

from segcore.slides.procedural.cells import (
    ADIPOCYTE,
    CARCINOMA,
    FIBROBLAST,
    GHOST,
    KIND,
    LYMPHOCYTE,
    MITOSIS,
    PLASMA,
    PYKNOTIC,
    SEED,
    TONE,
    TURN,
    A,
    B,
    Cells,
    X,
    Y,
)
from segcore.slides.procedural.ground import Planes
from segcore.slides.procedural.noise import chance, fractal, noise, smooth

Ink = tuple[float, float, float]
"""Optical density of haematoxylin, eosin and blood."""


@njit(cache=True, nogil=True)
def _nucleoli(u: float, v: float, a: float, b: float, seed: int) -> float:
    """Return 0 to 1: one to three dark spots well inside the nucleus."""
    spot = 0.0
    for k in range(1 + int(2.4 * chance(seed, 20, 7))):
        away, turn = 0.55 * chance(seed, 21 + k, 7), 6.2832 * chance(seed, 24 + k, 7)
        du, dv = u - a * away * math.cos(turn), v - b * away * math.sin(turn)
        radius = 1.1 + 1.1 * chance(seed, 27 + k, 7)
        spot = max(spot, math.exp(-(du * du + dv * dv) / (radius * radius)))
    return spot


@njit(cache=True, nogil=True)
def _carcinoma(u: float, v: float, rho: float, a: float, b: float, tone: float, seed: int) -> Ink:
    vesicular = smooth(0.15, 0.75, chance(seed, 10, 7))
    chromatin = fractal(u / 2.3 + seed, v / 2.3, 11, 2)
    coarse = noise(u / 5.5, v / 5.5 + seed, 12)
    clump = smooth(0.12, 0.6, chromatin + 0.35 * coarse)
    body = 0.62 + 0.85 * (1.0 - vesicular) + 0.45 * (tone - 0.5)
    rim = smooth(0.66, 0.94, rho) * (0.8 + 0.6 * coarse)
    haem = body * (1.0 + 0.30 * chromatin + 0.20 * coarse) + 0.62 * clump + 0.55 * rim * vesicular
    spot = _nucleoli(u, v, a, b, seed) * vesicular
    return haem + 0.75 * spot, 0.34 + 0.35 * spot, 0.0


@njit(cache=True, nogil=True)
def _ink(kind: int, u: float, v: float, rho: float, cell: Cells) -> Ink:
    seed, tone = int(cell[SEED]), cell[TONE]
    grain = fractal(u / 2.3 + seed, v / 2.3, 13, 2)
    if kind == CARCINOMA:
        return _carcinoma(u, v, rho, cell[A], cell[B], tone, seed)
    if kind in (LYMPHOCYTE, PLASMA):
        return 1.7 + 0.6 * tone + 0.9 * grain, 0.34, 0.0
    if kind == FIBROBLAST:
        pale = smooth(2.6, 4.6, cell[B])
        rim = 0.35 * pale * smooth(0.55, 0.95, rho)
        return 1.15 + 0.75 * tone - 0.7 * pale + rim + 0.45 * grain, 0.40, 0.0
    if kind == PYKNOTIC:
        return 1.5 + 0.8 * tone, 0.55, 0.0
    if kind == MITOSIS:
        return 2.35 + 0.5 * grain, 0.4, 0.0
    return 0.05, 0.72 - 0.22 * smooth(0.75, 0.1, rho) + 0.15 * tone, 0.26


@njit(cache=True, nogil=True)
def _outline(u: float, v: float, a: float, b: float, seed: int, rough: float) -> float:
    """Return the radius of (u, v) in units of the uneven outline, 1 on it."""
    pitch = 0.8 * math.sqrt(a * b)
    warp = 1.0 + rough * noise(u / pitch + seed, v / pitch, 14)
    warp += 0.35 * rough * noise(2.3 * u / pitch, 2.3 * v / pitch + seed, 15)
    return math.sqrt((u / a) ** 2 + (v / b) ** 2) / warp


@njit(cache=True, nogil=True)
def _roughness(kind: int) -> float:
    if kind == CARCINOMA:
        return 0.18
    if kind in (MITOSIS, PYKNOTIC):
        return 0.34
    return 0.30 if kind == FIBROBLAST else 0.19


@njit(cache=True, nogil=True)
def _surroundings(kind: int) -> float:
    """Return how far around the nucleus `_surround` paints, in pixels."""
    if kind == MITOSIS:
        return 8.5
    if kind == PLASMA:
        return 5.0
    return 2.6 if kind in (LYMPHOCYTE, GHOST) else 0.0


@njit(cache=True, nogil=True)
def _surround(planes: Planes, row: int, column: int, kind: int, beyond: float) -> None:
    """Paint what lies just outside a nucleus: halos, plasma cytoplasm, ghost membranes."""
    if kind == GHOST:
        ring = smooth(2.2, 0.4, abs(beyond))
        planes[1, row, column] += 0.13 * ring
        planes[0, row, column] += 0.03 * ring
        inner = smooth(0.5, -2.0, beyond)
        planes[0, row, column] += 0.05 * inner * (1.0 - planes[0, row, column])
        planes[1, row, column] += 0.18 * inner * (0.5 - planes[1, row, column])
    elif kind == PLASMA:
        cover = 0.7 * smooth(5.0, 3.2, beyond)
        planes[0, row, column] += cover * (0.42 - planes[0, row, column])
        planes[1, row, column] += cover * (0.48 - planes[1, row, column])
    elif kind == MITOSIS:
        cover = 0.6 * smooth(8.5, 5.0, beyond)
        planes[0, row, column] += cover * (0.14 - planes[0, row, column])
        planes[1, row, column] += cover * (0.28 - planes[1, row, column])
    elif kind == LYMPHOCYTE:
        cover = 0.5 * smooth(2.6, 1.0, beyond)
        planes[0, row, column] *= 1.0 - 0.5 * cover
        planes[1, row, column] *= 1.0 - 0.6 * cover


@njit(cache=True, nogil=True)
def _focus(kind: int, seed: int) -> tuple[float, float]:
    """Return how soft a nucleus's border is in pixels, and how full its stain: some lie out of focus."""
    away = chance(seed, 30, 7) ** 3 * (0.45 if kind == LYMPHOCYTE else 1.0)
    return 0.75 + 1.7 * away, 1.0 - 0.4 * away


@njit(cache=True, nogil=True)
def _stamp(planes: Planes, cell: Cells, left: int, top: int) -> None:
    kind, seed = int(cell[KIND]), int(cell[SEED])
    a, b = cell[A], cell[B]
    if kind == MITOSIS:
        a, b = 8.0, 2.8
    soft, full = _focus(kind, seed)
    rough = _roughness(kind)
    margin = max(soft, _surroundings(kind))
    furthest = (1.0 + 1.35 * rough) * (1.0 + margin / b)
    x, y, reach = cell[X], cell[Y], 1.35 * max(a, b) + margin
    row0, column0 = math.floor(y - reach) - top, math.floor(x - reach) - left
    across = int(2.0 * reach) + 2
    cosine, sine = math.cos(cell[TURN]), math.sin(cell[TURN])
    _, rows, columns = planes.shape
    for row in range(max(0, row0), min(rows, row0 + across)):
        for column in range(max(0, column0), min(columns, column0 + across)):
            dx, dy = left + column + 0.5 - x, top + row + 0.5 - y
            u, v = cosine * dx + sine * dy, cosine * dy - sine * dx
            if (u / a) ** 2 + (v / b) ** 2 > furthest * furthest:
                continue
            rho = _outline(u, v, a, b, seed, rough)
            beyond = (rho - 1.0) * b
            _surround(planes, row, column, kind, beyond)
            cover = full * smooth(soft, -soft, beyond)
            if cover > 0.0 and kind != GHOST:
                ink = _ink(kind, u, v, rho, cell)
                for k in range(3):
                    planes[k, row, column] += cover * (ink[k] - planes[k, row, column])


@njit(cache=True, nogil=True)
def stamp_cells(planes: Planes, cells: Cells, left: int, top: int) -> None:
    """Draw `cells` over `planes` (3, h, w), whose first pixel is (left, top), in their order."""
    for i in range(len(cells)):
        if int(cells[i, KIND]) != ADIPOCYTE:
            _stamp(planes, cells[i], left, top)
