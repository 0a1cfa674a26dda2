import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon, box

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference.region import clip_to_slide, grid_bounds, grid_scale, inside
from segcore.inference.tiling import Window
from segcore.slides.array import ArraySlide


def blank(width=100, height=80, mpp=0.5):
    return ArraySlide(np.full((height, width, 3), 255, np.uint8), mpp=mpp)


def by_shapely(region, window, scale):
    x = (window.column + np.arange(window.width) + 0.5) * scale
    y = (window.row + np.arange(window.height) + 0.5) * scale
    return shapely.contains_xy(region, *np.meshgrid(x, y))


REGIONS = {
    "box": box(10.3, 5.1, 60.7, 44.4),
    "circle": Point(50.1, 40.2).buffer(30.3),
    "with a hole": Point(50.1, 40.2).buffer(30.3).difference(Point(45.7, 42.1).buffer(12.2)),
    "two parts": MultiPolygon([box(2.2, 2.2, 20.1, 20.1), box(40.3, 30.7, 90.2, 70.6)]),
    "slanted": Polygon([(5.1, 70.3), (90.2, 60.1), (70.7, 5.3), (30.9, 33.3)]),
}


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("scale", [1.0, 2.0, 0.7])
@pytest.mark.parametrize("window", [Window(0, 0, 120, 100), Window(13, 17, 31, 22)])
def test_a_pixel_belongs_to_the_region_if_its_centre_does(name, scale, window):
    region = REGIONS[name]

    assert np.array_equal(inside(region, window, scale), by_shapely(region, window, scale))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)), min_size=3, max_size=7))
def test_any_polygon_is_rasterised_as_shapely_would(corners):
    region = shapely.make_valid(Polygon(corners))
    window = Window(0, 0, 60, 60)
    x, y = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    clear = shapely.distance(region.boundary, shapely.points(x, y)) > 1e-6  # not on the outline
    areas = shapely.union_all([p for p in shapely.get_parts(region) if p.area > 0])

    found = inside(areas, window, 1.0) if not areas.is_empty else np.zeros((60, 60), bool)

    assert np.array_equal(found[clear], by_shapely(areas, window, 1.0)[clear])


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
