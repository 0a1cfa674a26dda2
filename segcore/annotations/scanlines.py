"""Which pixel centres lie inside polygons (compiled)."""

# ruff: noqa: ANN001, ANN202 - compiled functions take the types that they are called with

from typing import Any

import numba
import numpy as np


def _compiled(function: Any) -> Any:
    return numba.njit(cache=True, nogil=True)(function)


@_compiled
def fill(labels, vertices, rings, polygons, codes) -> None:
    """Paint polygons in their order into (h, w) `labels`; `vertices` are (n, 2) x, y in its pixels.

    `rings` says where each ring starts in `vertices`, `polygons` where each polygon starts in `rings`.
    A pixel is inside where its centre is, by the even-odd rule over all rings of a polygon; a centre on
    an edge belongs to the right or lower side, so that neighbours neither overlap nor leave a gap.
    """
    height, width = labels.shape
    for polygon in range(len(polygons) - 1):
        starts = rings[polygons[polygon] : polygons[polygon + 1] + 1]
        y = vertices[starts[0] : starts[-1], 1]
        top = _first_centre(y.min(), 0, height)
        bottom = _first_centre(y.max(), 0, height)
        if top < bottom:
            rows, columns = _crossings(vertices, starts, top, bottom, width)
            _fill_rows(labels[top:bottom], rows, columns, codes[polygon])


@_compiled
def _first_centre(place, least, most):
    """Return the first pixel from `least` to `most` whose centre is not before `place`."""
    return int(min(max(np.ceil(place - 0.5), least), most))


@_compiled
def _crossings(vertices, starts, top, bottom, width):
    """Return the columns where the centre lines of rows cross an edge, and where each row starts in them."""
    rows = np.zeros(bottom - top + 2, np.int64)
    for ring in range(len(starts) - 1):
        for at in range(starts[ring], starts[ring + 1] - 1):
            _, low, _, high = _downwards(vertices[at], vertices[at + 1])
            rows[_first_centre(low, top, bottom) - top + 1] += 1
            rows[_first_centre(high, top, bottom) - top + 1] -= 1
    rows = rows[: bottom - top + 1].cumsum().cumsum()
    columns, fill_at = np.empty(rows[-1], np.int64), rows.copy()
    for ring in range(len(starts) - 1):
        for at in range(starts[ring], starts[ring + 1] - 1):
            x0, y0, x1, y1 = _downwards(vertices[at], vertices[at + 1])
            for row in range(_first_centre(y0, top, bottom), _first_centre(y1, top, bottom)):
                x = x0 + (row + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
                columns[fill_at[row - top]] = _first_centre(x, 0, width)
                fill_at[row - top] += 1
    return rows, columns


@_compiled
def _downwards(one, other):
    """Return an edge from its upper end, so that both neighbours compute the same crossings."""
    if one[1] <= other[1]:
        return one[0], one[1], other[0], other[1]
    return other[0], other[1], one[0], one[1]


@_compiled
def _fill_rows(labels, rows, columns, code):
    for row in range(len(labels)):
        inside = columns[rows[row] : rows[row + 1]]
        _sort(inside)
        for pair in range(0, len(inside) - 1, 2):
            for column in range(inside[pair], inside[pair + 1]):
                labels[row, column] = code


@_compiled
def _sort(values):
    """Sort in place (Shell 1959, gaps of Ciura 2001): most rows hold a few, and NumPy's takes 3 s to compile."""
    for gap in (701, 301, 132, 57, 23, 10, 4, 1):
        for at in range(gap, len(values)):
            value, to = values[at], at
            while to >= gap and values[to - gap] > value:
                values[to] = values[to - gap]
                to -= gap
            values[to] = value
