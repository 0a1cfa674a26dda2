"""What is painted while a shape is dragged: the shape itself, however many vertices or fellows it has."""

import numpy as np
import pytest
import shapely
from PySide6.QtGui import QColor, QImage, QPainter

from viewer.rendering import previews
from viewer.rendering.previews import HEAVY, MANY, paint_sketch
from viewer.rendering.viewport import Viewport
from viewer.tools import Sketch

pytestmark = pytest.mark.usefixtures("qapp")
VIEW = Viewport(10_000, 10_000, 50.0, 400, 400)


@pytest.fixture(autouse=True)
def _nothing_kept():
    previews._path.cache_clear()


def pictured(*shapes):
    """Return which pixels of a view of 400 x 400 (50 level-0 pixels each) a sketch paints."""
    image = QImage(400, 400, QImage.Format.Format_RGB32)
    image.fill(QColor(0, 0, 0))
    with QPainter(image) as painter:
        paint_sketch(painter, VIEW, Sketch(tuple(shapes)), QColor(0, 255, 0))
    return np.frombuffer(image.constBits(), np.uint8).reshape(400, 400, 4)[..., 1].astype(int)


def ragged(vertices):
    turns = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    reach = 6000 + 900 * np.sin(9 * turns)
    return shapely.Polygon(10_000 + (reach * [np.cos(turns), np.sin(turns)]).T)


def test_a_heavy_shape_looks_as_if_all_its_vertices_were_painted(monkeypatch):
    shape = ragged(50 * HEAVY)
    few = pictured(shape)
    previews._path.cache_clear()
    monkeypatch.setattr(previews, "HEAVY", 10**9)
    every = pictured(shape)

    assert np.count_nonzero(every) > 20_000
    assert np.mean(np.abs(few - every) > 60) < 0.002


def test_a_heavy_shape_is_painted_with_the_vertices_that_can_be_seen():
    assert previews._path(ragged(50 * HEAVY), VIEW.scale).elementCount() < HEAVY


def test_a_crowd_is_shown_as_the_box_around_it():
    squares = [shapely.box(x, 8000, x + 10, 12_000) for x in range(5000, 5000 + 10 * MANY, 10)]
    around = shapely.box(5000, 8000, 5000 + 10 * MANY, 12_000)

    squares.append(squares[0])

    assert np.array_equal(pictured(*squares), pictured(around))
