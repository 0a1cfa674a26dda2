import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from segcore.annotations import Annotation
from tests.gestures import changed as drawn
from tests.gestures import drag, drive, press, release
from viewer.document import Document, edits
from viewer.tools import Outline, Pointer


def test_a_dragged_rectangle_has_the_corners_of_press_and_release():
    _, edit = drive("rectangle", press(100, 50), drag(200, 100), release(300, 250))

    assert drawn(edit).geometry.equals(Polygon([(100, 50), (300, 50), (300, 250), (100, 250)]))


def test_a_rectangle_may_be_dragged_towards_the_upper_left():
    _, edit = drive("rectangle", press(300, 250), drag(200, 100), release(100, 50))

    assert drawn(edit).geometry.bounds == (100, 50, 300, 250)


def test_shift_makes_a_square_with_the_longer_side():
    _, edit = drive(
        "rectangle", press(100, 100), drag(160, 300, shift=True), release(160, 300, shift=True)
    )

    assert drawn(edit).geometry.bounds == (100, 100, 300, 300)


def test_what_hangs_over_the_slide_is_cut_off():
    _, edit = drive("rectangle", press(900, 700), drag(950, 750), release(1500, 1500))

    assert drawn(edit).geometry.bounds == (900, 700, 1000, 800)


def test_a_click_without_a_drag_draws_nothing():
    _, edit = drive("rectangle", press(100, 100), release(100, 100))

    assert edit is None


def test_an_ellipse_has_nearly_the_area_of_its_formula():
    _, edit = drive("ellipse", press(100, 100), drag(300, 200), release(500, 300))

    # A polygon of n vertices inscribed in an ellipse has the share sin(2 pi / n) / (2 pi / n) of its area.
    turn = 2 * math.pi / 100
    exact = math.pi * 200 * 100 * math.sin(turn) / turn
    assert drawn(edit).geometry.area == pytest.approx(exact, rel=1e-9)
    assert drawn(edit).ellipse


def test_an_ellipse_cut_by_the_slide_is_no_ellipse_any_more():
    _, edit = drive("ellipse", press(800, 100), drag(900, 200), release(1200, 300))

    assert not drawn(edit).ellipse


def test_a_polygon_is_finished_by_double_click_without_an_extra_vertex():
    _, edit = drive(
        "polygon", press(100, 100), release(100, 100), press(300, 100), release(300, 100),
        press(300, 300), release(300, 300), Pointer("double", 300, 300),
    )  # fmt: skip

    assert drawn(edit).geometry.equals(Polygon([(100, 100), (300, 100), (300, 300)]))


def test_enter_finishes_a_polygon():
    _, edit = drive(
        "polygon", press(100, 100), press(300, 100), press(300, 300), Pointer("finish", 10, 10)
    )

    assert drawn(edit).geometry.area == pytest.approx(200 * 200 / 2)


def test_a_click_on_the_first_vertex_closes_a_polygon():
    _, edit = drive("polygon", press(100, 100), press(300, 100), press(300, 300), press(102, 101))

    assert drawn(edit).geometry.equals(Polygon([(100, 100), (300, 100), (300, 300)]))


def test_backspace_takes_the_last_vertex_back():
    _, edit = drive(
        "polygon", press(100, 100), press(300, 100), press(900, 900), Pointer("back", 0, 0),
        press(300, 300), Pointer("finish", 0, 0),
    )  # fmt: skip

    assert drawn(edit).geometry.equals(Polygon([(100, 100), (300, 100), (300, 300)]))


def test_backspace_on_the_first_vertex_leaves_the_polygon():
    _, edit = drive("polygon", press(100, 100), Pointer("back", 0, 0))

    assert edit is None


def test_a_polygon_that_begins_with_a_drag_is_freehand():
    path = [(100, 100), (200, 100), (300, 100), (300, 200), (300, 300), (200, 200)]
    _, edit = drive("polygon", press(*path[0]), *(drag(*p) for p in path[1:]), release(*path[-1]))

    assert drawn(edit).geometry.equals(Polygon(path))


def test_a_freehand_path_that_crosses_itself_becomes_valid():
    eight = [(100, 100), (300, 300), (300, 100), (100, 300)]
    _, edit = drive("freehand", press(*eight[0]), *(drag(*p) for p in eight[1:]), release(100, 300))

    assert drawn(edit).geometry.is_valid
    assert drawn(edit).geometry.area == pytest.approx(2 * 200 * 100 / 2)


def test_a_spline_passes_through_its_vertices_and_bulges_beyond_them():
    corners = [(200, 200), (600, 200), (600, 600), (200, 600)]
    _, edit = drive("spline", *(press(*each) for each in corners), Pointer("finish", 0, 0))

    ring = drawn(edit).geometry.exterior
    # Through equally spaced points half way goes the curve at (-1, 9, 9, -1) / 16 of the four nearest.
    half_way = (400, (-600 + 9 * 200 + 9 * 200 - 600) / 16)
    assert all(ring.distance(Point(each)) < 1e-6 for each in corners)
    assert ring.distance(Point(half_way)) < 0.25


def test_the_vertices_of_a_spline_are_marked_while_it_is_drawn():
    previews, _ = drive("spline", press(100, 100), press(300, 100), Pointer("move", 300, 300))

    assert previews[-1].vertices == ((100, 100), (300, 100))
    assert len(previews[-1].points) > 20


def test_the_outline_follows_the_pointer_before_the_shape_is_finished():
    previews, _ = drive("rectangle", press(0, 0), drag(10, 0), drag(50, 40))

    assert previews[-1] == Outline(((0, 0), (50, 0), (50, 40), (0, 40)))


def test_regions_are_numbered():
    document = Document()
    for _ in range(2):
        _, edit = drive("rectangle", press(0, 0), drag(1, 1), release(300, 300), document=document)
        document.apply(edit)

    assert [each.name for each in document.annotations.values()] == ["ROI 1", "ROI 2"]


@settings(max_examples=60, deadline=None)
@example([(0.0, 2.0), (16.0, 1.0), (-2.225073858507203e-309, 0.0)], "freehand")
@example([(0.0, 2.0), (0.0, -2.225073858507203e-309), (16.0, 1.0)], "freehand")
@given(
    st.lists(st.tuples(st.floats(-200, 1200), st.floats(-200, 1000)), min_size=1, max_size=30),
    st.sampled_from(["rectangle", "ellipse", "polygon", "spline", "freehand"]),
)
def test_whatever_is_dragged_gives_a_valid_region_on_the_slide_or_nothing(path, tool):
    _, edit = drive(tool, press(*path[0]), *(drag(*p) for p in path[1:]), release(*path[-1]))

    if edit is not None:
        geometry = drawn(edit).geometry
        assert geometry.is_valid
        left, top, right, bottom = geometry.bounds
        assert left >= 0
        assert top >= 0
        assert right <= 1000
        assert bottom <= 800


def test_the_next_region_is_numbered_after_the_highest_not_after_what_has_no_class():
    document = Document()
    cells = [Annotation(Polygon([(k, 0), (k + 1, 0), (k, 1)])) for k in range(9)]
    named = Annotation(Polygon([(0, 0), (9, 0), (0, 9)]), name="ROI 4")
    document.apply(edits.add([*cells, named]))

    _, edit = drive(
        "rectangle", press(100, 50), drag(200, 100), release(300, 250), document=document
    )

    assert drawn(edit).name == "ROI 5"
