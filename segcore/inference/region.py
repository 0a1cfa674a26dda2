"""Regions on the mask grid: which part of the slide is asked for."""

import math

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference.tiling import Window
from segcore.slides import Slide

COARSEST = 0.25
"""Least grid scale: a slide pixel may be at most four times as large as the model's."""


def grid_scale(slide: Slide, mpp: float) -> float:
    """Return how many level-0 pixels one grid pixel of `mpp` micrometres is wide."""
    if slide.mpp is None:
        raise PixelSizeMissingError(
            f"The slide {slide.name} does not say how large its pixels are; give their size in micrometres "
            "(--mpp)."
        )
    scale = mpp / slide.mpp
    if scale < COARSEST:
        raise RegionError(
            f"The slide {slide.name} has {slide.mpp:.3g} micrometres per pixel, too coarse for a model that "
            f"works at {mpp:.3g}; use a slide or a level of at most {mpp / COARSEST:.3g}."
        )
    return scale


def clip_to_slide(region: BaseGeometry, slide: Slide) -> BaseGeometry:
    """Return the areal part of `region` (level-0 pixels) on the slide; RegionError where there is none."""
    if not np.isfinite(shapely.get_coordinates(region)).all():
        raise RegionError("The region has corners that are not numbers; draw it again.")
    valid = region if region.is_valid else shapely.make_valid(region)
    clipped = shapely.intersection(valid, shapely.box(0, 0, *slide.dimensions))
    areas = [part for part in shapely.get_parts(clipped) if part.area > 0]
    if not areas:
        raise RegionError(
            f"The region is empty or lies outside the slide {slide.name}; draw one on the tissue."
        )
    return shapely.union_all(areas)


def grid_bounds(region: BaseGeometry, scale: float) -> Window:
    """Return the smallest window of the grid that covers `region`."""
    left, top, right, bottom = (value / scale for value in region.bounds)
    column, row = math.floor(left), math.floor(top)
    return Window(column, row, math.ceil(right) - column, math.ceil(bottom) - row)
