import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from segcore.annotations.vertices import Vertices

HOLED = Polygon(
    [(0, 0), (10, 0), (10, 10), (0, 10)], [[(2, 2), (4, 2), (4, 4)], [(6, 6), (8, 6), (7, 8)]]
)


def test_the_end_of_a_ring_is_not_counted_twice():
    assert len(Vertices(HOLED).points) == 4 + 3 + 3
    assert len(Vertices(MultiPolygon([HOLED, box(20, 20, 30, 30)])).points) == 14
    assert len(Vertices(LineString([(0, 0), (1, 1), (0, 0)])).points) == 3


def test_a_vertex_of_a_hole_in_the_second_part_moves():
    both = MultiPolygon([box(-30, -30, -20, -20), HOLED])
    vertices = Vertices(both)
    at = vertices.near(4.2, 3.9, 1)
    assert at is not None

    moved = vertices.moved(at, (5, 5))

    hole = next(each for each in moved.geoms[1].interiors if (5.0, 5.0) in each.coords)
    assert Polygon(hole).equals(Polygon([(2, 2), (4, 2), (5, 5)]))
    assert moved.geoms[0].equals(both.geoms[0])


def test_moving_the_first_vertex_of_a_ring_keeps_it_closed():
    vertices = Vertices(box(0, 0, 10, 10))
    at = vertices.near(10, 0, 0.1)

    moved = vertices.moved(at, (20, -5))

    assert moved.equals(Polygon([(0, 0), (20, -5), (10, 10), (0, 10)]))


def test_a_bow_tie_is_repaired_to_a_valid_area():
    vertices = Vertices(box(0, 0, 10, 10))

    crossed = vertices.moved(vertices.near(10, 0, 0.1), (-10, 5))

    assert crossed.is_valid
    assert crossed.area > 0


def test_a_vertex_is_inserted_where_the_edge_is_nearest():
    vertices = Vertices(HOLED)
    before, foot = vertices.near_edge(3.1, 1.8, 0.5)
    assert foot == pytest.approx((3.1, 2.0))

    more = vertices.inserted(before, (3, 1))

    assert more.area == pytest.approx(HOLED.area - Polygon([(2, 2), (3, 1), (4, 2)]).area)


def test_the_edge_that_closes_a_ring_is_an_edge_too():
    _, foot = Vertices(box(0, 0, 10, 10)).near_edge(10.2, 5, 0.5)
    after_last = Vertices(Polygon([(0, 0), (10, 0), (10, 10)])).near_edge(5, 5.2, 1)

    assert foot == pytest.approx((10, 5))
    assert after_last[0] == 2


def test_far_from_edges_and_vertices_nothing_is_near():
    vertices = Vertices(box(0, 0, 10, 10))

    assert vertices.near(5, 5, 2) is None
    assert vertices.near_edge(5, 5, 2) is None


def test_a_triangular_hole_goes_with_one_of_its_vertices():
    vertices = Vertices(HOLED)

    fewer = vertices.deleted(vertices.near(7, 8, 0.1))

    assert len(fewer.interiors) == 1


def test_deleting_down_to_nothing_leaves_an_empty_shape():
    triangle = Polygon([(0, 0), (4, 0), (0, 4)])

    assert Vertices(triangle).deleted(0).is_empty
    assert Vertices(Point(3, 3)).deleted(0).is_empty
    assert Vertices(LineString([(0, 0), (5, 5)])).deleted(1).is_empty
    assert Vertices(MultiPoint([(0, 0), (5, 5)])).deleted(0).equals(Point(5, 5))


def test_a_part_moved_over_another_makes_one_valid_area():
    two = MultiPolygon([box(0, 0, 4, 4), box(6, 0, 10, 4)])
    vertices = Vertices(two)

    joined = vertices.moved(vertices.near(4, 4, 0.1), (8, 4))

    assert joined.is_valid


def test_the_end_of_a_line_has_one_neighbour_and_a_ring_has_two():
    line = Vertices(LineString([(0, 0), (5, 0), (9, 0)]))
    ring = Vertices(box(0, 0, 10, 10))

    assert line.neighbours(0) == ((5, 0),)
    assert line.neighbours(1) == ((0, 0), (9, 0))
    assert len(ring.neighbours(0)) == len(ring.neighbours(3)) == 2


def test_a_vertex_that_is_not_there_is_refused():
    with pytest.raises(IndexError, match="no vertex 4"):
        Vertices(box(0, 0, 1, 1)).moved(4, (0, 0))


@settings(deadline=None, max_examples=30)
@given(st.integers(3, 12), st.integers(0, 11), st.floats(0.1, 3))
def test_inserting_a_vertex_and_deleting_it_again_gives_the_same_shape(n, where, reach):
    turns = 2 * np.pi * np.arange(n) / n
    shape = Polygon(np.column_stack([np.cos(turns), np.sin(turns)]) * 50)
    vertices = Vertices(shape)
    before = where % n

    more = Vertices(vertices.inserted(before, (60.0 + reach, 60.0)))
    again = more.deleted(before + 1) if len(more.points) == n + 1 else shape

    assert shapely.symmetric_difference(again, shape).area < 1e-6
