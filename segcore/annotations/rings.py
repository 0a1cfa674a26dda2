"""The rings around the regions of a label image, traced along pixel edges (compiled).

A region is 4-connected: pixels of one class that touch at a corner only are two regions, in every class.
A ring has a vertex where it turns and where the class on its other side changes, so that neighbours share
every vertex. No ring passes a corner twice: where one would, it is split, and the parts touch there.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions take the types that they are called with

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]

# Directions: 0 right, 1 down, 2 left, 3 up. A region is always on the right hand of its ring.
_STEP_X, _STEP_Y = (1, 0, -1, 0), (0, 1, 0, -1)
# The pixels to the right and to the left ahead of a corner (x, y) that was reached in a direction.
_RIGHT_X, _RIGHT_Y = (0, -1, -1, 0), (0, 0, -1, -1)
_LEFT_X, _LEFT_Y = (0, 0, -1, -1), (-1, 0, 0, -1)


class Rings(NamedTuple):
    """Closed rings ordered by class and region, the outer ring of a region first."""

    vertices: npt.NDArray[np.int32]
    """(n, 2) x, y of pixel corners; the last vertex of a ring is its first."""
    rings: Index
    """Where each ring starts in `vertices`, and the end."""
    regions: Index
    """Where each region starts in `rings`, and the end."""
    codes: npt.NDArray[np.uint8]
    """The class of each region."""


def trace_rings(labels: npt.NDArray[np.uint8]) -> Rings:
    """Trace every region of (h, w) `labels` except those of 0."""
    passed, starts, regions, codes = _trace(np.pad(labels, 1))
    vertices, starts, regions = _split(passed, starts, regions)
    outer = _areas(vertices, starts) > 0
    order = np.lexsort((~outer, regions, codes[regions]))
    first = np.flatnonzero(np.diff(regions[order], prepend=-1))
    closed, rings = _closed(vertices, starts, order)
    return Rings(closed, rings, np.append(first, len(order)), codes[regions[order[first]]])


def _compiled(function: Any) -> Any:
    return numba.njit(cache=True, nogil=True)(function)


@_compiled
def _grown(array):
    longer = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@_compiled
def _trace(labels):
    """Return vertices (n, 3: x, y, pinched), ring starts, region of each ring, class of each region.

    `labels` has a border of 0, which the coordinates leave out.
    """
    rows, columns = labels.shape
    vertices = np.empty((1024, 3), np.int32)
    starts, region_of = np.zeros(1024, np.int64), np.empty(1024, np.int64)
    codes = np.empty(1024, np.uint8)
    used, rings, regions = 0, 0, 0
    # The ring (counted from 1) that passes the left edge of a pixel. Every ring passes a left edge.
    left_edge = np.zeros((rows, columns), np.int32)
    for row in range(1, rows - 1):
        for column in range(1, columns - 1):
            code = labels[row, column]
            if code == 0 or labels[row, column - 1] == code or left_edge[row, column]:
                continue
            vertices, used, area = _follow(
                labels, left_edge, rings + 1, column, row, vertices, used
            )
            if rings + 1 == len(starts):
                starts, region_of = _grown(starts), _grown(region_of)
            if area > 0:
                if regions == len(codes):
                    codes = _grown(codes)
                codes[regions] = code
                region_of[rings] = regions
                regions += 1
            else:
                # The first pixel right of a hole lies below one of the region around the hole.
                ring = _ring_left_of(labels, left_edge, column, row - 1)
                region_of[rings] = region_of[ring - 1]
            rings += 1
            starts[rings] = used
    return vertices[:used], starts[: rings + 1], region_of[:rings], codes[:regions]


@_compiled
def _ring_left_of(labels, left_edge, column, row):
    """Return the ring at the left end of the run of equal pixels that holds (column, row)."""
    code = labels[row, column]
    while labels[row, column - 1] == code:
        column -= 1
    return left_edge[row, column]


@_compiled
def _follow(labels, left_edge, ring, column, row, vertices, used):
    """Append the ring that passes the left edge of pixel (column, row); also return its signed area."""
    code, beside = labels[row, column], labels[row, column - 1]
    x, y, direction = column, row + 1, 3
    area = 0
    while True:
        if direction == 3:
            left_edge[y - 1, x] = ring
            area -= x
        elif direction == 1:
            area += x
        x += _STEP_X[direction]
        y += _STEP_Y[direction]
        right = labels[y + _RIGHT_Y[direction], x + _RIGHT_X[direction]]
        left = labels[y + _LEFT_Y[direction], x + _LEFT_X[direction]]
        turn = 1 if right != code else (0 if left != code else 3)
        if turn != 0 or left != beside:
            if used == len(vertices):
                vertices = _grown(vertices)
            vertices[used, 0], vertices[used, 1] = x - 1, y - 1
            vertices[used, 2] = turn == 1 and left == code
            used += 1
        if turn != 3:
            beside = right if turn == 1 else left
        direction = (direction + turn) % 4
        if x == column and y == row + 1 and direction == 3:
            return vertices, used, area


def _split(
    passed: npt.NDArray[np.int32], starts: Index, regions: Index
) -> tuple[npt.NDArray[np.int32], Index, Index]:
    """Split each ring where it passes a corner for the second time; returns (n, 2) vertices."""
    ring_of = np.repeat(np.arange(len(regions)), np.diff(starts))
    loop_of = _loops(ring_of, _partners(passed, ring_of))
    order = np.argsort(loop_of, kind="stable")
    first = np.flatnonzero(np.diff(loop_of[order], prepend=-1))
    return passed[order, :2], np.append(first, len(order)), regions[ring_of[order[first]]]


def _partners(passed: npt.NDArray[np.int32], ring_of: Index) -> Index:
    """Return for each vertex where its ring passes the same corner again, -1 where it does not."""
    pinched = np.flatnonzero(passed[:, 2])
    x, y, ring = passed[pinched, 0], passed[pinched, 1], ring_of[pinched]
    order = np.lexsort((x, y, ring))
    same = np.ones(max(len(order) - 1, 0), bool)
    for key in (x, y, ring):
        same &= np.diff(key[order]) == 0
    one, other = pinched[order[:-1][same]], pinched[order[1:][same]]
    partner = np.full(len(passed), -1)
    partner[one], partner[other] = other, one
    return partner


@_compiled
def _loops(ring_of, partner):
    """Return the loop of each vertex, numbered from 0 through all rings.

    A ring touches itself always on its left, so loops are nested like parentheses: from the first passing
    of a corner until before the second is a loop of its own.
    """
    loop_of = np.empty(len(ring_of), np.int64)
    enclosing = np.empty(len(ring_of), np.int64)
    depth, loop, loops = 0, -1, 0
    for at in range(len(ring_of)):
        if at == 0 or ring_of[at] != ring_of[at - 1]:
            loop = loops
            loops += 1
        if partner[at] > at:
            enclosing[depth] = loop
            depth += 1
            loop = loops
            loops += 1
        elif partner[at] >= 0:
            depth -= 1
            loop = enclosing[depth]
        loop_of[at] = loop
    return loop_of


@_compiled
def _areas(vertices, starts):
    """Return twice the signed area of each ring, positive where it turns clockwise on the screen."""
    areas = np.zeros(len(starts) - 1, np.int64)
    for ring in range(len(areas)):
        x, y = vertices[starts[ring + 1] - 1]
        for at in range(starts[ring], starts[ring + 1]):
            areas[ring] += np.int64(x) * vertices[at, 1] - np.int64(vertices[at, 0]) * y
            x, y = vertices[at]
    return areas


@_compiled
def _closed(vertices, starts, order):
    """Return the rings in the given order, each with its first vertex repeated, and their starts."""
    closed = np.empty((len(vertices) + len(order), 2), np.int32)
    new_starts = np.zeros(len(order) + 1, np.int64)
    fill = 0
    for index, ring in enumerate(order):
        first, end = starts[ring], starts[ring + 1]
        size = end - first
        closed[fill : fill + size] = vertices[first:end]
        closed[fill + size] = vertices[first]
        fill += size + 1
        new_starts[index + 1] = fill
    return closed, new_starts
