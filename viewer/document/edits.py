"""Functions that make edits; pure, so a tool, an action and a test call them alike."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from segcore.annotations import Annotation, LabelMap
from segcore.annotations.labelmap import Labels
from viewer.document.changes import Change, Edit, GridChange, TileChange
from viewer.document.grid import MaskGrid
from viewer.document.masks import MaskLayer


def add(annotations: Iterable[Annotation], *, name: str | None = None) -> Edit:
    added = tuple(Change(None, each) for each in annotations)
    return Edit(name or f"Add {_counted(len(added))}", added)


def delete(annotations: Iterable[Annotation], *, name: str | None = None) -> Edit:
    deleted = tuple(Change(each, None) for each in annotations)
    return Edit(name or f"Delete {_counted(len(deleted))}", deleted)


def replace(before: Iterable[Annotation], after: Iterable[Annotation], *, name: str) -> Edit:
    """Put `after` in the place of `before`; an id in both is changed, the others go or come.

    This makes any verb: moving and reshaping keep ids; merging and splitting do not.
    """
    old = {each.id: each for each in before}
    new = {each.id: each for each in after}
    changed = [Change(each, new.get(key)) for key, each in old.items()]
    came = [Change(None, each) for key, each in new.items() if key not in old]
    return Edit(name, (*changed, *came))


def paint(
    mask: MaskLayer,
    labels: Labels,
    column: int,
    row: int,
    *,
    where: npt.NDArray[np.bool_] | None = None,
    name: str = "Brush",
    grid: MaskGrid | None = None,
) -> Edit:
    """Put `labels` at mask pixel (column, row) where `where` holds.

    `grid` becomes the mask's grid if it has none yet, and is not looked at otherwise.
    """
    tiles = mask.paste(labels, column, row, where=where)
    sets_grid = mask.grid is None and grid is not None and bool(tiles)
    return Edit(name, tiles=tiles, grid=GridChange(None, grid) if sets_grid else None)


def replace_mask(mask: MaskLayer, label_map: LabelMap, region_name: str) -> Edit:
    """Put a segmentation result onto the mask where it has labels.

    Where the mask lies on another grid it is cleared in the same edit, since labels of two pixel
    sizes cannot share one mask.
    """
    name = f"Segment {region_name}"
    labels, where = label_map.labels, label_map.labels > 0
    if mask.grid is not None and mask.grid.fits(label_map.scale):
        return Edit(name, tiles=mask.paste(labels, label_map.column, label_map.row, where=where))
    grid = GridChange(mask.grid, MaskGrid(label_map.scale, label_map.mpp))
    pasted = MaskLayer().paste(labels, label_map.column, label_map.row, where=where)
    new = {change.key: change.after for change in pasted}
    keys = [*mask.tiles, *(key for key in new if key not in mask.tiles)]
    tiles = tuple(TileChange(key, mask.tiles.get(key), new.get(key)) for key in keys)
    return Edit(name, tiles=tiles, grid=grid)


def clear_mask(mask: MaskLayer) -> Edit:
    """Make every pixel unlabelled; the grid stays."""
    return Edit(
        "Clear mask", tiles=tuple(TileChange(k, tile, None) for k, tile in mask.tiles.items())
    )


def _counted(n: int) -> str:
    return "1 annotation" if n == 1 else f"{n} annotations"
