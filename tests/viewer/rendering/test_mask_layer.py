import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from segcore.annotations import Class
from viewer.document import MaskGrid
from viewer.rendering.mask_layer import MaskPainter, contours
from viewer.rendering.viewport import Viewport

CLASSES = (
    Class(1, "Red", (255, 0, 0), "none", "Red"),
    Class(2, "Blue", (0, 0, 255), "none", "Blue"),
)


def painted(painter, view):
    image = QImage(int(view.width), int(view.height), QImage.Format.Format_RGB32)
    image.fill(0)
    brush = QPainter(image)
    painter.paint(brush, view)
    brush.end()
    bits = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return bits[..., 2::-1].copy()


def shown(tiles, grid=MaskGrid(1.0, 0.5), opacity=0.5):
    painter = MaskPainter(CLASSES)
    painter.style(opacity, frozenset())
    painter.show(grid, tiles, tiles.get)
    return painter


def half_and_half():
    labels = np.zeros((256, 256), np.uint8)
    labels[:, 100:200] = 1
    labels[:, 200:] = 2
    return labels


def test_each_class_is_painted_in_its_colour_where_it_lies():
    pixels = painted(shown({(0, 0): half_and_half()}), Viewport(128, 128, 1.0, 256, 256))

    assert pixels[50, 50].tolist() == [0, 0, 0]
    assert pixels[50, 150].tolist() == [128, 0, 0]
    assert pixels[50, 230].tolist() == [0, 0, 128]


def test_the_border_between_classes_is_stronger_than_the_area():
    pixels = painted(shown({(0, 0): half_and_half()}), Viewport(128, 128, 1.0, 256, 256))

    assert pixels[50, 100, 0] > pixels[50, 150, 0]


def test_a_hidden_class_is_not_painted():
    painter = shown({(0, 0): half_and_half()})
    painter.style(0.5, frozenset({1}))

    pixels = painted(painter, Viewport(128, 128, 1.0, 256, 256))

    assert not pixels[50, 150].any()
    assert pixels[50, 230].any()


def test_a_mask_of_many_tiles_keeps_its_place_at_every_zoom():
    tiles = {(5, 3): np.full((256, 256), 1, np.uint8)}
    painter = shown(tiles)
    middle = (5.5 * 256, 3.5 * 256)

    for scale in (0.1, 0.5, 1.0, 2.0, 7.0, 30.0):
        view = Viewport(*middle, scale, 200, 200)
        pixels = painted(painter, view)
        assert pixels[100, 100, 0] > 0
        reach = int(128 / scale) + 4
        if reach < 90:
            assert pixels[100, 100 + reach, 0] == 0
            assert pixels[100 - reach, 100, 0] == 0


def test_a_changed_tile_is_drawn_anew_and_the_others_stay():
    tiles = {(0, 0): np.full((256, 256), 1, np.uint8), (1, 0): np.full((256, 256), 1, np.uint8)}
    painter = shown(tiles)
    view = Viewport(256, 128, 2.0, 256, 128)
    painted(painter, view)

    tiles[0, 0] = np.full((256, 256), 2, np.uint8)
    painter.update(tiles, [(0, 0)])
    pixels = painted(painter, view)

    assert pixels[64, 64, 2] > 0
    assert pixels[64, 64, 0] == 0
    assert pixels[64, 192, 0] > 0


def test_contours_lie_on_both_sides_of_a_border_and_not_on_unlabelled_pixels():
    labels = np.array([[0, 1, 1, 2, 2]], np.uint8)

    assert contours(labels).tolist() == [[False, True, True, True, False]]


def test_a_hatch_is_drawn_over_its_class_alone_and_only_where_asked():
    classes = (
        Class(1, "Red", (255, 0, 0), "diagonal", "Red"),
        Class(2, "Blue", (0, 0, 255), "none", "Blue"),
    )
    tiles = {(0, 0): half_and_half()}
    painter = MaskPainter(classes)
    painter.style(0.5, frozenset())
    painter.show(MaskGrid(1.0, 0.5), tiles, tiles.get)
    view = Viewport(128, 128, 1.0, 256, 256)
    plain = painted(painter, view)

    painter.style(0.5, frozenset(), hatched=True)
    hatched = painted(painter, view)

    inside = np.s_[10:240, 110:190]
    assert len(np.unique(plain[inside][..., 0])) == 1
    red = hatched[inside][..., 0]
    assert set(np.unique(red)) == {128, 204}  # 0.5 and 0.5 + 0.3 of 255
    assert (red == 204).mean() == pytest.approx(2 / 12, abs=0.02)
    assert (hatched[10:240, 210:250] == plain[10:240, 210:250]).all()
