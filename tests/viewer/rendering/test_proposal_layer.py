import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from viewer.document import MaskGrid, Proposal
from viewer.rendering import ProposalLayer, paint_scribbles
from viewer.rendering.viewport import Viewport
from viewer.tools import Scribble

GRID = MaskGrid(2.0, 0.5)
GREY, SIDE = QColor(128, 128, 128), 200


def proposal():
    """Mask pixels 10 to 30 in both directions, from (5, 5), become tumor: level-0 pixels 30 to 70."""
    before = np.full((40, 40), 2, np.uint8)
    after = before.copy()
    after[10:30, 10:30] = 1
    return Proposal("Spread", GRID, 5, 5, before, after)


def painted(paint):
    image = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    image.fill(GREY)
    with QPainter(image) as painter:
        paint(painter)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(SIDE, SIDE, 4)
    return pixels[..., :3].astype(int).mean(2)


def difference(view, *, outline_only=False):
    return painted(
        lambda painter: ProposalLayer().paint(painter, view, proposal(), outline_only=outline_only)
    )


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.0])
def test_only_where_it_changes_and_two_pixels_around_is_painted(qapp, scale):
    view = Viewport(50, 50, scale, SIDE, SIDE)

    seen = difference(view)

    x0, x1 = (round((each - 50) / scale + SIDE / 2) for each in (30, 70))
    x0, x1 = max(x0 - 2, 0), min(x1 + 2, SIDE)
    outside = np.ones_like(seen, bool)
    outside[x0:x1, x0:x1] = False
    assert (seen[outside] == 128).all()
    assert (seen[~outside] > 128).any()


def test_a_changed_region_is_bright_at_its_rim_hatched_within_and_dark_around(qapp):
    seen = difference(Viewport(50, 50, 0.5, SIDE, SIDE))

    # It lies on screen pixels 60 to 140.
    assert (seen[60, 60:140] == 255).all()
    assert (seen[59, 61:139] < 80).all()
    within = seen[70:130, 70:130]
    assert set(np.unique(within == 128)) == {True, False}
    assert within.min() >= 128


def test_to_compare_only_the_rim_is_left(qapp):
    seen = difference(Viewport(50, 50, 0.5, SIDE, SIDE), outline_only=True)

    assert (seen[60, 60:140] == 255).all()
    assert (seen[70:130, 70:130] == 128).all()


def test_out_of_view_nothing_is_painted(qapp):
    assert (difference(Viewport(5000, 5000, 1.0, SIDE, SIDE)) == 128).all()


def test_a_scribble_has_the_colour_of_its_class_and_a_dark_edge(qapp):
    view, line = Viewport(100, 100, 1.0, SIDE, SIDE), Scribble(((50, 100), (150, 100)), 6, 1)

    seen = painted(
        lambda painter: paint_scribbles(painter, view, [line], lambda code: QColor(255, 255, 255))
    )

    assert (seen[96:104, 60:140] == 255).all()
    assert (seen[92, 60:140] < 128).all()
    assert (seen[80, :] == 128).all()


def test_a_click_is_seen_as_a_dot(qapp):
    view = Viewport(100, 100, 1.0, SIDE, SIDE)

    seen = painted(
        lambda painter: paint_scribbles(
            painter, view, [Scribble(((100, 100),), 6, 1)], lambda code: QColor(255, 255, 255)
        )
    )

    assert seen[100, 100] == 255
    assert 100 < np.count_nonzero(seen > 200) < 160
