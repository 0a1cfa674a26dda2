"""What lies between the nuclei: glass, collagen, cytoplasm, debris, fat and the holes."""
# ruff: noqa: PLR0917 - compiled kernels take numbers by position, not structures

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from segcore.slides.procedural.cells import (
    ADIPOCYTE,
    CARCINOMA,
    KIND,
    MITOSIS,
    SEED,
    A,
    B,
    Cells,
    X,
    Y,
)
from segcore.slides.procedural.fibres import density
from segcore.slides.procedural.layout import (
    FAT,
    HOLLOW,
    LYMPH,
    NECROSIS,
    TISSUE,
    TUMOR,
    Field,
    bend,
    jitter,
    sample,
)
from segcore.slides.procedural.noise import chance, fractal, noise, smooth

Labels = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.float32]
"""(3, h, w) optical density (natural logarithm) of haematoxylin, eosin and blood."""

CODE_TUMOR, CODE_STROMA, CODE_LYMPHOCYTE, CODE_NECROSIS, CODE_OTHER = 1, 2, 3, 4, 5
TERRITORY = 46.0
"""How far the cytoplasm of a carcinoma cell may reach, in pixels."""
FAT_TERRITORY = 170.0


@njit(cache=True, nogil=True)
def _bend(left: int, top: int, rows: int, columns: int, salt: int) -> Planes:
    """Return every pixel's place on the slide, moved a little so that cell borders curve."""
    bent = np.empty((2, rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            x, y = left + column + 0.5, top + row + 0.5
            for k in range(2):
                bent[k, row, column] = (y if k else x) + bend(x, y, salt, k)
    return bent


@njit(cache=True, nogil=True)
def territories(
    cells: Cells, left: int, top: int, salt: int, nearest: Planes, owner: npt.NDArray[np.int32]
) -> None:
    """Find for every pixel the two nearest cells: a Voronoi pattern of cytoplasm.

    `nearest` (2, h, w) takes the two distances beyond the nuclei's border, `owner` the nearest cell's seed.
    Carcinoma cells and adipocytes each fill their own regions, so one pattern serves both.
    """
    _, rows, columns = nearest.shape
    bent = _bend(left, top, rows, columns, salt)
    for i in range(len(cells)):
        kind = int(cells[i, KIND])
        if kind not in (CARCINOMA, MITOSIS, ADIPOCYTE):
            continue
        reach = FAT_TERRITORY if kind == ADIPOCYTE else TERRITORY
        x, y, own = cells[i, X], cells[i, Y], 0.7 * math.sqrt(cells[i, A] * cells[i, B])
        row0, column0 = math.floor(y - reach) - top, math.floor(x - reach) - left
        across = int(2.0 * reach) + 1
        for row in range(max(0, row0), min(rows, row0 + across)):
            for column in range(max(0, column0), min(columns, column0 + across)):
                dx, dy = bent[0, row, column] - x, bent[1, row, column] - y
                distance = math.sqrt(dx * dx + dy * dy) - own
                if distance < nearest[0, row, column]:
                    nearest[1, row, column] = nearest[0, row, column]
                    nearest[0, row, column] = distance
                    owner[row, column] = int(cells[i, SEED])
                elif distance < nearest[1, row, column]:
                    nearest[1, row, column] = distance


@njit(cache=True, nogil=True)
def label_at(fields: Field, jx: float, jy: float) -> int:
    """Return the class code at a jittered place."""
    if sample(fields, TISSUE, jx, jy) < 0 or sample(fields, FAT, jx, jy) > 0:
        return CODE_OTHER
    if sample(fields, NECROSIS, jx, jy) > 0:
        return CODE_NECROSIS
    if sample(fields, TUMOR, jx, jy) > 0:
        return CODE_TUMOR
    return CODE_LYMPHOCYTE if sample(fields, LYMPH, jx, jy) > 0 else CODE_STROMA


@njit(cache=True, nogil=True)
def _stroma(
    x: float, y: float, salt: int, fibre: float, gap: float, lymph: float
) -> tuple[float, float]:
    packed = density(x, y, salt)
    grain = fractal(x / 5.0, y / 5.0, salt + 52, 2)
    grit = fractal(x / 2.4, y / 2.4, salt + 77, 2)
    strands = 1.15 * fibre / (1.0 + 0.45 * fibre) * (1.0 + 0.30 * grit)
    eosin = 0.10 + 0.26 * packed + strands + 0.12 * grain
    haem = 0.05 + 0.03 * grain + 0.05 * fibre
    crowd = smooth(-25.0, 8.0, lymph)
    eosin += crowd * (0.20 + 0.10 * grain - 0.6 * eosin)
    haem += crowd * 0.13
    meshes = crowd * smooth(-0.05, 0.45, fractal(x / 13.0, y / 13.0, salt + 75, 2))
    hole = max(min(1.0, gap) * (0.93 - 0.25 * crowd), 0.8 * meshes)
    return haem * (1.0 - hole), max(0.01, eosin) * (1.0 - hole)


@njit(cache=True, nogil=True)
def _cytoplasm(
    x: float, y: float, salt: int, near: float, far: float, owner: int
) -> tuple[float, float]:
    own, clear = chance(owner, 1, salt), chance(owner, 2, salt)
    region = noise(x / 700.0, y / 700.0, salt + 62)
    grain = fractal(x / 3.5, y / 3.5, salt + 63, 2)
    mottle = fractal(x / 11.0, y / 11.0, salt + 61, 2)
    body = 1.0 + 0.50 * (own - 0.5) + 0.22 * grain + 0.18 * mottle
    body *= 1.0 - 0.55 * smooth(0.86, 0.99, clear) - 0.012 * min(12.0, max(0.0, near))
    haem, eosin = (0.33 + 0.07 * region) * body, (0.46 - 0.10 * region + 0.10 * own) * body
    apart = 2.6 * noise(x / 75.0, y / 75.0, salt + 64) + 1.6 * noise(x / 14.0, y / 14.0, salt + 60)
    split = smooth(0.0, 1.3, apart + 0.1 - 0.5 * (far - near))
    halo = smooth(0.88, 0.93, chance(owner, 5, salt)) * smooth(9.0, 6.0, near + 2.0 * mottle)
    bubble = smooth(0.55, 0.8, noise(x / 6.0, y / 6.0, salt + 76) + 0.4 * chance(owner, 6, salt))
    split = max(split, 0.85 * halo, 0.7 * bubble)
    border = smooth(4.0, 0.5, far - near)
    return haem * (1.0 + 0.10 * border) * (1.0 - 0.75 * split), eosin * (1.0 + 0.18 * border) * (
        1.0 - 0.8 * split
    )


@njit(cache=True, nogil=True)
def _debris(x: float, y: float, salt: int) -> tuple[float, float]:
    clump = fractal(x / 16.0, y / 16.0, salt + 65, 3)
    grain = fractal(x / 4.2, y / 4.2, salt + 66, 2)
    haze = fractal(x / 130.0, y / 130.0, salt + 67, 3)
    eosin = 0.50 + 0.22 * haze + 0.34 * clump + 0.26 * grain
    hole = smooth(0.30, 0.62, -clump - 0.2 * grain + 0.25 * haze)
    dust = 0.13 + 0.10 * grain + 0.14 * fractal(x / 60.0, y / 60.0, salt + 68, 2)
    return max(0.01, dust) * (1.0 - hole), max(0.03, eosin) * (1.0 - 0.85 * hole)


@njit(cache=True, nogil=True)
def _secretion(x: float, y: float, salt: int, hollow: float) -> tuple[float, float]:
    """Return the content of a hollow: most are empty, some hold pink fluid shrunk from the wall."""
    filled = smooth(0.30, 0.36, noise(x / 260.0, y / 260.0, salt + 72))
    filled *= smooth(1.5, 3.0, hollow + 2.5 * noise(x / 12.0, y / 12.0, salt + 73))
    return 0.05 * filled, 0.015 + 0.36 * filled * (1.0 + 0.2 * noise(x / 5.0, y / 5.0, salt + 74))


@njit(cache=True, nogil=True)
def _adipose(
    x: float, y: float, salt: int, near: float, far: float, edge: float
) -> tuple[float, float]:
    thick = 3.6 + 1.4 * noise(x / 70.0, y / 70.0, salt + 68)
    corner = 6.5 * smooth(42.0, 75.0, near) ** 2
    wall = smooth(thick + corner, thick + 0.7 * corner - 2.6, far - near)
    wall = max(wall, smooth(thick, thick - 2.6, edge + 2.0 * noise(x / 21.0, y / 21.0, salt + 70)))
    return 0.12 * wall, 0.02 + 0.50 * wall * (0.8 + 0.4 * noise(x / 9.0, y / 9.0, salt + 69))


@njit(cache=True, nogil=True)
def _mix(base: tuple[float, float], top: tuple[float, float], weight: float) -> tuple[float, float]:
    return base[0] + weight * (top[0] - base[0]), base[1] + weight * (top[1] - base[1])


@njit(cache=True, nogil=True)
def _cleft(x: float, y: float, salt: int, growth: float) -> float:
    """Return 0 to 1: the white crack that shrinkage opens around parts of the nests."""
    width = 10.0 * fractal(x / 150.0, y / 150.0, salt + 53, 2) - 0.2
    width += 2.0 * noise(x / 23.0, y / 23.0, salt + 55)
    return smooth(0.0, 1.2, width + growth) * smooth(0.6, -0.6, growth) if width > 0 else 0.0


@njit(cache=True, nogil=True)
def _tissue_at(
    fields: Field,
    place: tuple[float, float, float, float],
    salt: int,
    strands: tuple[float, float],
    voronoi: tuple[float, float, int],
) -> tuple[float, float]:
    x, y, jx, jy = place
    near, far, owner = voronoi
    tumor, dead = sample(fields, TUMOR, jx, jy), sample(fields, NECROSIS, jx, jy)
    growth, hollow = max(tumor, dead), sample(fields, HOLLOW, jx, jy)
    ink = (0.0, 0.0)
    if growth < 2.0:
        ink = _stroma(x, y, salt, strands[0], strands[1], sample(fields, LYMPH, jx, jy))
        ink = _mix(ink, (0.16, 0.62), 0.8 * smooth(-6.0, -3.0, hollow))
        ink = _mix(ink, (0.0, 0.01), _cleft(x, y, salt, growth))
    if tumor > -2.0:
        ink = _mix(ink, _cytoplasm(x, y, salt, near, far, owner), smooth(-0.9, 0.9, tumor))
        ink = _mix(ink, (0.25, 0.75), 0.5 * smooth(-4.5, -1.0, hollow))
    if dead > -6.0:
        edge = dead + 5.0 * noise(x / 9.0, y / 9.0, salt + 54)
        ink = _mix(ink, _debris(x, y, salt), smooth(-3.0, 3.0, edge))
    if hollow > -2.0:
        ink = _mix(ink, _secretion(x, y, salt, hollow), smooth(-0.9, 0.9, hollow))
    fat = sample(fields, FAT, jx, jy)
    if fat > -3.0:
        edge = min(fat, sample(fields, TISSUE, jx, jy)) - 3.0
        ink = _mix(ink, _adipose(x, y, salt, near, far, edge), smooth(-1.5, 1.5, fat))
    return ink


@njit(cache=True, nogil=True)
def paint_ground(
    planes: Planes,
    labels: Labels,
    left: int,
    top: int,
    fields: Field,
    salt: int,
    strands: Planes,
    nearest: Planes,
    owner: npt.NDArray[np.int32],
) -> None:
    """Fill `planes` and `labels` for the window whose first pixel is (left, top)."""
    _, rows, columns = planes.shape
    for row in range(rows):
        for column in range(columns):
            x, y = left + column + 0.5, top + row + 0.5
            if sample(fields, TISSUE, x, y) < -60.0:
                labels[row, column] = CODE_OTHER
                continue
            jx, jy = jitter(x, y, salt)
            labels[row, column] = label_at(fields, jx, jy)
            tissue = sample(fields, TISSUE, jx, jy)
            if tissue < -30.0:
                continue
            voronoi = (nearest[0, row, column], nearest[1, row, column], owner[row, column])
            fibre, gap = strands[0, row, column], strands[1, row, column]
            ink = _tissue_at(fields, (x, y, jx, jy), salt, (fibre, gap), voronoi)
            loose = (0.25 * min(fibre, 0.5), 0.8 * min(fibre, 0.7))
            fray = tissue + 4.0 * noise(x / 6.0, y / 6.0, salt + 56)
            ink = _mix(loose, ink, smooth(-1.5, 1.5, fray))
            planes[0, row, column], planes[1, row, column] = ink
