"""The pixel graph as a stencil: similarities of neighbours, and one step of the iteration, compiled.

Each pair of neighbours is stored once: `S[k, y, x]` joins (y, x) and (y, x) + offsets[k], where the
offsets are the half of the neighbourhood that comes later in reading order.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]


def half_offsets(radius: int) -> Offsets:
    """Return (K, 2): (dy, dx) of the neighbours within `radius` that come later in reading order."""
    side = range(-radius, radius + 1)
    return np.array([(dy, dx) for dy in side for dx in side if (dy, dx) > (0, 0)], np.int64)


def similarities(
    image: npt.NDArray[np.generic],
    offsets: Offsets,
    *,
    sigma_intensity: float,
    sigma_space: float,
) -> Floats:
    """Return S = D^(-1/2) W D^(-1/2) as (K, H, W); 0 where a neighbour is outside the image.

    W is kept in float64 until it is normalised: a pixel unlike all its neighbours has tiny weights that
    still count against each other.
    """
    pixels = np.ascontiguousarray(image)
    if pixels.dtype == np.uint8:
        squares = np.arange(3 * 255**2 + 1) / 255**2
        table = np.exp(-squares / (2 * sigma_intensity**2))
    else:
        pixels, table = pixels.astype(np.float64), np.empty(0)
    space = np.exp(-(offsets**2).sum(1) / (2 * sigma_space**2))
    exponent = -1 / (2 * sigma_intensity**2)
    degree = np.zeros(image.shape[:2])
    _add_degrees(degree, pixels, offsets, space, table, exponent)
    root = np.divide(1, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    S = np.zeros((len(offsets), *image.shape[:2]), np.float32)
    _normalise(S, root, pixels, offsets, space, table, exponent)
    return S


@njit(cache=True, nogil=True, inline="always")
def _weight(pixels, table, exponent, y, x, v, u):  # noqa: ANN001, ANN202, PLR0917 - numba infers types and takes arguments by place
    square = 0.0
    if table.size:
        whole = 0
        for c in range(3):
            step = np.int64(pixels[y, x, c]) - np.int64(pixels[v, u, c])
            whole += step * step
        return table[whole]
    for c in range(3):
        difference = pixels[y, x, c] - pixels[v, u, c]
        square += difference * difference
    return np.exp(square * exponent)


@njit(cache=True, nogil=True)
def _add_degrees(degree, pixels, offsets, space, table, exponent):  # noqa: ANN001, ANN202, PLR0917 - likewise
    height, width = degree.shape
    for y in range(height):
        for k in range(len(offsets)):
            v, dx = y + offsets[k, 0], offsets[k, 1]
            if v < height:
                for x in range(max(0, -dx), min(width, width - dx)):
                    w = space[k] * _weight(pixels, table, exponent, y, x, v, x + dx)
                    degree[y, x] += w
                    degree[v, x + dx] += w


@njit(cache=True, nogil=True)
def _normalise(S, root, pixels, offsets, space, table, exponent):  # noqa: ANN001, ANN202, PLR0917 - likewise
    _, height, width = S.shape
    for y in range(height):
        for k in range(len(offsets)):
            v, dx = y + offsets[k, 0], offsets[k, 1]
            if v < height:
                for x in range(max(0, -dx), min(width, width - dx)):
                    w = space[k] * _weight(pixels, table, exponent, y, x, v, x + dx)
                    S[k, y, x] = w * root[y, x] * root[v, x + dx]


@njit(cache=True, nogil=True)
def chebyshev_step(F, before, Y, S, offsets, alpha, rate):  # noqa: ANN001, ANN201, PLR0917 - likewise
    """Put rate * (alpha S F + (1 - alpha) Y - before) + before into `before`, row by row."""
    classes, height, width = F.shape
    total = np.empty(width, np.float32)
    rest = np.float32(1) - alpha
    for y in range(height):
        for c in range(classes):
            total[:] = 0
            for k in range(len(offsets)):
                dy, dx = offsets[k, 0], offsets[k, 1]
                low, high = max(0, -dx), min(width, width - dx)
                if high <= low:
                    continue
                if y + dy < height:  # the later neighbour
                    _add_product(
                        total[low:high], S[k, y, low:high], F[c, y + dy, low + dx : high + dx]
                    )
                if y - dy >= 0:  # the earlier one
                    before_row = F[c, y - dy, low:high]
                    _add_product(total[low + dx : high + dx], S[k, y - dy, low:high], before_row)
            mine, last = Y[c, y], before[c, y]
            for x in range(width):
                last[x] += rate * (alpha * total[x] + rest * mine[x] - last[x])


@njit(cache=True, nogil=True, inline="always")
def _add_product(total, weights, values):  # noqa: ANN001, ANN202 - likewise
    # Indices that start at 0 spare numba's check for negative ones, so that the loop becomes SIMD.
    for i in range(len(total)):
        total[i] += weights[i] * values[i]
