import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString

from tests.gestures import along, changed, drag, drive, press, release
from viewer.tools import Pointer
from viewer.tools.lines import length_text, snapped


def test_a_dragged_line_has_two_vertices():
    _, edit = drive("line", *along((100, 100), (200, 150), (400, 500)))

    assert changed(edit).geometry.equals_exact(LineString([(100, 100), (400, 500)]))


def test_the_length_is_told_in_micrometres_while_the_line_is_dragged():
    previews, _ = drive("line", press(100, 100), drag(400, 500), mpp=0.5)

    assert previews[-1].text == "250 µm"


@pytest.mark.parametrize(
    ("length", "mpp", "text"),
    [
        (100, 0.25, "25.0 µm"),
        (1000, 0.25, "250 µm"),
        (5000, 0.25, "1.250 mm"),
        (12345, None, "12,345 px"),
    ],
)
def test_lengths_are_told_in_the_unit_that_fits(length, mpp, text):
    assert length_text(length, mpp) == text


def test_shift_snaps_a_line_to_45_degrees():
    _, edit = drive(
        "line", press(100, 100), drag(300, 120, shift=True), release(300, 120, shift=True)
    )

    x, y = changed(edit).geometry.coords[1]
    assert (x, y) == pytest.approx((100 + math.hypot(200, 20), 100))


@given(st.floats(-500, 500), st.floats(-500, 500))
def test_what_is_snapped_keeps_its_length_and_turns_by_no_more_than_an_eighth_of_a_right_angle(
    x, y
):
    sx, sy = snapped((0, 0), (x, y))

    assert math.hypot(sx, sy) == pytest.approx(math.hypot(x, y))
    turn = math.degrees(math.atan2(sy, sx))
    assert abs(turn / 45 - round(turn / 45)) < 1e-6 or math.hypot(x, y) < 1e-300
    assert x * sx + y * sy >= math.cos(math.pi / 8) * (x * x + y * y) - 1e-6


def test_a_line_ends_where_the_slide_does():
    _, edit = drive("line", *along((900, 400), (1100, 400)))

    assert changed(edit).geometry.equals(LineString([(900, 400), (1000, 400)]))


def test_a_click_is_no_line():
    assert drive("line", *along((100, 100), (102, 101)))[1] is None


def test_a_line_beside_the_slide_is_none():
    assert drive("line", *along((1100, 100), (1400, 100)))[1] is None


CLICKS = [press(100, 100), release(100, 100), press(400, 100), release(400, 100), press(400, 500)]
CORNERS = LineString([(100, 100), (400, 100), (400, 500)])


@pytest.mark.parametrize(
    "end", [Pointer("double", 400, 500), Pointer("finish", 7, 7), press(401, 501)]
)
def test_a_polyline_is_finished_by_double_click_enter_or_a_click_on_its_last_vertex(end):
    _, edit = drive("polyline", *CLICKS, release(400, 500), end)

    assert changed(edit).geometry.equals_exact(CORNERS)


def test_the_length_of_a_polyline_grows_with_the_pointer():
    previews, _ = drive("polyline", *CLICKS, Pointer("move", 500, 500))

    assert previews[-1].text == "800 px"
    assert not previews[-1].closed


def test_backspace_takes_the_last_vertex_of_a_polyline_back():
    _, edit = drive("polyline", *CLICKS, Pointer("back", 0, 0), Pointer("finish", 0, 0))

    assert changed(edit).geometry.equals_exact(LineString([(100, 100), (400, 100)]))


def test_a_polyline_that_begins_with_a_drag_is_drawn_freely():
    _, edit = drive("polyline", *along((100, 100), (200, 120), (300, 200)))

    assert changed(edit).geometry.equals_exact(LineString([(100, 100), (200, 120), (300, 200)]))


def test_one_vertex_is_no_polyline():
    assert drive("polyline", press(100, 100), release(100, 100), Pointer("finish", 0, 0))[1] is None


def test_a_line_is_not_closed_by_its_first_vertex():
    _, edit = drive("polyline", *CLICKS, press(100, 100), Pointer("finish", 0, 0))

    assert changed(edit).geometry.is_ring
