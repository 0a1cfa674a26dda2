"""The pixel graph as a stencil: similarities of neighbours, and one step of the iteration, compiled.

Each pair of neighbours is stored once: `S[k, y, x]` joins (y, x) and (y, x) + offsets[k], where the
offsets are the half of the neighbourhood that comes later in reading order.
"""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from numba import njit

from segcore.progress import Report, silent

Floats = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]

SWEEP = 12
"""Steps that go through the image as one: the rows they share fit a core's cache."""
THREADS = os.cpu_count() or 1


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
        for c in range(pixels.shape[2]):
            step = np.int64(pixels[y, x, c]) - np.int64(pixels[v, u, c])
            whole += step * step
        return table[whole]
    for c in range(pixels.shape[2]):
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


def iterate(
    Y: Floats,
    S: Floats,
    offsets: Offsets,
    *,
    alpha: float,
    rates: Sequence[float],
    report: Report = silent,
) -> Floats:
    """Return F (C, H, W) after a Chebyshev step for each of `rates`, from F = Y (C, H, W).

    Classes do not meet in it: they are shared out among threads, and the result is the same on any number.
    """
    radius = int(offsets[-1, 0])
    wide = np.pad(S, ((0, 0), (radius, radius), (radius, radius)))
    lots = np.array_split(Y, min(len(Y), THREADS))
    done = threading.Event()

    def run(lot: Floats, report: Report) -> Floats:
        target = np.pad(lot, ((0, 0), (radius, radius), (radius, radius)))
        F, before = target.copy(), target.copy()
        for start in range(0, len(rates), SWEEP):
            report(start / len(rates), "spreading labels")
            if done.is_set():
                break
            part = np.array(rates[start : start + SWEEP], np.float32)
            sweep(F, before, target, wide, offsets, np.float32(alpha), part)
            if len(part) % 2:
                F, before = before, F
        return F[:, radius:-radius, radius:-radius]

    with ThreadPoolExecutor(len(lots), thread_name_prefix="propagation") as pool:
        others = [pool.submit(run, lot, silent) for lot in lots[1:]]
        try:
            first = run(lots[0], report)
        except BaseException:
            done.set()  # cancelled: the other lots stop after their sweep
            raise
        return np.concatenate([first, *(other.result() for other in others)])


@njit(cache=True, nogil=True, fastmath={"contract"})
def sweep(F, before, Y, S, offsets, alpha, rates):  # noqa: ANN001, ANN201, PLR0917 - likewise
    """Do a Chebyshev step for each of `rates`: rate * (alpha S F + (1 - alpha) Y - before) + before.

    The arrays have a border as wide as the radius, 0 in F and S. Steps write into `before` and `F` by
    turns: the last result is in F where their number is even. Each step follows the one before it by
    `radius` rows, so that rows are used again while they are in the cache.
    """
    classes, rows, columns = F.shape
    radius = offsets[-1, 0]
    total = np.empty(columns - 2 * radius, np.float32)
    for front in range(radius, rows - radius + radius * (len(rates) - 1)):
        for k in range(len(rates)):
            y = front - k * radius
            if radius <= y < rows - radius:
                for c in range(classes):
                    if k % 2 == 0:
                        _step_row(F[c], before[c], Y[c], S, offsets, alpha, rates[k], y, total)
                    else:
                        _step_row(before[c], F[c], Y[c], S, offsets, alpha, rates[k], y, total)


@njit(cache=True, nogil=True, inline="always")
def _step_row(F, before, Y, S, offsets, alpha, rate, y, total):  # noqa: ANN001, ANN202, PLR0917 - likewise
    radius, width = offsets[-1, 0], len(total)
    end = radius + width
    total[:] = 0
    for k in range(len(offsets)):
        dy, dx = offsets[k, 0], offsets[k, 1]
        later, earlier = F[y + dy, radius + dx : end + dx], F[y - dy, radius - dx : end - dx]
        there, back = S[k, y, radius:end], S[k, y - dy, radius - dx : end - dx]
        # Indices that start at 0 spare numba's check for negative ones, so that the loop becomes SIMD.
        for x in range(width):
            total[x] += there[x] * later[x] + back[x] * earlier[x]
    mine, last = Y[y, radius:end], before[y, radius:end]
    rest = np.float32(1) - alpha
    for x in range(width):
        last[x] += rate * (alpha * total[x] + rest * mine[x] - last[x])
