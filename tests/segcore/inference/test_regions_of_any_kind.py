"""Regions in several parts, all tissue of a slide, and which of them lie apart."""

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon, box

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference import apart, segment_region, tissue_region
from segcore.slides import ArraySlide
from tests.builders import GLASS, STROMA
from tests.segcore.inference.painted import ColourBundle, tissue

HOLED = Polygon(box(5, 5, 60, 70).exterior, [box(20, 20, 40, 50).exterior])
STAR = Point(120, 90).buffer(30, quad_segs=2)


@pytest.mark.parametrize(
    "region", [[HOLED, STAR], MultiPolygon([HOLED, STAR]), (each for each in [HOLED, STAR, HOLED])]
)
def test_several_regions_are_segmented_as_their_union(region):
    slide, truth = tissue()

    found = segment_region(slide, ColourBundle(), region, refine=None)

    rows, columns = np.indices(found.labels.shape) + 0.5
    both = shapely.union_all([HOLED, STAR])
    within = shapely.contains_xy(both, columns + found.column, rows + found.row)
    height, width = found.labels.shape
    there = truth[found.row :, found.column :][:height, :width]
    assert np.array_equal(found.labels, there * within)


def test_nothing_is_predicted_between_regions_that_lie_apart():
    slide, _ = tissue(height=100, width=900)
    bundle = ColourBundle()

    segment_region(slide, bundle, [box(0, 0, 40, 40), box(850, 0, 890, 40)], refine=None)

    assert sum(bundle.batches) <= 8  # of 57


def test_no_region_at_all_is_refused():
    slide, _ = tissue()
    with pytest.raises(RegionError):
        segment_region(slide, ColourBundle(), [])


def slide_with(*pieces, size=2048, mpp=1.0):
    pixels = np.full((size, size, 3), GLASS, np.uint8)
    for left, top, right, bottom in pieces:
        pixels[top:bottom, left:right] = STROMA
    return ArraySlide(pixels, mpp=mpp)


def test_all_tissue_of_a_slide_is_found_without_dirt():
    pieces = (200, 300, 900, 1100), (1200, 1300, 1900, 1800)
    slide = slide_with(*pieces, (1500, 200, 1550, 250))  # the last is a speck of 0.0025 mm2

    found = tissue_region(slide)

    expected = shapely.union_all([box(*each) for each in pieces])
    assert found.symmetric_difference(expected).area < 0.05 * expected.area
    assert len(shapely.get_parts(found)) == 2


def test_large_holes_in_tissue_stay_and_small_ones_are_filled():
    slide = slide_with((200, 200, 1800, 1800))
    pixels = slide.read(0, 0, 0, 2048, 2048)
    pixels[600:1000, 600:1000] = GLASS
    pixels[1400:1470, 1400:1470] = GLASS

    [found] = shapely.get_parts(tissue_region(ArraySlide(pixels, mpp=1.0)))

    assert len(found.interiors) == 1
    assert not found.contains(Point(800, 800))
    assert found.contains(Point(1435, 1435))


def test_a_slide_of_glass_has_no_tissue_region():
    with pytest.raises(RegionError, match="No tissue"):
        tissue_region(slide_with())
    with pytest.raises(PixelSizeMissingError):
        tissue_region(slide_with(mpp=None))


def test_regions_whose_boxes_touch_are_one_part():
    near = [box(0, 0, 10, 10), box(5, 5, 20, 20)]
    far = box(100, 100, 110, 110)

    parts = sorted(apart([*near, far]), key=lambda each: each.bounds)

    assert [part.bounds for part in parts] == [(0, 0, 20, 20), far.bounds]
    assert parts[0].area == 300
