"""Draws many outlines and dots onto one tile: compiled, since Qt strokes some 5,000 outlines a second. No Qt.

Importing this costs a quarter of a second, and compiling it seconds once per installation; so the layer
does both on a thread, with `warm_up`.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from viewer.rendering.annotation_marks import CASING, CASING_ALPHA, LINE, TILE_SIDE, Marks, Rings

FINEST_STEP = 1.0  # device pixels; vertices nearer to each other than this are one
Pixels = npt.NDArray[np.uint32]


def draw_tile(
    marks: Marks,
    *,
    origin: tuple[float, float],
    scale: float,
    ratio: float,
    line: float = LINE,
) -> Pixels:
    """Return (TILE_SIDE, TILE_SIDE) premultiplied ARGB.

    `origin` is the tile's upper left corner and `scale` the size of a device pixel, both in level-0
    pixels; a logical pixel is `ratio` device pixels. `line` is in logical pixels.

    All casings lie under all lines, so that no outline is lost under another's casing.
    """
    nearest = np.full((TILE_SIDE, TILE_SIDE), np.inf, np.float32)
    owner = np.zeros((TILE_SIDE, TILE_SIDE), np.int32)
    points = (marks.rings.points - origin) / scale
    halves = line / 2 * ratio, CASING / 2 * ratio
    _stroke(nearest, owner, points, marks.rings.ends, halves[0], halves[1] + 0.5)
    spots = np.zeros((TILE_SIDE, TILE_SIDE, 4), np.float32)
    dots = np.column_stack([(marks.dots[:, :2] - origin) / scale, marks.dots[:, 2] * ratio])
    _spot(spots, dots, marks.dot_colours)
    return _composed(nearest, owner, marks.ring_colours, spots, *halves)


def warm_up() -> None:
    """Compile, or load what was compiled before."""
    rings = Rings(np.array([[1.0, 1.0], [9.0, 9.0]]), np.array([2]), np.array([0]))
    colour = np.zeros((1, 3), np.uint8)
    draw_tile(
        Marks(rings, colour, np.array([[5.0, 5.0, 3.0]]), colour),
        origin=(0, 0), scale=1.0, ratio=1.0,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _stroke(nearest, owner, points, ends, half, reach):  # noqa: ANN001, ANN202, PLR0917 - numba infers types and takes arguments by place
    """Bring `nearest` down to each pixel's squared distance from the rings, as far as `reach`.

    The owner of a pixel is the last ring whose line, `half` wide to either side, covers it, else the nearest.
    """
    core = half * half
    start = 0
    for ring in range(len(ends)):
        end = ends[ring]
        x0, y0 = points[start]
        if end - start == 1:
            _segment(nearest, owner, ring, x0, y0, x0, y0, core, reach)
        for i in range(start + 1, end):
            x1, y1 = points[i]
            if i + 1 < end and max(abs(x1 - x0), abs(y1 - y0)) < FINEST_STEP:
                continue
            _segment(nearest, owner, ring, x0, y0, x1, y1, core, reach)
            x0, y0 = x1, y1
        start = end


@njit(cache=True, nogil=True, fastmath=True)
def _segment(nearest, owner, ring, x0, y0, x1, y1, core, reach):  # noqa: ANN001, ANN202, PLR0917 - as above
    height, width = nearest.shape
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    along, down = (dx / square, dy / square) if square > 0 else (0.0, 0.0)
    slope = 1 / dy if abs(dy) > 1e-9 else 0.0
    top = max(0, int(np.floor(min(y0, y1) - reach)))
    bottom = min(height, int(np.ceil(max(y0, y1) + reach)))
    for row in range(top, bottom):
        y = row + 0.5 - y0
        # Only the part of the segment that is within reach of this row can be near its pixels.
        first, last = 0.0, 1.0
        if slope != 0:
            one, other = (y - reach) * slope, (y + reach) * slope
            first, last = max(0.0, min(one, other)), min(1.0, max(one, other))
        a, b = x0 + first * dx, x0 + last * dx
        left = max(0, int(np.floor(min(a, b) - reach)))
        right = min(width, int(np.ceil(max(a, b) + reach)))
        for column in range(left, right):
            x = column + 0.5 - x0
            t = min(max(x * along + y * down, 0.0), 1.0)
            ex, ey = x - t * dx, y - t * dy
            distance = np.float32(ex * ex + ey * ey)
            known = nearest[row, column]
            if distance < known:
                nearest[row, column] = distance
            if distance < known or distance < core:
                owner[row, column] = ring


@njit(cache=True, nogil=True)
def _spot(spots, dots, colours):  # noqa: ANN001, ANN202 - as above
    """Lay dots over each other on premultiplied `spots` (h, w, RGBA in [0, 1])."""
    height, width, _ = spots.shape
    for k in range(len(dots)):
        x, y, radius = dots[k]
        # A disc of less than a pixel is one of a pixel that covers as much less.
        strength = min(1.0, 4 * radius * radius)
        radius = max(radius, 0.5)
        reach = radius + 0.5
        for row in range(max(0, int(y - reach)), min(height, int(np.ceil(y + reach)))):
            for column in range(max(0, int(x - reach)), min(width, int(np.ceil(x + reach)))):
                dx, dy = column + 0.5 - x, row + 0.5 - y
                distance = np.sqrt(dx * dx + dy * dy)
                cover = strength * min(max(reach - distance, 0.0), 1.0)
                for c in range(3):
                    old = spots[row, column, c]
                    spots[row, column, c] = old + cover * (colours[k, c] / 255 - old)
                spots[row, column, 3] += cover * (1 - spots[row, column, 3])


@njit(cache=True, nogil=True)
def _composed(nearest, owner, colours, spots, half_line, half_casing):  # noqa: ANN001, ANN202, PLR0917 - as above
    """Return premultiplied ARGB: dots over lines over casings, each with smooth edges."""
    height, width = nearest.shape
    image = np.zeros((height, width), np.uint32)
    for row in range(height):
        for column in range(width):
            distance = np.sqrt(nearest[row, column])
            line = min(max(half_line + 0.5 - distance, 0.0), 1.0)
            dark = min(max(half_casing + 0.5 - distance, 0.0), 1.0) * CASING_ALPHA / 255
            clear = 1 - spots[row, column, 3]
            alpha = spots[row, column, 3] + clear * (line + (1 - line) * dark)
            if alpha <= 0:
                continue
            pixel = np.uint32(alpha * 255 + 0.5) << np.uint32(24)
            for c in range(3):
                tone = spots[row, column, c]
                if line > 0:
                    tone += clear * line * colours[owner[row, column], c] / 255
                pixel |= np.uint32(tone * 255 + 0.5) << np.uint32(16 - 8 * c)
            image[row, column] = pixel
    return image
