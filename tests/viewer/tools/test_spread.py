import pytest

from tests.gestures import along, drag, drive, press, release
from viewer.document import MaskGrid
from viewer.tools import AcceptRegion, Refusal, Scribble

GRID = MaskGrid(2.0, 0.5)


def test_a_scribble_is_the_way_of_the_hand_in_the_chosen_class():
    previews, result = drive(
        "spread", *along((10, 20), (60, 20), (60, 70)), grid=GRID, class_code=3
    )

    # The pen is 8 screen pixels wide.
    assert result == Scribble(((10, 20), (60, 20), (60, 70)), 4.0, 3)
    assert previews[-1] == result
    assert result.bounds == (6, 16, 64, 74)


def test_a_click_is_a_dot():
    _, result = drive("spread", *along((10, 20)), grid=GRID)

    assert result.points == ((10, 20),)


def test_with_alt_the_tissue_is_of_no_class():
    _, result = drive("spread", *along((10, 20), (90, 20), alt=True), grid=GRID, class_code=3)

    assert result.code == 0


def test_the_pen_is_as_wide_on_the_screen_at_any_zoom():
    _, result = drive("spread", *along((10, 20), (90, 20), scale=3.0), grid=GRID)

    assert result.radius == pytest.approx(12.0)


def test_a_hand_that_trembles_adds_no_points():
    events = [press(10, 20), drag(11, 20), drag(10, 21), drag(90, 20), release(90, 20)]

    _, result = drive("spread", *events, grid=GRID)

    assert result.points == ((10, 20), (90, 20))


def test_ctrl_click_accepts_the_region_under_it_and_scribbles_nothing():
    previews, result = drive("spread", *along((10, 20), (90, 20), ctrl=True), grid=GRID)

    assert result == AcceptRegion(10, 20)
    assert previews == [None, None]


def test_a_stroke_over_half_a_slide_is_refused_in_a_sentence():
    _, result = drive("spread", *along((0, 0), (4000, 0), scale=20.0), grid=GRID, width=5000)

    assert result == Refusal("This stroke is too long to spread from; draw one of at most 0.4 mm.")


def test_without_a_pixel_size_it_says_what_to_do():
    _, result = drive("spread", *along((0, 0), (40, 0)))

    assert isinstance(result, Refusal)
    assert "pixel size" in result.text
