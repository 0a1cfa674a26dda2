import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from tests.builders import heatmap_of
from viewer.rendering.heatmap_layer import HeatmapLayer, ends, heat_colours, reading
from viewer.rendering.viewport import Viewport

NAN = float("nan")


def painted(row, **fields):
    """Paint a map of one row over white, 30 x 30 screen pixels for each value; return the colours in their middles."""
    cells = np.repeat(np.repeat([row], 3, axis=0), 3, axis=1)  # so that smoothing leaves the middle
    width = 30 * len(row)
    layer = HeatmapLayer()
    layer.show(heatmap_of(cells, (0, 0, width, 30), **fields))
    image = QImage(width, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    layer.paint(painter, Viewport(width / 2, 15, 1.0, width, 30), 1.0)
    painter.end()
    return [np.array(image.pixelColor(x, 15).getRgb()[:3]) for x in range(15, width, 30)]


def test_what_lies_outside_the_region_and_what_says_nothing_stays_clear(qapp):
    unknown, nothing, most = painted([NAN, 0.0, 1.0])

    assert (unknown == 255).all()
    assert (nothing == 255).all()
    assert (most != 255).any()


def test_a_signed_map_is_red_for_the_class_and_blue_against_it(qapp):
    against, nothing, speaks_for = painted([-1.0, 0.0, 1.0], quantity="shap")

    assert against[2] > against[0] + 40
    assert speaks_for[0] > speaks_for[2] + 40
    assert (nothing == 255).all()


def test_the_colours_of_both_maps_stay_apart_for_people_who_see_no_red_or_no_green(qapp):
    # Machado et al. 2009, severity 1, on linear light.
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]  # fmt: skip
    protan = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]  # fmt: skip
    for signed in (False, True):
        linear = (heat_colours(signed=signed)[[0, 64, 128, 192, 255]] / 255) ** 2.2
        for matrix in (deutan, protan):
            seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
            far = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
            assert far[~np.eye(5, dtype=bool)].min() > 0.15


@pytest.mark.parametrize(
    ("fields", "value", "text"),
    [
        ({}, 0.42, "0.42"),
        ({"quantity": "shap"}, -0.3, "-0.30"),
        ({"quantity": "entropy", "one": 2.0, "unit": "bits"}, 0.25, "0.50 bits"),
        ({"quantity": "flips", "unit": "of the views"}, 0.375, "38 % of the views"),
    ],
)
def test_a_value_is_told_in_its_unit(fields, value, text):
    assert reading(heatmap_of([[0.0]], (0, 0, 1, 1), **fields).heat, value) == text


def test_the_ends_of_the_colour_bar_name_the_unit():
    entropy = heatmap_of([[0.0]], (0, 0, 1, 1), quantity="entropy", one=1.585, unit="bits").heat
    shap = heatmap_of([[0.0]], (0, 0, 1, 1), quantity="shap").heat

    assert ends(entropy) == ("0 sure", "1.58 bits: all alike")
    assert ends(shap) == ("-1.00 against", "+1.00 for the class")
