"""Label maps cut to a region, and laid over one another."""

import math
from dataclasses import replace

import numpy as np
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap
from segcore.annotations.labelmap import Labels
from segcore.annotations.raster import region_mask
from segcore.errors import RegionError


def within(labels: LabelMap, region: BaseGeometry | None) -> LabelMap:
    """Return the map with 0 at pixels whose centre lies outside `region` (level-0 pixels); all of it for None."""
    if region is None:
        return labels
    cropped = _cropped(labels, region)
    height, width = cropped.labels.shape
    inside = region_mask(
        region,
        column=cropped.column,
        row=cropped.row,
        width=width,
        height=height,
        scale=labels.scale,
    )
    return replace(cropped, labels=cropped.labels * inside, confidence=None)


def _cropped(labels: LabelMap, region: BaseGeometry) -> LabelMap:
    """Return the part of the map around a region, which costs what the region costs, not what the map does."""
    height, width = labels.labels.shape
    left, top, right, bottom = (0.0,) * 4 if region.is_empty else region.bounds
    columns = slice(*_span(left, right, labels.scale, labels.column, width))
    rows = slice(*_span(top, bottom, labels.scale, labels.row, height))
    return replace(
        labels,
        labels=labels.labels[rows, columns],
        column=labels.column + columns.start,
        row=labels.row + rows.start,
    )


def _span(start: float, stop: float, scale: float, first: int, count: int) -> tuple[int, int]:
    """Return which of `count` pixels from grid pixel `first` on lie between two level-0 coordinates."""
    begin = min(max(math.floor(start / scale) - first, 0), count)
    return begin, min(max(math.ceil(stop / scale) - first, begin), count)


def laid_together(first: LabelMap, second: LabelMap) -> tuple[Labels, Labels]:
    """Return both maps over the smallest rectangle that covers them; RegionError where their pixels differ."""
    if (first.scale, first.mpp) != (second.scale, second.mpp):
        raise RegionError("Two masks of different pixel sizes cannot be compared; segment again.")
    left, top = min(first.column, second.column), min(first.row, second.row)
    right, bottom = (
        max(start + length for start, length in sides)
        for sides in (
            [(each.column, each.labels.shape[1]) for each in (first, second)],
            [(each.row, each.labels.shape[0]) for each in (first, second)],
        )
    )

    def laid(part: LabelMap) -> Labels:
        if part.labels.shape == (bottom - top, right - left):
            return part.labels
        whole = np.zeros((bottom - top, right - left), np.uint8)
        row, column = part.row - top, part.column - left
        height, width = part.labels.shape
        whole[row : row + height, column : column + width] = part.labels
        return whole

    return laid(first), laid(second)
