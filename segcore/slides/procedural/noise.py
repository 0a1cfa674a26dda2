"""Smooth pseudo-random fields that are a pure function of position and salt.

Nothing here holds state, so any pixel of any window, in any order and thread, gets the same value.
"""

import math

from numba import njit


@njit(cache=True, nogil=True)
def chance(ix: int, iy: int, salt: int) -> float:
    """Return a number in [0, 1) that depends on the three integers alone."""
    word = (ix * 374761393 + iy * 668265263 + salt * 2246822519) & 0xFFFFFFFF
    word = ((word ^ (word >> 13)) * 1274126177) & 0xFFFFFFFF
    word = ((word ^ (word >> 15)) * 461845907) & 0xFFFFFFFF
    return (word ^ (word >> 16)) * 2.3283064365386963e-10


@njit(cache=True, nogil=True)
def smooth(edge0: float, edge1: float, value: float) -> float:
    """Return 0 below `edge0`, 1 above `edge1`, and a cubic between them."""
    t = (value - edge0) / (edge1 - edge0)
    t = min(1.0, max(0.0, t))
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True, nogil=True)
def noise(x: float, y: float, salt: int) -> float:
    """Return value noise in [-1, 1] with unit lattice spacing."""
    floor_x, floor_y = math.floor(x), math.floor(y)
    ix, iy = int(floor_x), int(floor_y)
    u, v = x - floor_x, y - floor_y
    u, v = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v)
    top = chance(ix, iy, salt) * (1.0 - u) + chance(ix + 1, iy, salt) * u
    low = chance(ix, iy + 1, salt) * (1.0 - u) + chance(ix + 1, iy + 1, salt) * u
    return 2.0 * (top * (1.0 - v) + low * v) - 1.0


@njit(cache=True, nogil=True)
def fractal(x: float, y: float, salt: int, octaves: int) -> float:
    """Return a sum of octaves of noise, about [-1, 1].

    Each octave is turned by 37 degrees, so that no lattice direction shows.
    """
    total, weight, sum_of_weights = 0.0, 1.0, 0.0
    for octave in range(octaves):
        total += weight * noise(x, y, salt + octave)
        sum_of_weights += weight
        weight *= 0.5
        x, y = 2.03 * (0.7986 * x - 0.6018 * y), 2.03 * (0.6018 * x + 0.7986 * y)
    return total / sum_of_weights


@njit(cache=True, nogil=True)
def _slope(ix: int, iy: int, salt: int, u: float, v: float) -> float:
    return (2.0 * chance(ix, iy, salt) - 1.0) * u + (2.0 * chance(ix, iy, salt + 1) - 1.0) * v


@njit(cache=True, nogil=True)
def gradient_noise(x: float, y: float, salt: int) -> float:
    """Return gradient noise (Perlin 2002), about [-1, 1]: slower than `noise`, without its square blobs."""
    floor_x, floor_y = math.floor(x), math.floor(y)
    ix, iy = int(floor_x), int(floor_y)
    u, v = x - floor_x, y - floor_y
    fade_u = u * u * u * (u * (6.0 * u - 15.0) + 10.0)
    fade_v = v * v * v * (v * (6.0 * v - 15.0) + 10.0)
    top = _slope(ix, iy, salt, u, v) * (1.0 - fade_u) + _slope(ix + 1, iy, salt, u - 1, v) * fade_u
    low = (
        _slope(ix, iy + 1, salt, u, v - 1) * (1.0 - fade_u)
        + _slope(ix + 1, iy + 1, salt, u - 1, v - 1) * fade_u
    )
    return 2.2 * (top * (1.0 - fade_v) + low * fade_v)


@njit(cache=True, nogil=True)
def gradient_fractal(x: float, y: float, salt: int, octaves: int) -> float:
    """Return octaves of gradient noise, each turned by 37 degrees, about [-1, 1]."""
    total, weight, sum_of_weights = 0.0, 1.0, 0.0
    for octave in range(octaves):
        total += weight * gradient_noise(x, y, salt + 2 * octave)
        sum_of_weights += weight
        weight *= 0.5
        x, y = 2.03 * (0.7986 * x - 0.6018 * y), 2.03 * (0.6018 * x + 0.7986 * y)
    return 1.3 * total / sum_of_weights


@njit(cache=True, nogil=True)
def edge_distance(x: float, y: float, salt: int) -> float:
    """Return the distance to the nearest Voronoi edge of jittered unit-lattice points (Worley 1996)."""
    ix, iy = math.floor(x), math.floor(y)
    nearest, second = 9.0, 9.0
    for row in range(iy - 2, iy + 3):
        for column in range(ix - 2, ix + 3):
            dx = column + chance(column, row, salt) - x
            dy = row + chance(column, row, salt + 1) - y
            distance = math.sqrt(dx * dx + dy * dy)
            if distance < nearest:
                nearest, second = distance, nearest
            elif distance < second:
                second = distance
    return 0.5 * (second - nearest)
