import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from segcore.annotations.raster import rasterize, region_mask
from segcore.errors import AnnotationError

PLACES = st.integers(-320, 1920).map(lambda number: number / 32)
WHOLE = {"column": 0, "row": 0, "scale": 1.0}


def centres(
    height: int, width: int, column: int, row: int, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(width) + 0.5 + column, np.arange(height) + 0.5 + row)
    return x * scale, y * scale


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=12),
    st.integers(-5, 20),
    st.sampled_from([1.0, 0.7, 2.3]),
)
def test_a_pixel_is_inside_where_geos_finds_its_centre(
    points: list[tuple[float, float]], column: int, scale: float
) -> None:
    region = shapely.convex_hull(shapely.multipoints(points))
    assume(region.area > 0)
    region = region.difference(region.centroid.buffer(4))
    inside = region_mask(region, column=column, row=3, width=30, height=25, scale=scale)
    x, y = centres(25, 30, column, 3, scale)
    expected = shapely.contains_xy(region, x, y)
    # A centre on the edge itself belongs to neither side by GEOS, to one of them here.
    on_edge = shapely.distance(region.boundary, shapely.points(x, y)) < 1e-9
    assert np.array_equal(inside | on_edge, expected | on_edge)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=20, unique=True
    )
)
def test_neighbours_neither_overlap_nor_leave_a_gap(points: list[tuple[int, int]]) -> None:
    triangles = list(shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(points))))
    frame = {"column": 0, "row": 0, "width": 41, "height": 41, "scale": 1.0}
    times = np.zeros((41, 41), int)
    for each in triangles:
        times += region_mask(each, **frame)
    hull = shapely.multipoints(points).convex_hull
    assume(hull.area > 0)
    x, y = centres(41, 41, 0, 0, 1.0)
    clear = shapely.distance(hull.boundary, shapely.points(x, y)) > 1e-9
    assert times.max(initial=0) <= 1
    assert np.array_equal(times[clear], shapely.contains_xy(hull, x, y)[clear])


def test_later_shapes_paint_over_earlier_ones() -> None:
    labels = rasterize([(1, box(0, 0, 3, 3)), (2, box(1, 1, 2, 2))], shape=(3, 3), **WHOLE)
    assert labels.tolist() == [[1, 1, 1], [1, 2, 1], [1, 1, 1]]


def test_holes_stay_empty_and_parts_are_all_painted() -> None:
    holed = Polygon(box(0, 0, 3, 3).exterior.coords, [box(1, 1, 2, 2).exterior.coords])
    region = GeometryCollection(
        [MultiPolygon([holed, box(4, 0, 5, 1)]), Point(0, 0), LineString([(0, 0), (9, 9)])]
    )
    mask = region_mask(region, column=0, row=0, width=5, height=3, scale=1.0)
    assert mask.astype(int).tolist() == [[1, 1, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0]]


def test_the_frame_is_the_mask_grid() -> None:
    region = box(200, 100, 204, 106)
    mask = region_mask(region, column=99, row=50, width=4, height=4, scale=2.0)
    assert mask.astype(int).tolist() == [[0, 1, 1, 0]] * 3 + [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    "region",
    [
        Point(1, 1),
        LineString([(0, 0), (5, 5)]),
        Polygon(),
        GeometryCollection(),
        box(50, 50, 60, 60),
    ],
)
def test_what_has_no_inside_here_paints_nothing(region: shapely.Geometry) -> None:
    assert not region_mask(region, column=0, row=0, width=5, height=5, scale=1.0).any()
    assert not rasterize([], shape=(5, 5), **WHOLE).any()
    assert region_mask(region, column=0, row=0, width=0, height=5, scale=1.0).shape == (5, 0)


def test_a_polygon_far_larger_than_the_mask_fills_it() -> None:
    assert region_mask(
        box(-1e12, -1e12, 1e12, 1e300), column=5, row=5, width=9, height=7, scale=1.0
    ).all()


def test_coordinates_that_are_no_numbers_are_refused() -> None:
    with np.errstate(invalid="ignore"), pytest.raises(AnnotationError, match="no numbers"):
        rasterize([(1, Polygon([(0, 0), (float("nan"), 1), (1, 1)]))], shape=(5, 5), **WHOLE)
