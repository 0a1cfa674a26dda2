"""Fills of the mask: the region under the pointer, or what lies inside annotations."""

import math

import numpy as np
import numpy.typing as npt

from segcore.annotations.shapes import AREAS, kind_of
from viewer.document import FILL, MASK_TILE, Edit
from viewer.document.masks import MaskLayer
from viewer.tools.base import Context, Gesture, Pointer, Refusal
from viewer.tools.similar import components
from viewer.tools.stroke import Stroke

Key = tuple[int, int]
Pixels = npt.NDArray[np.bool_]

_NO_MASK = "There is no mask yet; segment a region or paint one first."
_OPEN = "What is unlabelled here reaches beyond the mask; close its border first."


def fill(press: Pointer, context: Context) -> Gesture:
    """Give the region of the mask under the pointer the chosen class; with Alt make it unlabelled."""
    grid = context.document.mask.grid
    if grid is None:
        return Refusal(_NO_MASK)
    size = math.ceil(context.width / grid.scale), math.ceil(context.height / grid.scale)
    column, row = int(press.x // grid.scale), int(press.y // grid.scale)
    if not (0 <= column < size[0] and 0 <= row < size[1]):
        return None
    region = connected_region(context.document.mask, column, row, size)
    if region is None:
        return Refusal(_OPEN)
    stroke = Stroke.on(context, grid, erases=press.alt)
    for key, pixels in region.items():
        stroke.put(key, pixels)
    event = yield stroke.preview(frozenset(region))
    while event.kind != "release":
        event = yield stroke.preview(frozenset())
    return stroke.finish(f"{FILL} {'unlabelled' if press.alt else context.class_name.lower()}")


def fill_inside(context: Context) -> Edit | Refusal:
    """Return the edit that gives the mask the chosen class inside the selected areas."""
    areas = [each.geometry for each in context.selection if kind_of(each.geometry) == AREAS]
    grid = context.document.mask.grid or context.grid
    if grid is None:
        return Refusal("Set the pixel size under Measure before you fill a mask.")
    if not areas:
        return Refusal("Select an area whose inside is to be filled.")
    stroke = Stroke.on(context, grid, erases=False)
    for each in areas:
        stroke.fill(each)
    return stroke.finish(f"{FILL} {context.class_name.lower()}")


def connected_region(
    mask: MaskLayer, column: int, row: int, size: tuple[int, int]
) -> dict[Key, Pixels] | None:
    """Return the pixels of one class that hang together (4-connected) with (column, row), by tile.

    `size` is (columns, rows) of the slide in mask pixels. None where it is an unlabelled region that reaches
    beyond the tiles around all that is labelled: there is no border around it.
    """
    (tile_column, x), (tile_row, y) = divmod(column, MASK_TILE), divmod(row, MASK_TILE)
    code = mask.tile((tile_column, tile_row))[y, x]
    seed = np.zeros((MASK_TILE, MASK_TILE), bool)
    seed[y, x] = True
    todo = [((tile_column, tile_row), seed)]
    box = _box_of(mask)
    numbers: dict[Key, npt.NDArray[np.int32]] = {}
    region: dict[Key, Pixels] = {}
    while todo:
        key, seeds = todo.pop()
        if not _holds(box, key):
            if code == 0:
                return None
            continue
        if key not in region:
            alike = (mask.tile(key) == code) & _on_slide(key, size)
            numbers[key] = components(alike)
            region[key] = np.zeros_like(seed)
        reached = np.bincount(numbers[key][seeds & ~region[key]]) > 0
        reached[:1] = False  # what is of another class
        if reached.any():
            grown = np.append(reached, False)[np.minimum(numbers[key], len(reached))]
            region[key] |= grown
            todo += _across_borders(key, grown, size)
    return region


def _across_borders(key: Key, grown: Pixels, size: tuple[int, int]) -> list[tuple[Key, Pixels]]:
    """Return the tiles beside one on the slide that a region in it touches, and where."""
    beside = []
    for across, down, ours, theirs in (
        (-1, 0, np.s_[:, 0], np.s_[:, -1]),
        (1, 0, np.s_[:, -1], np.s_[:, 0]),
        (0, -1, np.s_[0], np.s_[-1]),
        (0, 1, np.s_[-1], np.s_[0]),
    ):
        other = key[0] + across, key[1] + down
        on_slide = all(0 <= k * MASK_TILE < n for k, n in zip(other, size, strict=True))
        if on_slide and grown[ours].any():
            seeds = np.zeros_like(grown)
            seeds[theirs] = grown[ours]
            beside.append((other, seeds))
    return beside


def _box_of(mask: MaskLayer) -> tuple[Key, Key]:
    """Return the first and the last (tile column, tile row) of the rectangle around the tiles that are there."""
    columns, rows = zip(*(mask.tiles or [(0, 0)]), strict=True)
    return (min(columns), min(rows)), (max(columns), max(rows))


def _holds(box: tuple[Key, Key], key: Key) -> bool:
    (left, top), (right, bottom) = box
    return left <= key[0] <= right and top <= key[1] <= bottom


def _on_slide(key: Key, size: tuple[int, int]) -> Pixels:
    columns, rows = (
        np.arange(k * MASK_TILE, (k + 1) * MASK_TILE) < n for k, n in zip(key, size, strict=True)
    )
    return rows[:, None] & columns
