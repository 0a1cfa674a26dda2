import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, Point, box

from segcore.annotations import Annotation
from segcore.annotations.hierarchy import children, parents


def named(**geometries):
    return [Annotation(geometry, id=key) for key, geometry in geometries.items()]


def test_each_lies_in_the_smallest_area_around_it():
    held = named(
        nucleus=box(12, 12, 14, 14),
        slide=box(0, 0, 100, 100),
        tumor=box(10, 10, 40, 40),
        nest=box(11, 11, 20, 20),
        beside=box(90, 90, 110, 110),
    )

    assert parents(held) == {
        "nucleus": "nest",
        "slide": None,
        "tumor": "slide",
        "nest": "tumor",
        "beside": None,
    }


def test_what_lies_in_a_hole_does_not_lie_in_the_area():
    ring = box(0, 0, 30, 30) - box(10, 10, 20, 20)

    assert parents(named(ring=ring, island=box(12, 12, 15, 15), part=box(1, 1, 5, 5))) == {
        "ring": None,
        "island": None,
        "part": "ring",
    }


def test_lines_and_points_lie_in_areas_but_hold_nothing():
    held = named(
        area=box(0, 0, 10, 10),
        line=LineString([(1, 1), (9, 9)]),
        out=LineString([(5, 5), (50, 50)]),
        point=Point(5, 5),
        points=MultiPoint([(2, 2), (3, 3)]),
        scattered=MultiPoint([(2, 2), (30, 3)]),
    )

    assert parents(held) == {
        "area": None, "line": "area", "out": None, "point": "area", "points": "area", "scattered": None,
    }  # fmt: skip


def test_of_equal_shapes_the_first_holds_the_others():
    assert parents(named(a=box(0, 0, 5, 5), b=box(0, 0, 5, 5), c=box(0, 0, 5, 5))) == {
        "a": None,
        "b": "a",
        "c": "b",
    }


def test_a_shape_clipped_to_another_lies_in_it_though_cutting_rounds():
    rng = np.random.default_rng(5)
    for _ in range(20):
        outer = shapely.MultiPoint(rng.uniform(0, 1000, (7, 2))).convex_hull
        inner = shapely.intersection(
            outer, shapely.MultiPoint(rng.uniform(0, 1000, (7, 2))).convex_hull
        )
        if inner.area:
            assert parents(named(inner=inner, outer=outer))["inner"] == "outer"


def test_a_detection_lies_where_its_centroid_is_and_holds_nothing():
    cell = Annotation(box(8, 0, 11, 3), kind="cell", id="cell")
    dot = Annotation(Point(9, 1), id="dot")

    assert parents([*named(area=box(0, 0, 10, 10)), cell, dot]) == {
        "area": None,
        "cell": "area",
        "dot": "area",
    }


def test_empty_shapes_and_no_shapes_lie_nowhere():
    assert parents(named(none=shapely.Polygon(), area=box(0, 0, 1, 1))) == {
        "none": None,
        "area": None,
    }
    assert parents([]) == {}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 8)] * 4), max_size=12))
def test_parents_are_what_looking_at_each_pair_finds(corners):
    held = [
        Annotation(box(x, y, x + w + 1, y + h + 1), id=str(k))
        for k, (x, y, w, h) in enumerate(corners)
    ]

    found = parents(held)

    for k, each in enumerate(held):
        around = [
            (other.geometry.area, -j, other.id)
            for j, other in enumerate(held)
            if j != k
            and other.geometry.covers(each.geometry)
            and (not each.geometry.covers(other.geometry) or j < k)
        ]
        assert found[each.id] == (min(around)[2] if around else None)


def test_children_are_listed_under_their_parent_in_their_order():
    assert children({"a": None, "b": "a", "c": None, "d": "a"}) == {
        None: ["a", "c"],
        "a": ["b", "d"],
    }
