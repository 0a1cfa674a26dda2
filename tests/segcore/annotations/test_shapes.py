import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, box

from segcore.annotations import shapes
from segcore.errors import AnnotationError

SIDE = 6
cells = arrays(bool, (SIDE, SIDE))
few = settings(max_examples=40, deadline=None)


def area_of_cells(filled):
    """Return the union of unit squares, one for each cell: the array is the oracle of what it covers."""
    rows, columns = np.nonzero(filled)
    return shapely.union_all(shapely.box(columns, rows, columns + 1, rows + 1))


def cells_of(area):
    """Return which unit squares an area covers, and check that it covers nothing else."""
    row, column = np.mgrid[:SIDE, :SIDE]
    filled = shapely.contains_xy(area, column + 0.5, row + 0.5)
    assert shapely.area(area) == pytest.approx(filled.sum())
    assert shapely.is_valid(area)
    return filled


@st.composite
def blobs(draw):
    """Star-shaped areas with any coordinates, some of them with a hole."""
    radii = draw(st.lists(st.floats(1, 100), min_size=3, max_size=12))
    x, y = draw(st.floats(-50, 50)), draw(st.floats(-50, 50))
    turns = np.linspace(0, 2 * math.pi, len(radii), endpoint=False)
    ring = np.stack([np.cos(turns), np.sin(turns)], 1) * np.array(radii)[:, None]
    holes = [ring * 0.5 + (x, y)] if draw(st.booleans()) else []
    return shapely.make_valid(Polygon(ring + (x, y), holes), method="structure")  # noqa: RUF005


@few
@given(cells, cells, cells)
def test_areas_combine_as_sets_of_pixels_do(a, b, c):
    drawn = [area_of_cells(each) for each in (a, b, c)]

    assert np.array_equal(cells_of(shapes.union(drawn)), a | b | c)
    if all(each.any() for each in (a, b, c)):
        assert np.array_equal(cells_of(shapes.intersect(drawn)), a & b & c)
        assert np.array_equal(cells_of(shapes.exclude(drawn)), a ^ b ^ c)
        assert np.array_equal(cells_of(shapes.subtract(drawn[0], drawn[1:])), a & ~b & ~c)
    assert np.array_equal(cells_of(shapes.inverse(drawn, box(0, 0, SIDE, SIDE))), ~(a | b | c))
    assert np.array_equal(cells_of(shapes.clip(drawn[0], 3, 2))[:2, :3], a[:2, :3])


@few
@given(cells)
def test_filling_holes_is_what_it_is_for_pixels(filled):
    # Parts hang together by edges; what a part encloses, were it only by a corner, is its hole.
    labelled, count = ndimage.label(filled)
    parts = [ndimage.binary_fill_holes(labelled == k + 1) for k in range(count)]

    assert np.array_equal(cells_of(shapes.fill_holes(area_of_cells(filled))), sum(parts, filled))


@few
@given(cells)
def test_parts_are_those_that_share_edges_and_the_largest_is_first(filled):
    parts = shapes.parts_of(area_of_cells(filled)) if filled.any() else []
    labelled, count = ndimage.label(filled)

    sizes = sorted(np.bincount(labelled.ravel())[1:].tolist(), reverse=True)
    assert len(parts) == count
    assert [each.area for each in parts] == pytest.approx(sizes)
    if count:
        assert shapes.keep_largest(area_of_cells(filled)).area == pytest.approx(sizes[0])


@few
@given(cells, st.integers(1, SIDE - 1))
def test_pieces_cut_by_a_line_make_up_the_whole_and_lie_on_one_side_of_it(filled, x):
    area = area_of_cells(filled)
    if not filled.any():
        return

    pieces = shapes.split(area, LineString([(x, -1), (x, SIDE + 1)]))

    assert np.array_equal(sum(cells_of(each).astype(int) for each in pieces), filled)
    labelled, _ = ndimage.label(filled)
    cut = [k for k in np.unique(labelled[:, x - 1]) if k and (labelled[:, x] == k).any()]
    crossed = [k for k in cut if ((labelled[:, x - 1] == k) & (labelled[:, x] == k)).any()]
    assert (len(pieces) > 1) == bool(crossed)
    for piece in pieces[1:]:
        columns = np.nonzero(cells_of(piece).any(0))[0]
        assert columns.max() < x or columns.min() >= x


@few
@given(blobs(), blobs())
def test_areas_of_union_and_intersection_add_up(a, b):
    union, common = shapes.union([a, b]), shapes.intersect([a, b])

    assert union.area + common.area == pytest.approx(a.area + b.area)
    assert shapes.exclude([a, b]).area == pytest.approx(union.area - common.area, abs=1e-6)
    assert shapes.subtract(a, [b]).area == pytest.approx(a.area - common.area, abs=1e-6)
    assert all(shapely.is_valid([union, common]))


@few
@given(blobs(), st.floats(0.1, 30))
def test_expanding_and_shrinking_stay_within_the_distance(area, distance):
    grown, shrunk = shapes.expand(area, distance), shapes.expand(area, -distance)

    assert shapely.is_valid(grown)
    assert shapely.is_valid(shrunk)
    assert grown.buffer(1e-6).covers(area)
    assert area.buffer(distance + 1e-6).covers(grown)
    if not shrunk.is_empty:
        assert area.buffer(1e-6).covers(shrunk)
        assert shapely.distance(shrunk, area.boundary) >= distance * 0.99


def test_a_square_expanded_has_the_area_of_steiners_formula():
    grown = shapes.expand(box(0, 0, 100, 100), 10)

    # Area, perimeter times distance, and a disc at the corners.
    assert grown.area == pytest.approx(10_000 + 400 * 10 + math.pi * 100, rel=1e-3)


def test_a_shape_expanded_from_a_line_is_its_surrounding_and_a_line_cannot_shrink():
    assert shapes.expand(LineString([(0, 0), (100, 0)]), 10).area == pytest.approx(
        2000 + math.pi * 100, rel=1e-3
    )
    with pytest.raises(AnnotationError, match="Lines and points"):
        shapes.expand(LineString([(0, 0), (100, 0)]), -1)


def test_the_inverse_of_a_ring_is_its_hole_and_the_rest_of_the_slide():
    ring = box(10, 10, 40, 40) - box(20, 20, 30, 30)

    rest = shapes.inverse([ring], shapes.whole_slide(100, 50))

    assert rest.area == 5000 - (900 - 100)
    assert shapely.get_num_geometries(rest) == 2
    assert shapes.union([rest, ring]).equals(box(0, 0, 100, 50))


def test_a_cut_goes_through_holes_and_leaves_parts_it_does_not_meet_with_the_largest_piece():
    ring = box(0, 0, 30, 30) - box(10, 10, 20, 20)
    island = box(100, 0, 101, 1)

    pieces = shapes.split(MultiPolygon([ring, island]), LineString([(-5, 12), (40, 12)]))

    assert [each.area for each in pieces] == [18 * 30 - 80 + 1, 12 * 30 - 20]
    assert shapely.get_num_geometries(pieces[0]) == 2


def test_a_closed_line_within_an_area_cuts_its_inside_out():
    pieces = shapes.split(box(0, 0, 30, 30), LineString([(5, 5), (25, 5), (15, 20), (5, 5)]))

    assert [each.area for each in pieces] == [750, 150]


def test_a_line_that_ends_inside_cuts_nothing():
    area = box(0, 0, 30, 30)

    assert shapes.split(area, LineString([(-5, 5), (15, 5)])) == [area]
    assert shapes.split(area, LineString([(100, 0), (100, 50)])) == [area]


def test_what_lies_in_a_filled_hole_becomes_one_with_it():
    island = MultiPolygon([box(0, 0, 30, 30) - box(5, 5, 25, 25), box(10, 10, 15, 15)])

    assert shapes.fill_holes(island).equals(box(0, 0, 30, 30))


def test_avoiding_takes_what_others_cover_but_not_what_lies_around():
    region, necrosis = box(0, 0, 100, 100), box(20, 20, 40, 40)

    left = shapes.avoid(box(10, 10, 30, 30), [region, necrosis, LineString([(0, 0), (50, 50)])])

    assert left.equals(box(10, 10, 30, 30) - necrosis)


def test_lines_and_points_combine_among_themselves_only():
    lines = [LineString([(0, 0), (5, 0)]), LineString([(3, 3), (9, 3)])]

    assert shapes.union(lines).length == 11
    assert isinstance(shapes.union([Point(0, 0), Point(1, 1)]), MultiPoint)
    with pytest.raises(AnnotationError, match="one kind"):
        shapes.union([*lines, box(0, 0, 1, 1)])
    for verb in (shapes.intersect, shapes.exclude):
        with pytest.raises(AnnotationError, match="areas only"):
            verb([box(0, 0, 1, 1), lines[0]])
    with pytest.raises(AnnotationError, match="areas only"):
        shapes.subtract(box(0, 0, 1, 1), lines)


def test_a_line_loses_what_an_area_covers_and_what_leaves_the_slide():
    line = LineString([(-10, 5), (50, 5)])

    left = shapes.subtract(line, [box(10, 0, 20, 10)])

    assert isinstance(left, MultiLineString)
    assert left.length == 50
    assert shapes.clip(line, 30, 30).equals(LineString([(0, 5), (30, 5)]))


@pytest.mark.parametrize(
    "bad",
    [
        Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]),
        Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(5, 5), (15, 5), (15, 8), (5, 8)]]),
        MultiPolygon([box(0, 0, 10, 10), box(5, 5, 15, 15)]),
        shapely.GeometryCollection([box(0, 0, 10, 10), LineString([(0, 0), (20, 20)])]),
        Polygon([(0, 0), (10, 0), (10, 10), (10, 0)]),
    ],
)
def test_whatever_comes_in_what_comes_out_is_valid_and_an_area(bad):
    other = box(2, 2, 4, 30)
    for out in (
        shapes.union([bad, other]),
        shapes.fill_holes(bad),
        shapes.expand(bad, 2),
        shapes.inverse([bad], box(0, 0, 20, 20)),
        *shapes.split(bad, LineString([(0, 5), (20, 5)])),
    ):
        assert shapely.is_valid(out)
        assert isinstance(out, Polygon | MultiPolygon)


def test_overlapping_parts_count_once():
    assert shapes.area_of(MultiPolygon([box(0, 0, 10, 10), box(5, 5, 15, 15)])).area == 175


def test_coordinates_that_are_no_numbers_are_refused():
    with np.errstate(invalid="ignore"):
        bad = Polygon([(0, 0), (math.nan, 5), (5, 5)])

    with pytest.raises(AnnotationError, match="no numbers"):
        shapes.union([bad, box(0, 0, 1, 1)])


def test_nothing_left_is_an_empty_area():
    assert shapes.intersect([box(0, 0, 1, 1), box(5, 5, 6, 6)]) == Polygon()
    assert shapes.subtract(box(1, 1, 2, 2), [box(0, 0, 5, 5)]) == Polygon()
    assert shapes.expand(box(0, 0, 5, 5), -3) == Polygon()
    assert shapes.clip(Point(50, 50), 10, 10) == Polygon()
