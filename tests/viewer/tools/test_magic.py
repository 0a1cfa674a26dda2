import math

import numpy as np
import pytest
from shapely.geometry import Point

from tests.gestures import along, changed, drag, drive, press, release
from viewer.document import Document, MaskGrid
from viewer.tools import Probabilities, Refusal
from viewer.tools.magic import least_probability
from viewer.tools.similar import border_of, region_around

SCALE, LEFT, TOP, SIZE = 2.0, 100.0, 60.0, 200
MIDDLE = (LEFT + SIZE * SCALE / 2, TOP + SIZE * SCALE / 2)
GRID = MaskGrid(2.0, 0.5)


class Cone:
    """A model that is sure of stroma in the middle of a window, and ever less sure away from it."""

    def probabilities(self, x, y):
        y, x = np.mgrid[:SIZE, :SIZE] + 0.5
        stroma = np.clip(1 - np.hypot(x - SIZE / 2, y - SIZE / 2) / 100, 0, 1)
        values = np.stack([1 - stroma, stroma]).astype(np.float32)
        return Probabilities(values, (1, 2), ("Tumor", "Stroma"), LEFT, TOP, SCALE)


class NotLoaded:
    def probabilities(self, x, y):
        return None


def test_it_selects_where_the_class_is_as_probable_as_asked():
    _, edit = drive("magic", *along(MIDDLE), tissue=Cone(), on_mask=False)

    shape = changed(edit).geometry
    # A probability of 0.5 lies 50 pixels from the middle, of 2 level-0 pixels each.
    assert shape.area == pytest.approx(math.pi * 100**2, rel=0.01)
    assert shape.centroid.distance(Point(MIDDLE)) < 0.5
    assert changed(edit).class_name == "Stroma"


def test_a_drag_to_the_right_takes_more_and_to_the_left_less():
    x, y = MIDDLE

    more = drive(
        "magic", press(x, y), drag(x + 60, y), release(x + 60, y), tissue=Cone(), on_mask=False
    )
    less = drive(
        "magic", press(x, y), drag(x - 60, y), release(x - 60, y), tissue=Cone(), on_mask=False
    )

    # 60 of 300 screen pixels change the probability by 0.2, and so the radius by 20 pixels.
    assert changed(more[1]).geometry.area == pytest.approx(math.pi * 140**2, rel=0.01)
    assert changed(less[1]).geometry.area == pytest.approx(math.pi * 60**2, rel=0.01)


def test_where_the_model_is_unsure_the_place_itself_is_still_selected():
    assert least_probability(press(0, 0), press(0, 0), 0.3) == pytest.approx(0.3)
    assert least_probability(press(0, 0), press(30, 0), 0.3) == pytest.approx(0.2)
    assert least_probability(press(0, 0), press(-900, 0), 0.7) == pytest.approx(0.7)
    assert least_probability(press(0, 0), press(900, 0), 0.7) == pytest.approx(0.02)


def test_on_the_mask_it_paints_the_chosen_class():
    document = Document()

    _, edit = drive(
        "magic", *along(MIDDLE), document=document, tissue=Cone(), grid=GRID, class_code=4
    )
    document.apply(edit)

    assert document.mask.counts() == {4: pytest.approx(math.pi * 50**2, rel=0.02)}


def test_without_a_model_it_says_what_to_do():
    _, result = drive("magic", *along(MIDDLE), tissue=NotLoaded(), on_mask=False)

    assert isinstance(result, Refusal)


def test_a_region_is_what_hangs_together_by_edges():
    alike = np.array([[1, 1, -1, 1], [-1, 1, -1, 1], [1, -1, -1, 1]], float)

    region = region_around(alike, 0, 0)

    assert region.tolist() == [
        [True, True, False, False],
        [False, True, False, False],
        [False, False, False, False],
    ]


def test_a_border_has_the_holes_of_its_region():
    alike = np.full((40, 40), 1.0)
    alike[15:25, 15:25] = -1
    alike[0] = alike[-1] = alike[:, 0] = alike[:, -1] = -1

    shape = border_of(region_around(alike, 5, 5), alike, left=0, top=0, scale=1.0)

    # Between centres of pixels, so the border has the area of the pixels but for its corners.
    assert len(shape.interiors) == 1
    assert shape.area == pytest.approx(38 * 38 - 100, abs=2)


def test_where_the_press_is_not_alike_there_is_no_region():
    alike = np.full((5, 5), -1.0)

    assert border_of(region_around(alike, 2, 2), alike, left=0, top=0, scale=1.0).is_empty
