"""Where on a section which tissue lies: smooth signed distances on a coarse grid."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from segcore.slides.procedural.noise import edge_distance, gradient_fractal, noise

Field = npt.NDArray[np.float32]

STRIDE = 8
"""Level-0 pixels per coarse grid cell."""
PAD = 32
"""Coarse cells around the slide."""
TISSUE, FAT, NECROSIS, TUMOR, LYMPH, HOLLOW, COSINE, SINE = range(8)
"""Fields of a layout: signed distances in level-0 pixels (positive inside), then the fibre direction.

HOLLOW is inside lumens and vessels; COSINE and SINE are of twice the fibre angle.
"""
SHARE = {"glass": 0.19, "fat": 0.05, "necrosis": 0.07, "tumor": 0.30, "lymph": 0.08}
"""Share of the slide that each kind of region takes; the rest is stroma."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The coarse plan of a slide of `size` x `size` level-0 pixels."""

    size: int
    salt: int
    fields: Field
    """(n, n, 8): see TISSUE and its neighbours."""


@njit(cache=True, nogil=True)
def sample(fields: Field, kind: int, x: float, y: float) -> float:
    """Return field `kind` at level-0 (x, y), bilinear."""
    gx, gy = x / STRIDE + PAD - 0.5, y / STRIDE + PAD - 0.5
    last = fields.shape[0] - 2
    ix, iy = min(last, max(0, int(gx))), min(last, max(0, int(gy)))
    u, v = gx - ix, gy - iy
    top = fields[iy, ix, kind] * (1.0 - u) + fields[iy, ix + 1, kind] * u
    low = fields[iy + 1, ix, kind] * (1.0 - u) + fields[iy + 1, ix + 1, kind] * u
    return top * (1.0 - v) + low * v


@njit(cache=True, nogil=True)
def jitter(x: float, y: float, salt: int) -> tuple[float, float]:
    """Return (x, y) moved by up to some 15 px: it makes every border as ragged as cells are."""
    dx = 11.0 * noise(x / 46.0, y / 46.0, salt + 1) + 5.0 * noise(x / 15.0, y / 15.0, salt + 2)
    dy = 11.0 * noise(x / 46.0, y / 46.0, salt + 3) + 5.0 * noise(x / 15.0, y / 15.0, salt + 4)
    return x + dx, y + dy


@njit(cache=True, nogil=True)
def bend(x: float, y: float, salt: int, axis: int) -> float:
    """Return how far the borders between cells are moved at (x, y) along `axis`, so that they curve."""
    wide = 7.0 * noise(x / 44.0, y / 44.0, salt + 59 + axis)
    return wide + 2.4 * noise(x / 9.0, y / 9.0, salt + 57 + axis)


@njit(cache=True, nogil=True)
def _fractal_grid(n: int, scale: float, salt: int, octaves: int) -> Field:
    grid = np.empty((n, n), np.float32)
    for row in range(n):
        for column in range(n):
            x, y = (column - PAD + 0.5) * STRIDE / scale, (row - PAD + 0.5) * STRIDE / scale
            grid[row, column] = gradient_fractal(x, y, salt, octaves)
    return grid


@njit(cache=True, nogil=True)
def _nest_grid(n: int, spacing: float, salt: int, warp: float) -> Field:
    """Distance in pixels to the septa of a warped Voronoi pattern: nests before their septa widen."""
    grid = np.empty((n, n), np.float32)
    for row in range(n):
        for column in range(n):
            x, y = (column - PAD + 0.5) * STRIDE, (row - PAD + 0.5) * STRIDE
            wx = x + warp * gradient_fractal(x / (2.6 * warp), y / (2.6 * warp), salt, 3)
            wy = y + warp * gradient_fractal(x / (2.6 * warp), y / (2.6 * warp), salt + 7, 3)
            grid[row, column] = spacing * edge_distance(wx / spacing, wy / spacing, salt + 20)
    return grid


def _signed_distance(inside: npt.NDArray[np.bool_], *, blur: float = 1.0) -> Field:
    if not inside.any():
        return np.full(inside.shape, -1e4, np.float32)
    within = np.asarray(ndimage.distance_transform_edt(inside))
    without = np.asarray(ndimage.distance_transform_edt(~inside))
    return (ndimage.gaussian_filter(within - without, blur) * STRIDE).astype(np.float32)


class _Planner:
    """Decides region after region, each inside what the earlier ones left."""

    def __init__(self, size: int, salt: int) -> None:
        self.size, self.salt = size, salt
        self.n = math.ceil(size / STRIDE) + 2 * PAD
        self.centre = (np.arange(self.n, dtype=np.float32) - PAD + 0.5) * STRIDE
        self.slide = (self.centre > 0) & (self.centre < size)
        self.on_slide = self.slide[:, None] & self.slide[None, :]

    def texture(self, scale: float, key: int, octaves: int = 3) -> Field:
        return _fractal_grid(self.n, float(scale), self.salt + 100 * key, octaves)

    def top(
        self, field: npt.NDArray[np.floating], share: float, allowed: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Return where `field` is highest among `allowed`, on `share` of the slide's area."""
        values = np.sort(field[allowed & self.on_slide])
        wanted = max(1, round(share * int(self.on_slide.sum())))
        return allowed if wanted >= values.size else allowed & (field >= values[-wanted])

    def tissue(self) -> npt.NDArray[np.bool_]:
        u = (self.centre / self.size * 2 - 1)[None, :] + 0.13 * self.texture(self.size * 0.42, 1)
        v = (self.centre / self.size * 2 - 1)[:, None] + 0.13 * self.texture(self.size * 0.42, 2)
        radius = (np.abs(u) ** 2.2 + np.abs(v) ** 2.2) ** (1 / 2.2)
        ragged = 0.05 * self.texture(self.size * 0.09, 3, 5)
        reach = np.abs(self.centre / self.size * 2 - 1)
        rim = np.clip(np.maximum(reach[None, :], reach[:, None]) - 0.87, 0, None)
        inside = self.top(
            -radius - ragged - 8 * rim * rim, 1 - SHARE["glass"], np.ones_like(self.on_slide)
        )
        return inside & (np.abs(self.texture(self.size * 0.30, 4, 4)) > self._tear())

    def _tear(self) -> Field:
        """Half-width of a tear through the section, where the texture of the tear is near zero."""
        return 0.05 * np.clip(self.texture(self.size * 0.45, 5) - 0.5, 0, None)

    def fat(self, depth: Field) -> npt.NDArray[np.bool_]:
        turn = 2 * math.pi * ((self.salt * 0.6180339887) % 1)
        x = self.centre / self.size - 0.5
        side = math.cos(turn) * x[None, :] + math.sin(turn) * x[:, None]
        field = 1.6 * side + 0.7 * self.texture(self.size * 0.11, 6) - 0.5 * depth / self.size
        return self.top(field.astype(np.float32), SHARE["fat"], depth > 0)

    def tumor(self, depth: Field, fat: Field) -> npt.NDArray[np.bool_]:
        """Nests of three sizes; the septa between them widen where the tumor thins out."""
        spread = min(1.0, self.size / 3000)
        rich = self.texture(self.size * 0.36, 8, 2) - 0.9 * np.exp(fat / 350)
        rich = rich + 0.5 * np.minimum(depth / (0.22 * self.size), 1)
        large = _nest_grid(self.n, 520 * spread + 60, self.salt + 900, 75 * spread)
        small = _nest_grid(self.n, 230 * spread + 30, self.salt + 950, 40 * spread)
        cords = _nest_grid(self.n, 105.0, self.salt + 990, 34.0)
        zone = self.texture(self.size * 0.17, 9, 2)
        pattern = np.where(
            zone > -0.02, 0.8 * large - 22, np.where(zone > -0.35, small - 12, cords)
        )
        lobes = 34 * self.texture(260 * spread + 60, 10, 4) + 13 * self.texture(90, 18, 2)
        field = ndimage.gaussian_filter(pattern, 2.5) + 44 * rich + lobes
        allowed = (depth > 45) & (fat < -60)
        return self.top(field.astype(np.float32), SHARE["tumor"] + SHARE["necrosis"], allowed)

    def necrosis(self, nests: Field, depth: Field) -> npt.NDArray[np.bool_]:
        """Centres of the thickest nests, and one or two larger dead areas within the tumor."""
        ripe = nests + 40 * self.texture(80, 11, 3) + 130 * self.texture(700, 12, 1)
        comedo = self.top(ripe, 0.4 * SHARE["necrosis"], nests > 75)
        crowd = ndimage.gaussian_filter((nests > 0).astype(np.float32), self.size * 0.05 / STRIDE)
        field = crowd + 0.22 * self.texture(self.size * 0.09, 13, 5)
        share = SHARE["necrosis"] - float((comedo & self.on_slide).sum()) / self.on_slide.sum()
        field = field - 1.5 * np.exp(-np.maximum(depth, 0) / (0.06 * self.size))
        large = self.top(field.astype(np.float32), share, (depth > 60) & ~comedo)
        return comedo | large

    def lymph(self, nests: Field, stroma: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        near = np.exp(-np.abs(nests) / 130)
        wide = min(360.0, self.size * 0.14)
        field = self.texture(wide, 14, 3) + 0.55 * near + 0.35 * self.texture(wide * 3, 15, 1)
        blobs = ndimage.gaussian_filter(field * stroma, 3)
        return self.top(blobs.astype(np.float32), SHARE["lymph"], stroma)

    def directions(self, borders: Field) -> tuple[Field, Field]:
        """Return cosine and sine of twice the fibre angle: fibres run along nearby borders."""
        angle = math.pi * (0.9 * self.texture(1700, 16, 2) + 0.30 * self.texture(420, 17, 2))
        gy, gx = np.gradient(ndimage.gaussian_filter(borders, 4))
        along = np.arctan2(gx, -gy)
        weight = 1.6 * np.exp(-np.abs(borders) / 90) * np.minimum(1, np.hypot(gx, gy) / STRIDE)
        cosine = ndimage.gaussian_filter(np.cos(2 * angle) + weight * np.cos(2 * along), 5)
        sine = ndimage.gaussian_filter(np.sin(2 * angle) + weight * np.sin(2 * along), 5)
        return cosine.astype(np.float32), sine.astype(np.float32)


def plan(size: int, seed: int) -> Layout:
    """Lay out a section of `size` x `size` level-0 pixels (0.5 um each)."""
    salt = int(np.random.default_rng(seed).integers(1, 2**28))
    planner = _Planner(size, salt)
    fields = np.empty((planner.n, planner.n, 8), np.float32)
    tissue = planner.tissue()
    depth = fields[..., TISSUE] = _signed_distance(tissue)
    fat = fields[..., FAT] = _signed_distance(planner.fat(depth), blur=2)
    growth = planner.tumor(depth, fat)
    nests = _signed_distance(growth, blur=1.5)
    dead = planner.necrosis(nests, depth)
    fields[..., NECROSIS] = _signed_distance(dead, blur=1.5)
    fields[..., TUMOR] = _signed_distance(growth & ~dead, blur=1.2)
    solid = _signed_distance(growth | dead, blur=1.2)
    stroma = tissue & (fat < -20) & (solid < -10)
    fields[..., LYMPH] = _signed_distance(planner.lymph(nests, stroma), blur=2.5)
    fields[..., COSINE], fields[..., SINE] = planner.directions(np.maximum(solid, -depth))
    fields[..., HOLLOW] = -1e4
    return Layout(size, salt, fields)
