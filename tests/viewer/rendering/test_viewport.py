import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.rendering.viewport import Viewport

number = st.floats(-1e5, 1e5)
size = st.floats(10, 5000)
scale = st.floats(0.01, 200)


@given(number, number, scale, size, size, number, number)
def test_screen_to_slide_and_back_is_where_it_began(x, y, scale, width, height, sx, sy):
    view = Viewport(x, y, scale, width, height)

    back = view.to_screen(*view.to_slide(sx, sy))

    assert back == pytest.approx((sx, sy), abs=1e-4)


@given(number, number, scale, st.floats(0.1, 10), st.floats(0, 1000), st.floats(0, 700))
def test_zooming_keeps_the_point_under_the_cursor(x, y, scale, factor, sx, sy):
    view = Viewport(x, y, scale, 1000, 700)

    after = view.zoomed(factor, sx, sy)

    assert after.to_slide(sx, sy) == pytest.approx(view.to_slide(sx, sy), abs=1e-6 * scale * 1e3)
    assert after.scale == pytest.approx(scale / factor)


def test_dragging_moves_the_slide_with_the_hand():
    view = Viewport(500, 500, 2.0, 100, 100)

    assert view.panned(10, -5).to_screen(500, 500) == (60, 45)


def test_a_fitted_rectangle_lies_whole_on_the_screen():
    view = Viewport(0, 0, 1, 800, 600).fitted(1000, 2000, 9000, 4000)

    left, top = view.to_screen(1000, 2000)
    right, bottom = view.to_screen(9000, 4000)
    assert 0 < left < right < 800
    assert 0 < top < bottom < 600
    assert (left + right) / 2 == pytest.approx(400)


def test_a_view_never_leaves_the_slide_nor_magnifies_without_end():
    view = Viewport(-50, 9999, 1e-9, 100, 100).clamped(1000, 800)

    assert (view.x, view.y) == (0, 800)
    assert view.scale == 1 / 32


turns = st.sampled_from([0.0, 90.0, 180.0, 270.0]) | st.floats(0, 359.9)


@given(turns, st.booleans(), number, number, st.floats(0, 1000), st.floats(0, 700))
def test_a_turned_view_maps_there_and_back_and_zooms_about_the_cursor(turn, mirrored, x, y, sx, sy):
    view = Viewport(x, y, 3.0, 1000, 700, turn, mirrored)

    assert view.to_screen(*view.to_slide(sx, sy)) == pytest.approx((sx, sy), abs=1e-6)
    after = view.zoomed(2.5, sx, sy)
    assert after.to_slide(sx, sy) == pytest.approx(view.to_slide(sx, sy), abs=1e-6)


def test_a_quarter_turn_brings_what_lay_right_of_the_centre_below_it():
    view = Viewport(500, 500, 1.0, 200, 100).turned(90)

    assert view.to_screen(510, 500) == (100, 60)
    assert view.to_screen(500, 490) == (110, 50)


def test_a_mirror_exchanges_left_and_right_of_the_screen_whatever_the_turn():
    for turn in (0.0, 30.0, 90.0):
        view = Viewport(500, 500, 1.0, 200, 100, turn)
        across, down = view.to_screen(530, 520)

        assert view.flipped().to_screen(530, 520) == pytest.approx((200 - across, down))
        assert view.flipped().flipped() == view


@given(turns, st.booleans())
def test_the_upright_view_holds_every_corner_of_the_turned_one(turn, mirrored):
    view = Viewport(10, 20, 2.0, 300, 100, turn, mirrored)
    left, top, right, bottom = view.visible

    xs, ys = zip(*view.corners, strict=True)
    assert (min(xs), max(xs)) == pytest.approx((left, right))
    assert (min(ys), max(ys)) == pytest.approx((top, bottom))
    assert view.upright.visible == pytest.approx(view.visible)


def test_a_turned_slide_dragged_right_moves_right_on_the_screen():
    view = Viewport(500, 500, 2.0, 100, 100, 90.0, mirrored=True)

    before = view.to_screen(510, 505)
    after = view.panned(7, -3).to_screen(510, 505)

    assert after == pytest.approx((before[0] + 7, before[1] - 3))
