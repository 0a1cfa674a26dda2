"""What a person has corrected in the mask: pixels whose last writer was a stroke, not a segmentation."""

import numpy as np
import numpy.typing as npt

from segcore.annotations.labelmap import Labels
from viewer.document.document import Document
from viewer.document.grid import MASK_TILE
from viewer.document.masks import MaskLayer

BY_HAND = BRUSH, ERASE, WAND, MAGIC, FILL, SPREAD = (
    "Brush", "Erase", "Wand", "Magic select", "Fill", "Spread",
)  # fmt: skip
"""How the names of strokes begin."""

BY_MODEL = "Segment ", "Refine"
"""How the names of edits begin that put a model's answer onto the mask."""

Key = tuple[int, int]
Pixels = npt.NDArray[np.bool_]


def corrected_pixels(document: Document, keys: frozenset[Key]) -> dict[Key, Pixels]:
    """Return (256, 256) bool for those of the mask tiles `keys` that a stroke was the last to change in.

    Walks the done edits back from the newest: the first that changed a pixel decides for it. What came
    before the first stroke of all cannot matter and is not read.
    """
    strokes = [name.startswith(BY_HAND) for name in document.history[: document.position]]
    first = strokes.index(True) if True in strokes else document.position
    decided: dict[Key, Pixels] = {}
    by_hand: dict[Key, Pixels] = {}
    for number in range(document.position - 1, first - 1, -1):
        edit = document.read_edit(number)
        for change in edit.tiles:
            if change.key not in keys:
                continue
            known = decided.setdefault(change.key, np.zeros((MASK_TILE, MASK_TILE), bool))
            changed = _different(change.before, change.after) & ~known
            known |= changed
            if strokes[number] and changed.any():
                by_hand.setdefault(change.key, np.zeros_like(known))[changed] = True
        if edit.grid is not None and edit.grid.before is not None:
            break  # another grid before: its pixels were others
    return by_hand


def as_segmented(document: Document) -> MaskLayer:
    """Return the mask as models gave it: at each pixel what the last of their edits that changed it put there.

    It is 0 where a person alone has painted.
    """
    given: dict[Key, Labels] = {}
    decided: dict[Key, Pixels] = {}
    for number in range(document.position - 1, -1, -1):
        if not document.history[number].startswith(BY_MODEL):
            continue
        edit = document.read_edit(number)
        for change in edit.tiles:
            known = decided.setdefault(change.key, np.zeros((MASK_TILE, MASK_TILE), bool))
            changed = _different(change.before, change.after) & ~known
            known |= changed
            if change.after is not None:
                tile = given.setdefault(change.key, np.zeros((MASK_TILE, MASK_TILE), np.uint8))
                tile[changed] = change.after[changed]
        if edit.grid is not None and edit.grid.before is not None:
            break  # another grid before: its pixels were others
    return MaskLayer(document.mask.grid, given)


def corrected_window(document: Document, column: int, row: int, width: int, height: int) -> Pixels:
    """Return (height, width) bool: which of a rectangle of mask pixels a stroke was the last to change."""
    left, top = max(column, 0) // MASK_TILE, max(row, 0) // MASK_TILE
    right, bottom = (column + width - 1) // MASK_TILE, (row + height - 1) // MASK_TILE
    keys = frozenset((c, r) for c in range(left, right + 1) for r in range(top, bottom + 1))
    found = corrected_pixels(document, keys)
    layer = MaskLayer(tiles={key: each.astype(np.uint8) for key, each in found.items()})
    return layer.read(column, row, width, height) > 0


def _different(before: npt.NDArray[np.uint8] | None, after: npt.NDArray[np.uint8] | None) -> Pixels:
    empty = np.zeros((MASK_TILE, MASK_TILE), np.uint8)
    return (empty if before is None else before) != (empty if after is None else after)
