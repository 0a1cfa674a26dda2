"""The filters that PNG puts over each row, taken off again."""

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]

_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4


@njit(cache=True, nogil=True)
def unfilter(rows: Bytes, above: Bytes, pixel: int) -> None:
    """Restore `rows` (n, 1 + stride) in place; their first byte names the filter (PNG, section 9).

    `above` is the restored row before them, `pixel` the bytes of a pixel.
    """
    for n in range(len(rows)):
        kind, row = rows[n, 0], rows[n, 1:]
        up = above if n == 0 else rows[n - 1, 1:]
        if kind == _UP:
            for i in range(len(row)):
                row[i] += up[i]
        elif kind == _SUB:
            for i in range(pixel, len(row)):
                row[i] += row[i - pixel]
        elif kind == _AVERAGE:
            for i in range(len(row)):
                left = np.int64(row[i - pixel]) if i >= pixel else np.int64(0)
                row[i] += np.uint8((left + np.int64(up[i])) >> 1)
        elif kind == _PAETH:
            for i in range(len(row)):
                left = np.int64(row[i - pixel]) if i >= pixel else np.int64(0)
                corner = np.int64(up[i - pixel]) if i >= pixel else np.int64(0)
                row[i] += np.uint8(_paeth(left, np.int64(up[i]), corner))


@njit(cache=True, nogil=True, inline="always")
def _paeth(left: np.int64, up: np.int64, corner: np.int64) -> np.int64:
    """Return which of the three lies nearest to left + up - corner (PNG, section 9.4)."""
    by_left, by_up = abs(up - corner), abs(left - corner)
    by_corner = abs(left + up - 2 * corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner
