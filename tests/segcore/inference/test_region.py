import math

import numpy as np
import pytest
import shapely
from shapely.geometry import Point, Polygon, box

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference.region import clip_to_slide, grid_bounds, grid_scale
from segcore.inference.tiling import Window
from segcore.slides.array import ArraySlide


def blank(width=100, height=80, mpp=0.5):
    return ArraySlide(np.full((height, width, 3), 255, np.uint8), mpp=mpp)


def test_bounds_are_the_smallest_window_around_the_region():
    assert grid_bounds(box(10.0, 20.0, 30.0, 41.0), 2.0) == Window(5, 10, 10, 11)


def test_a_region_is_cut_at_the_slides_border():
    assert clip_to_slide(box(-50, 10, 20, 500), blank()).bounds == (0, 10, 20, 80)


def test_a_crossed_outline_is_mended():
    bowtie = Polygon([(0, 0), (20, 20), (20, 0), (0, 20)])

    assert math.isclose(clip_to_slide(bowtie, blank()).area, 200)


@pytest.mark.parametrize(
    "region",
    [
        box(200, 200, 300, 300),
        Polygon(),
        Point(5, 5),
        shapely.LineString([(0, 0), (9, 9)]),
        box(100, 0, 120, 80),
    ],
)
def test_a_region_without_area_on_the_slide_is_refused(region):
    with pytest.raises(RegionError, match="array"):
        clip_to_slide(region, blank())


def test_corners_that_are_not_numbers_are_refused():
    with np.errstate(invalid="ignore"):
        broken = Polygon([(0, 0), (1, float("nan")), (2, 2)])
    with pytest.raises(RegionError, match="not numbers"):
        clip_to_slide(broken, blank())


def test_a_slide_without_pixel_size_is_refused_with_the_way_out():
    with pytest.raises(PixelSizeMissingError, match="--mpp"):
        grid_scale(blank(mpp=None), 0.5)


def test_a_slide_much_coarser_than_the_model_is_refused():
    assert grid_scale(blank(mpp=2.0), 0.5) == 0.25
    with pytest.raises(RegionError, match="too coarse"):
        grid_scale(blank(mpp=2.1), 0.5)
