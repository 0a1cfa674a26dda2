"""How annotations are marked at a scale: each as an outline or, if it is too small for one, as a dot. No Qt."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from viewer.document.spatial import Bounds, Rows

TILE_SIDE = 256
"""Device pixels of a tile of annotations."""
LINE, CASING = 2.0, 4.5
"""Widths on the screen, in logical pixels: of the coloured line, and of the dark one beneath."""
CASING_ALPHA = 110
SMALLEST = 3.0
"""Logical pixels: a smaller annotation is drawn as a dot of this radius, never lost."""
CELL = 32.0
"""Logical pixels: dots that share a square of this side make room for each other."""
UNCROWDED = 8
POINT = 4.0
"""Logical pixels: the radius of the ring that stands for a point, at any magnification."""
POINT_SIDES = 4  # per quarter of it

_POINT, _LINES, _POLYGON = 0, (1, 2), 3
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Colours = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Rings:
    """Lines to be drawn: vertex i is `points[i]`, and ring k ends before vertex `ends[k]`."""

    points: Floats
    """(n, 2), level-0 pixels."""
    ends: Integers
    owners: Integers
    """Which geometry each ring belongs to; in order."""


def rings_of(geometries: npt.NDArray[np.object_], point: float) -> Rings:
    """Return the outlines of geometries of any type; a point becomes a ring of radius `point`, level-0 pixels."""
    parts, owners = geometries, np.arange(len(geometries))
    while (shapely.get_type_id(parts) > _POLYGON).any():  # collections may hold collections
        parts, index = shapely.get_parts(parts, return_index=True)
        owners = owners[index]
    kinds = shapely.get_type_id(parts)
    points = shapely.buffer(parts[kinds == _POINT], point, quad_segs=POINT_SIDES)
    areas = np.concatenate([parts[kinds == _POLYGON], points])
    rings, index = shapely.get_rings(areas, return_index=True)
    of_areas = np.concatenate([owners[kinds == _POLYGON], owners[kinds == _POINT]])[index]
    lines = np.isin(kinds, _LINES)
    outlines = np.concatenate([rings, parts[lines]])
    owners = np.concatenate([of_areas, owners[lines]])
    order = np.argsort(owners, kind="stable")
    outlines = outlines[order]
    ends = np.cumsum(shapely.get_num_coordinates(outlines), dtype=np.int64)
    return Rings(shapely.get_coordinates(outlines), ends, owners[order].astype(np.int64))


def dot_radii(centres: Floats) -> Floats:
    """Return (n,) radii in logical pixels for dots at (n, 2) `centres`, in logical pixels.

    A dot alone is plain to see. The more share a cell the smaller they are, so that what they cover
    still grows with their number and a crowd shows its density: cover ~ n^0.3 where dots of one size
    would cover ~ n.
    """
    if not len(centres):
        return np.empty(0)
    places = centres / CELL
    cells = np.floor(places).astype(np.int64)
    first = cells.min(0) - 1
    across, down = cells.max(0) - first + 2
    numbers = (cells - first) @ (1, across)
    counts = np.bincount(numbers, minlength=across * down)
    # Between the middles of cells the crowd is interpolated, or the cells would be seen as squares.
    corner = np.floor(places - 0.5).astype(np.int64)
    x, y = (places - 0.5 - corner).T
    k = (corner - first) @ (1, across)
    above = counts[k] * (1 - x) + counts[k + 1] * x
    below = counts[k + across] * (1 - x) + counts[k + across + 1] * x
    crowd = above * (1 - y) + below * y
    return SMALLEST * (UNCROWDED / np.maximum(crowd, UNCROWDED)) ** 0.35


@dataclass(frozen=True, eq=False)
class Marks:
    """What is to be drawn: rings with (rings, 3) colours, and (n, 3) dots with (n, 3) colours.

    A dot is x, y in level-0 pixels and its radius in logical pixels.
    """

    rings: Rings
    ring_colours: Colours
    dots: npt.NDArray[np.float64]
    dot_colours: Colours


def marks(rows: Rows, palette: Colours, scale: float, bounds: Bounds) -> Marks:
    """Return the marks of `rows` that can be seen in `bounds`; `scale` is level-0 pixels per logical pixel.

    `rows` must reach beyond `bounds` by `surroundings`, so that dots at the border know their crowd.
    `palette` has a colour for each of the looks that the rows point to.
    """
    order = np.argsort(rows.places)  # what lies higher is drawn later
    boxes, colours = rows.bounds[order], palette[rows.looks[order]]
    small = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) < SMALLEST * scale
    centres = (boxes[small, :2] + boxes[small, 2:]) / 2
    dots = np.column_stack([centres, dot_radii(centres / scale)])
    reach = CASING * scale
    left, top, right, bottom = bounds
    seen = ~small
    seen &= (boxes[:, 0] < right + reach) & (boxes[:, 2] > left - reach)
    seen &= (boxes[:, 1] < bottom + reach) & (boxes[:, 3] > top - reach)
    rings = rings_of(rows.shapes[order[seen]], POINT * scale)
    return Marks(rings, colours[seen][rings.owners], dots, colours[small])


def surroundings(bounds: Bounds, scale: float) -> Bounds:
    """Return `bounds` and around them all that can change how they look."""
    left, top, right, bottom = bounds
    reach = 2 * CELL * scale  # the crowd of a dot is counted in its cell and the next ones
    return left - reach, top - reach, right + reach, bottom + reach
