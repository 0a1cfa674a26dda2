import math

import numpy as np
import pytest
from shapely.geometry import Point, box

from segcore.annotations import Annotation
from tests.gestures import along, changed, drag, drive, press
from viewer.document import Document, MaskGrid, edits
from viewer.tools.wand import SIDE, likeness_of

PINK, BLUE = (220, 150, 190), (120, 80, 160)
GRID = MaskGrid(2.0, 0.5)


class TwoColours:
    """Tissue that is pink left of x = 500 and blue right of it, and counts how often it is read."""

    def __init__(self):
        self.reads = 0

    def pixels(self, left, top, side, scale):
        self.reads += 1
        x = left + (np.arange(side) + 0.5) * scale
        row = np.where((x < 500)[:, None], PINK, BLUE).astype(np.uint8)
        return np.broadcast_to(row, (side, side, 3))


def test_in_even_tissue_the_wand_takes_the_whole_circle():
    _, edit = drive("wand", *along((200, 400)), tissue=TwoColours(), on_mask=False)

    assert changed(edit).geometry.area == pytest.approx(math.pi * (SIDE // 2) ** 2, rel=0.02)
    assert changed(edit).geometry.centroid.distance(Point(200, 400)) < 1


def test_the_wand_stops_where_the_colour_changes():
    _, edit = drive("wand", *along((470, 400)), tissue=TwoColours(), on_mask=False)

    # A step smoothed with sigma 4 has changed by a quarter 2.7 pixels before its middle.
    assert 494 < changed(edit).geometry.bounds[2] < 500


def test_it_looks_at_the_tissue_as_it_is_on_the_screen():
    _, edit = drive("wand", *along((200, 400), scale=0.5), tissue=TwoColours(), on_mask=False)

    assert changed(edit).geometry.area == pytest.approx(math.pi * (SIDE // 4) ** 2, rel=0.02)


def test_a_drag_adds_what_it_passes():
    _, edit = drive(
        "wand", *along((200, 300), (200, 400), (200, 500)), tissue=TwoColours(), on_mask=False
    )

    left, top, right, bottom = changed(edit).geometry.bounds
    assert bottom - top == pytest.approx(200 + SIDE, abs=3)
    assert right - left == pytest.approx(SIDE, abs=3)


def test_it_goes_on_with_the_annotation_under_the_pointer():
    old = Annotation(box(150, 350, 250, 450), "Stroma")
    document = Document()
    document.apply(edits.add([old]))

    _, edit = drive(
        "wand", *along((200, 400)), document=document, tissue=TwoColours(), on_mask=False
    )

    assert changed(edit).id == old.id
    assert changed(edit).geometry.area > 100 * 100


def test_alt_takes_away():
    old = Annotation(box(400, 100, 700, 700))
    document = Document()
    document.apply(edits.add([old]))

    _, edit = drive(
        "wand", *along((540, 400), alt=True), document=document, tissue=TwoColours(), on_mask=False
    )

    taken = old.geometry.difference(changed(edit).geometry)
    assert taken.bounds[0] == pytest.approx(502, abs=3)


def test_on_the_mask_it_paints_the_pixels_whose_centres_it_covers():
    document = Document()

    _, edit = drive(
        "wand", *along((200, 400)), document=document, tissue=TwoColours(), grid=GRID, class_code=3
    )
    document.apply(edit)

    assert document.mask.counts()[3] == pytest.approx(math.pi * (SIDE // 2) ** 2 / 4, rel=0.03)
    assert document.mask.read(250, 0, 250, 400).sum() == 0


def test_a_hand_that_hardly_moves_has_nothing_read_anew():
    tissue = TwoColours()

    drive(
        "wand",
        press(200, 400),
        *(drag(200 + x / 2, 400) for x in range(8)),
        tissue=tissue,
        on_mask=False,
    )

    assert tissue.reads == 1


def test_a_speck_of_another_colour_makes_no_hole():
    class Speckled(TwoColours):
        def pixels(self, left, top, side, scale):
            pixels = super().pixels(left, top, side, scale).copy()
            pixels[60:70, 30:40] = 20
            return pixels

    _, edit = drive("wand", *along((200, 400)), tissue=Speckled(), on_mask=False)

    assert not changed(edit).geometry.interiors


def test_the_pixel_in_the_middle_is_like_itself():
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)

    likeness = likeness_of(noise)

    assert likeness[SIDE // 2, SIDE // 2] == likeness.max() == 1
    assert (likeness[0] < 0).all()
