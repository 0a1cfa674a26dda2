"""Regions on the mask grid: which part of the slide is asked for."""

import math
from collections.abc import Iterable

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap
from segcore.annotations.polygons import polygons_from_labels
from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference.tiling import Window
from segcore.slides import Slide
from segcore.slides.tissue import find_tissue

Region = BaseGeometry | Iterable[BaseGeometry]
"""One geometry of any shape, or several; level-0 pixels."""

LEAST_TISSUE = 0.01
"""Square millimetres: smaller pieces of tissue are dirt, smaller holes in it are filled."""

COARSEST = 0.25
"""Least grid scale: a slide pixel may be at most four times as large as the model's."""


def tissue_region(slide: Slide) -> BaseGeometry:
    """Return all tissue of a slide in level-0 pixels; RegionError where there is none.

    Raises PixelSizeMissingError where the slide has no pixel size.
    """
    mpp = known_mpp(slide)
    tissue = find_tissue(slide, mpp)
    traced = LabelMap(tissue.mask.astype(np.uint8), 0, 0, tissue.scale, tissue.scale * mpp)
    least = LEAST_TISSUE * 1e6 / mpp**2  # square level-0 pixels
    traced_pieces = shapely.get_parts([piece for _, piece in polygons_from_labels(traced)])
    pieces = [piece for piece in traced_pieces if piece.area >= least]
    if not pieces:
        raise RegionError(f"No tissue was found on the slide {slide.name}; draw a region.")
    filled = [
        Polygon(each.exterior, [hole for hole in each.interiors if Polygon(hole).area >= least])
        for each in pieces
    ]
    return shapely.union_all(filled)


def apart(regions: Iterable[BaseGeometry]) -> list[BaseGeometry]:
    """Return the union of the regions, cut where nothing lies between, so that no mask spans empty slide."""
    outlines = [shapely.make_valid(each) for each in regions]
    boxes = shapely.union_all([shapely.box(*each.bounds) for each in outlines])
    places = shapely.STRtree(outlines)
    together = (places.query(part, predicate="intersects") for part in shapely.get_parts(boxes))
    return [shapely.union_all([outlines[at] for at in indices]) for indices in together]


def known_mpp(slide: Slide) -> float:
    """Return the slide's pixel size, or raise PixelSizeMissingError."""
    if slide.mpp is None:
        raise PixelSizeMissingError(
            f"The slide {slide.name} does not say how large its pixels are; give their size in micrometres "
            "(--mpp)."
        )
    return slide.mpp


def grid_scale(slide: Slide, mpp: float) -> float:
    """Return how many level-0 pixels one grid pixel of `mpp` micrometres is wide."""
    own = known_mpp(slide)
    scale = mpp / own
    if scale < COARSEST:
        raise RegionError(
            f"The slide {slide.name} has {own:.3g} micrometres per pixel, too coarse for a model that "
            f"works at {mpp:.3g}; use a slide or a level of at most {mpp / COARSEST:.3g}."
        )
    return scale


def clip_to_slide(region: Region, slide: Slide) -> BaseGeometry:
    """Return the areal part of all of `region` (level-0 pixels) on the slide; RegionError where there is none."""
    regions = [region] if isinstance(region, BaseGeometry) else list(region)
    if not np.isfinite(shapely.get_coordinates(regions)).all():
        raise RegionError("The region has corners that are not numbers; draw it again.")
    valid = shapely.union_all([shapely.make_valid(each) for each in regions])
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
