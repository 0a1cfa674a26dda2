import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from shapely import LineString, MultiLineString, Point, Polygon, box

from segcore.annotations import LabelMap
from segcore.annotations.neighbours import simplify, smooth
from segcore.annotations.polygons import polygons_from_labels

few = settings(max_examples=15, deadline=None)
BOTH = [simplify, smooth]


def tissue(seed, *, side=40, scale=4.0, width=3.0):
    """Neighbours along pixel edges, as the areas of a mask are."""
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.standard_normal((side, side)), width) for _ in range(3)]
    labels = (np.argmax(fields, 0) + 1).astype(np.uint8)
    return [area for _, area in polygons_from_labels(LabelMap(labels, 0, 0, scale, 1.0))]


def farthest(before, after):
    """Return how far the borders of shapes lie apart, at most."""
    pairs = zip(before, after, strict=True)
    return max(shapely.hausdorff_distance(a.boundary, b.boundary, densify=0.05) for a, b in pairs)


@few
@given(st.integers(0, 10**6), st.floats(0.5, 30), st.sampled_from(BOTH))
def test_neighbours_stay_neighbours_without_gap_or_overlap(seed, length, verb):
    before = tissue(seed)

    after = verb(before, length)

    assert all(shapely.is_valid(after))
    assert shapely.coverage_is_valid(after)
    assert len(after) == len(before)
    assert not any(each.is_empty for each in after)
    # The borders inside move, what all cover together loses no more than its four corners.
    assert shapely.union_all(after).area == pytest.approx(160**2, abs=4 * length**2 + 1e-6)


@few
@given(st.integers(0, 10**6), st.floats(0.5, 30))
def test_smoothing_moves_no_border_farther_than_asked(seed, reach):
    before = tissue(seed)

    assert farthest(before, smooth(before, reach)) <= reach + 0.05


def test_stairs_of_mask_pixels_become_a_straight_line():
    steps = [(4 * ((k + 1) // 2), 4 * (k // 2)) for k in range(41)]
    stairs = Polygon([*steps, (0, 80)])

    (smooth_,) = smooth([stairs], 2.0)

    middle = box(10, 10, 70, 70)
    border = shapely.intersection(smooth_.boundary, middle)
    assert shapely.hausdorff_distance(border, LineString([(12, 10), (70, 68)])) < 1e-6


def test_a_square_smoothed_keeps_the_middles_of_its_sides_and_loses_little_at_its_corners():
    (round_,) = smooth([box(0, 0, 100, 100)], 10.0)

    assert round_.covers(LineString([(30, 0), (70, 0)]))
    assert 4 * 25 < 10_000 - round_.area < 4 * 100
    assert not round_.covers(Point(2, 2))
    assert round_.covers(Point(10, 10))


def test_a_corner_with_a_hole_close_to_it_is_not_cut_into_the_hole():
    area = Polygon(
        [(0, 0), (100, 0), (100, 100), (0, 100)], [[(3, 3), (4.5, 3), (4.5, 4.5), (3, 4.5)]]
    )

    (round_,) = smooth([area], 10.0)

    assert isinstance(round_, Polygon)
    assert len(round_.interiors) == 1
    assert round_.covers(Point(0, 0))  # the one corner that could not be cut
    assert not round_.covers(Point(100, 0))


def test_simplifying_drops_what_is_smaller_than_the_tolerance_and_keeps_what_is_larger():
    notched = Polygon([(0, 0), (50, 0), (51, 1), (52, 0), (70, 0), (80, 20), (90, 0), (100, 0), (100, 100), (0, 100)])  # fmt: skip

    (simple,) = simplify([notched], 5.0)

    # The dent of 1 px² goes, that of 200 px² stays.
    assert simple.equals(Polygon([(0, 0), (70, 0), (80, 20), (90, 0), (100, 0), (100, 100), (0, 100)]))  # fmt: skip


@pytest.mark.parametrize("verb", BOTH)
def test_a_border_drawn_along_another_is_shared_afterwards(verb):
    wall = Polygon([(0, 0), (100, 0), (97, 25), (103, 50), (96, 75), (100, 100), (0, 100)])
    blob = Point(100, 53).buffer(37, quad_segs=32) - wall  # has vertices that the wall has not

    after = verb([wall, blob], 6.0)

    assert shapely.coverage_is_valid(after)
    assert after[0].boundary.intersection(after[1].boundary).length > 50


@pytest.mark.parametrize("verb", BOTH)
def test_a_region_around_neighbours_does_not_tear_them_apart(verb):
    neighbours = tissue(3)

    after = verb([box(1, 1, 150, 150), *neighbours], 5.0)

    assert shapely.coverage_is_valid(after[1:])
    assert after[0].area == pytest.approx(149**2, rel=0.01)


@pytest.mark.parametrize("verb", BOTH)
def test_holes_and_parts_survive(verb):
    shape = shapely.MultiPolygon([box(0, 0, 60, 60) - box(20, 20, 40, 40), box(100, 0, 120, 20)])

    (after,) = verb([shape], 3.0)

    assert [len(each.interiors) for each in after.geoms] == [1, 0]


def test_lines_are_treated_too_and_keep_their_ends():
    line = LineString([(0, 0), (10, 0.1), (20, 0), (20, 30)])

    assert simplify([line], 1.0) == [LineString([(0, 0), (20, 0), (20, 30)])]
    (round_,) = smooth([line], 3.0)
    assert round_.coords[0] == (0, 0)
    assert round_.coords[-1] == (20, 30)
    assert 0 < shapely.hausdorff_distance(round_, line) <= 3
    both = MultiLineString([line, LineString([(50, 50), (60, 50), (60, 60)])])
    assert shapely.get_num_geometries(smooth([both], 3.0)[0]) == 2


@pytest.mark.parametrize("verb", BOTH)
def test_points_and_specks_stay(verb):
    speck, dot = box(0, 0, 1e-5, 1e-5), LineString([(5, 5), (5 + 1e-7, 5)])

    after = verb([speck, dot, Point(3, 3), Polygon()], 10.0)

    assert [each.geom_type for each in after] == ["Polygon", "LineString", "Point", "Polygon"]
    assert 0 < after[0].area < 1.1e-10
    assert after[1].length > 0
    assert after[3].is_empty


@pytest.mark.parametrize("verb", BOTH)
def test_nothing_becomes_nothing(verb):
    assert verb([], 1.0) == []
