"""The cells of a section: where every nucleus lies, of which kind, how large and how turned."""
# ruff: noqa: PLR0917 - compiled kernels take numbers by position, not structures

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.spatial import KDTree

from segcore.slides.procedural.layout import (
    COSINE,
    FAT,
    HOLLOW,
    LYMPH,
    NECROSIS,
    PAD,
    SINE,
    STRIDE,
    TISSUE,
    TUMOR,
    Field,
    Layout,
    bend,
    jitter,
    sample,
)
from segcore.slides.procedural.noise import chance, fractal, noise, smooth

Cells = npt.NDArray[np.float64]
"""(n, 8) rows of X, Y, A, B (half axes of the nucleus), TURN (radians), KIND, TONE, SEED."""

Links = npt.NDArray[np.int64]
"""Indices of cells, -1 for none."""

X, Y, A, B, TURN, KIND, TONE, SEED = range(8)
(CARCINOMA, MITOSIS, FIBROBLAST, LYMPHOCYTE, PLASMA, PYKNOTIC, GHOST, ERYTHROCYTE, ADIPOCYTE) = (
    range(9)
)

BUCKET = 24
"""Side of a bucket of the neighbour search; no two cells but adipocytes need to know each other farther."""


@dataclass(frozen=True, eq=False)
class Hollows:
    """Lumens in nests and vessels in stroma: discs before jitter."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    radius: npt.NDArray[np.float64]
    vessel: npt.NDArray[np.bool_]


def dig(layout: Layout, rng: np.random.Generator) -> Hollows:
    """Place lumens and vessels, and write their signed distance into the layout's HOLLOW field."""
    tries = max(40, layout.size**2 // 26000)
    spots = rng.uniform(0, layout.size, (tries, 2))
    sizes = np.exp(rng.normal(math.log(17), 0.45, tries)).clip(8, 70)
    keep: list[tuple[float, float, float, bool]] = []
    for (x, y), size in zip(spots, sizes, strict=True):
        radius = _fits(layout, float(x), float(y), float(size))
        if radius and all(
            (x - a) ** 2 + (y - b) ** 2 > (radius + c + 45) ** 2 for a, b, c, _ in keep
        ):
            keep.append((x, y, radius, sample(layout.fields, TUMOR, x, y) <= 0))
    table = np.array(keep).reshape(-1, 4)
    hollows = Hollows(table[:, 0], table[:, 1], table[:, 2], table[:, 3] > 0)
    _carve(layout.fields, hollows.x, hollows.y, hollows.radius)
    return hollows


def _fits(layout: Layout, x: float, y: float, radius: float) -> float:
    """Return the radius a hollow may have at (x, y), 0 where there can be none."""
    fields, salt = layout.fields, layout.salt
    tumor, necrosis = sample(fields, TUMOR, x, y), sample(fields, NECROSIS, x, y)
    if sample(fields, TISSUE, x, y) < 90 or sample(fields, FAT, x, y) > -60 or necrosis > -25:
        return 0.0
    if tumor > 0:
        glandular = fractal(x / 900, y / 900, salt + 70, 2) > 0.05
        return min(radius, 0.55 * tumor) if glandular and tumor > 26 else 0.0
    roomy = tumor < -(radius + 22) and sample(fields, LYMPH, x, y) < -radius
    return radius * 0.8 if roomy and chance(int(x), int(y), salt) < 0.5 else 0.0


@njit(cache=True, nogil=True)
def _carve(fields: Field, x: Cells, y: Cells, radius: Cells) -> None:
    for i in range(len(x)):
        reach = int(radius[i] / STRIDE) + 8
        column, row = int(x[i] / STRIDE + PAD), int(y[i] / STRIDE + PAD)
        for r in range(max(0, row - reach), min(fields.shape[0], row + reach)):
            for c in range(max(0, column - reach), min(fields.shape[1], column + reach)):
                dx, dy = (c - PAD + 0.5) * STRIDE - x[i], (r - PAD + 0.5) * STRIDE - y[i]
                depth = radius[i] - math.sqrt(dx * dx + dy * dy)
                fields[r, c, HOLLOW] = max(fields[r, c, HOLLOW], depth)


@njit(cache=True, nogil=True)
def fibre_angle(fields: Field, x: float, y: float, salt: int) -> float:
    """Return the direction of the fibres at (x, y) in radians, crimp included."""
    angle = 0.5 * math.atan2(sample(fields, SINE, x, y), sample(fields, COSINE, x, y))
    crimp = 0.60 + 0.40 * noise(x / 300.0, y / 300.0, salt + 40)
    wave = noise(x / 27.0, y / 27.0, salt + 41) + 0.65 * noise(x / 10.0, y / 10.0, salt + 42)
    return angle + crimp * (wave + 0.35 * noise(x / 6.0, y / 6.0, salt + 43))


@njit(cache=True, nogil=True)
def _free(heads: Links, links: Links, cells: Cells, x: float, y: float, gap: float) -> bool:
    """Tell whether no cell lies nearer than the mean of its own gap and `gap`."""
    column, row = int(x / BUCKET) + 2, int(y / BUCKET) + 2
    for r in range(row - 1, row + 2):
        for c in range(column - 1, column + 2):
            i = heads[r, c]
            while i >= 0:
                dx, dy = cells[i, X] - x, cells[i, Y] - y
                need = 0.5 * (gap + 1.86 * math.sqrt(cells[i, A] * cells[i, B]))
                if dx * dx + dy * dy < need * need:
                    return False
                i = links[i]
    return True


@njit(cache=True, nogil=True)
def _draw(fields: Field, x: float, y: float, n: int, salt: int, out: Cells) -> bool:
    """Write the cell that try number `n` makes at (x, y) into `out`; False where none grows."""
    jx, jy = jitter(x, y, salt)
    luck, shape = chance(n, 1, salt), chance(n, 2, salt)
    tissue, hollow = sample(fields, TISSUE, jx, jy), sample(fields, HOLLOW, jx, jy)
    out[X], out[Y], out[SEED] = x, y, math.floor(1e6 * chance(n, 3, salt))
    out[TONE], out[TURN] = chance(n, 4, salt), math.pi * chance(n, 5, salt)
    if tissue < 4 or sample(fields, FAT, jx, jy) > -3:
        return False
    if sample(fields, NECROSIS, jx, jy) > 0:
        return _draw_dead(fields, jx, jy, luck, shape, out)
    tumor = sample(fields, TUMOR, jx, jy)
    if tumor > 0:
        return (
            _draw_carcinoma(x, y, salt, luck, shape, out)
            and tumor > 0.85 * out[B]
            and hollow < -0.9 * out[A]
        )
    if tumor > -4 or hollow > -9:
        return False
    return _draw_stromal(fields, jx, jy, salt, luck, shape, out)


@njit(cache=True, nogil=True)
def _draw_carcinoma(x: float, y: float, salt: int, luck: float, shape: float, out: Cells) -> bool:
    grade = 0.5 + 0.5 * noise(x / 420.0, y / 420.0, salt + 60)
    if luck < 0.02:
        out[KIND], out[A], out[B] = LYMPHOCYTE, 6.2 + shape, 5.8
        return True
    spread = chance(int(out[SEED]), 6, salt)
    size = 9.0 + 1.6 * grade + (1.5 + 2.6 * grade) * (spread * spread * 1.6 - 0.35)
    out[A], out[B] = size * (1.0 + 0.38 * shape), size * (1.0 - 0.26 * shape)
    out[KIND] = MITOSIS if luck > 0.99 else CARCINOMA
    return True


@njit(cache=True, nogil=True)
def _draw_dead(fields: Field, jx: float, jy: float, luck: float, shape: float, out: Cells) -> bool:
    rim = math.exp(-sample(fields, NECROSIS, jx, jy) / 45.0)
    if luck < 0.10 + 0.32 * rim:
        out[KIND], out[A] = PYKNOTIC, 1.6 + 3.4 * shape * shape + 1.4 * rim
        out[B] = out[A] * (0.6 + 0.4 * out[TONE])
        return True
    out[KIND], out[A], out[B] = GHOST, 7.0 + 4.0 * shape, 6.5 + 3.0 * shape
    return luck < 0.48


@njit(cache=True, nogil=True)
def _draw_stromal(
    fields: Field, jx: float, jy: float, salt: int, luck: float, shape: float, out: Cells
) -> bool:
    lymph = sample(fields, LYMPH, jx, jy)
    dense = smooth(-0.9, -0.2, noise(jx / 75.0, jy / 75.0, salt + 63))
    crowd = 0.25 + 0.70 * dense
    if lymph <= 0:
        patches = smooth(0.3, 0.9, noise(jx / 140.0, jy / 140.0, salt + 61))
        crowd = 0.16 * dense * math.exp(lymph / 45.0) + 0.0011 + 0.012 * patches
    if luck < crowd:
        out[KIND], out[A] = LYMPHOCYTE, 5.2 + 1.6 * shape
        out[B] = out[A] * (0.78 + 0.22 * chance(int(out[SEED]), 9, salt))
        if shape > 0.9:
            out[KIND], out[A], out[B] = PLASMA, 6.6, 5.9
        elif shape > 0.84:
            out[KIND], out[A], out[B] = FIBROBLAST, 8.0 + 2.0 * out[TONE], 5.6
        return True
    out[KIND], out[A] = FIBROBLAST, 6.5 + 9.0 * shape
    plump = chance(int(out[SEED]), 8, salt)
    out[B] = 1.5 + 1.3 * out[TONE] + 2.2 * plump * plump * plump
    out[TURN] = fibre_angle(fields, out[X], out[Y], salt)
    cellular = 0.008 + 0.007 * noise(jx / 260.0, jy / 260.0, salt + 62)
    return chance(int(out[SEED]), 7, salt) < cellular


@njit(cache=True, nogil=True)
def _slack(kind: int, tone: float) -> float:
    """Return how far, in nuclear radii, a cell keeps its neighbours: some touch, some stand apart."""
    if kind == CARCINOMA:
        return 1.9 + 0.85 * tone
    return 1.1 if kind == ERYTHROCYTE else 1.35 + 0.8 * tone


@njit(cache=True, nogil=True)
def _throw(fields: Field, size: int, salt: int, first: Cells, tries: int) -> Cells:
    """Throw `tries` darts; a cell stays where none stands too near (variable-radius dart throwing)."""
    cells = np.empty((len(first) + tries // 4 + 64, 8))
    buckets = size // BUCKET + 6
    heads, links = np.full((buckets, buckets), -1), np.full(len(cells), -1)
    count, n, reach = 0, 0, size + 2.0 * BUCKET
    while n < len(first) + tries and count < len(cells):
        out = cells[count]
        if n < len(first):
            out[:] = first[n]
            grows = True
        else:
            x, y = reach * chance(n, 8, salt) - BUCKET, reach * chance(n, 9, salt) - BUCKET
            grows = _draw(fields, x, y, n, salt, out)
        gap = _slack(int(out[KIND]), out[TONE]) * math.sqrt(out[A] * out[B])
        n += 1
        inside = -BUCKET < out[X] < size + BUCKET and -BUCKET < out[Y] < size + BUCKET
        if not (grows and inside and _free(heads, links, cells, out[X], out[Y], gap)):
            continue
        column, row = int(out[X] / BUCKET) + 2, int(out[Y] / BUCKET) + 2
        links[count], heads[row, column] = heads[row, column], count
        count += 1
    return cells[:count].copy()


def _lining(hollows: Hollows, rng: np.random.Generator) -> Cells:
    """Cells around every hollow: palisades around lumens, flat endothelium and blood in vessels."""
    rows: list[list[float]] = []
    for x, y, radius, vessel in zip(
        hollows.x, hollows.y, hollows.radius, hollows.vessel, strict=True
    ):
        pitch = 34.0 if vessel else 17.0
        ring = radius + (4.5 if vessel else 15.0)
        number = max(3, int(2 * math.pi * ring / pitch))
        for turn in 2 * math.pi * (np.arange(number) + rng.uniform(-0.22, 0.22, number)) / number:
            a, b, kind = (11.0, 2.6, FIBROBLAST) if vessel else (11.0, 7.8, CARCINOMA)
            heading = turn + (math.pi / 2 if vessel else 0.0)
            place = [x + ring * math.cos(turn), y + ring * math.sin(turn)]
            scale = float(rng.uniform(0.85, 1.15))
            rows.append([*place, a * scale, b * scale, heading, kind, *rng.uniform(0, 1, 2)])
        if vessel and rng.uniform() < 0.75:
            rows += _blood(x, y, radius, rng)
    table = np.array(rows).reshape(-1, 8)
    table[:, SEED] = np.floor(table[:, SEED] * 1e6)
    return table


def _blood(x: float, y: float, radius: float, rng: np.random.Generator) -> list[list[float]]:
    rows = []
    for _ in range(int(radius * radius / 9)):
        away, turn = (radius - 5) * math.sqrt(rng.uniform()), rng.uniform(0, 2 * math.pi)
        place = [x + away * math.cos(turn), y + away * math.sin(turn)]
        rows.append([*place, 6.6, rng.uniform(5.2, 6.6), turn, ERYTHROCYTE, *rng.uniform(0, 1, 2)])
    return rows


def _adipocytes(layout: Layout, rng: np.random.Generator) -> Cells:
    """Centres of fat cells, 80 to 130 px apart, over the fat and a little around it."""
    keep = np.empty((0, 2))
    for spot in rng.uniform(0, layout.size, (max(200, layout.size**2 // 1500), 2)):
        if sample(layout.fields, FAT, spot[0], spot[1]) < -40:
            continue
        gap = 92 + 26 * fractal(spot[0] / 300, spot[1] / 300, layout.salt + 80, 1)
        if not len(keep) or ((keep - spot) ** 2).sum(1).min() > gap * gap:
            keep = np.vstack([keep, spot])
    rows = np.zeros((len(keep), 8))
    rows[:, :2], rows[:, KIND] = keep, ADIPOCYTE
    return np.concatenate([rows, _pressed_nuclei(layout, keep, rng)])


def _pressed_nuclei(layout: Layout, centres: Cells, rng: np.random.Generator) -> Cells:
    """Flat nuclei on the wall between some fat cells and their nearest neighbours."""
    if len(centres) < 2:
        return np.empty((0, 8))
    neighbours = np.asarray(KDTree(centres).query(centres, k=2)[1])
    rows: list[list[float]] = []
    for here, there in zip(centres, centres[neighbours[:, 1]], strict=True):
        x, y = (here + there) / 2
        if rng.uniform() < 0.6 and sample(layout.fields, FAT, x, y) > 12:
            turn = math.atan2(there[1] - here[1], there[0] - here[0]) + math.pi / 2
            dx, dy = bend(x, y, layout.salt, 0), bend(x, y, layout.salt, 1)
            seed = float(rng.integers(1_000_000))
            rows.append([x - dx, y - dy, 9.0, 2.4, turn, FIBROBLAST, rng.uniform(), seed])
    return np.array(rows).reshape(-1, 8)


def populate(layout: Layout, seed: int) -> Cells:
    """Return all cells of the slide in the order they are painted; writes HOLLOW into `layout`."""
    rng = np.random.default_rng([seed, 1])
    first = _lining(dig(layout, rng), rng)
    cells = _throw(layout.fields, layout.size, layout.salt, first, layout.size**2 // 24)
    return np.concatenate([cells, _adipocytes(layout, rng)])
