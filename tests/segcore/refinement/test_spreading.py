"""Strokes that spread: over the tissue they lie on, not beyond its border, and never under the hand."""

import numpy as np
import pytest

from segcore.errors import ModelError
from segcore.progress import Cancelled
from segcore.refinement import probabilities_of, spread


def two_tissues(height=80, width=120, edge=60):
    """Return an image whose left and right differ in colour, and a network's opinion: all class 0."""
    image = np.full((height, width, 3), (200, 120, 170), np.uint8)
    image[:, edge:] = (120, 70, 150)
    probabilities = np.zeros((3, height, width), np.float32)
    probabilities[:] = np.array([0.9, 0.05, 0.05])[:, None, None]
    return image, probabilities


def stroke(shape, rows, columns, class_index):
    seeds = np.full(shape, -1)
    seeds[rows, columns] = class_index
    return seeds


def test_a_stroke_spreads_over_its_tissue_and_stops_at_the_border():
    image, probabilities = two_tissues()
    seeds = stroke((80, 120), slice(20, 60), slice(40, 46), 2)

    found = spread(probabilities, image, seeds).argmax(0)

    assert (found == 2).sum() > 4 * (seeds == 2).sum()
    assert (found[:, :58] == 2).sum() > 50 * (found[:, 62:] == 2).sum()
    assert set(np.unique(found)) == {0, 2}


def test_a_stroke_stays_as_it_was_painted_even_against_all_around():
    image, probabilities = two_tissues()
    seeds = stroke((80, 120), slice(30, 50), slice(30, 50), 1)
    seeds[40, 40] = 0

    found = spread(probabilities, image, seeds)

    assert (found[:, seeds >= 0].argmax(0) == seeds[seeds >= 0]).all()
    assert found[1, 30, 30] == 1


def test_stronger_strokes_spread_farther():
    image, probabilities = two_tissues()
    seeds = stroke((80, 120), slice(35, 45), slice(25, 31), 1)

    areas = [
        (spread(probabilities, image, seeds, strength=s).argmax(0) == 1).sum() for s in (1, 30, 900)
    ]

    assert areas == sorted(areas)
    assert areas[0] < areas[1] < areas[2]


def test_without_a_stroke_nothing_changes():
    image, probabilities = two_tissues()

    found = spread(probabilities, image, np.full((80, 120), -1))

    assert (found.argmax(0) == 0).all()
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)


def test_strokes_of_two_classes_share_the_tissue_between_them():
    image, probabilities = two_tissues(edge=120)
    seeds = stroke((80, 120), slice(30, 50), slice(20, 24), 1)
    seeds[30:50, 60:64] = 2

    found = spread(probabilities, image, seeds).argmax(0)

    assert found[40, 30] == 1
    assert found[40, 52] == 2


def test_it_can_be_cancelled():
    image, probabilities = two_tissues()

    def report(fraction, text=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        spread(probabilities, image, np.full((80, 120), -1), report=report)


@pytest.mark.parametrize("strength", [0.5, float("nan"), 1e9])
def test_a_strength_that_makes_no_sense_is_refused(strength):
    image, probabilities = two_tissues()
    with pytest.raises(ModelError, match="strength"):
        spread(probabilities, image, np.full((80, 120), -1), strength=strength)


def test_a_mask_says_its_class_with_its_confidence_and_nothing_where_it_is_empty():
    labels = np.array([[1, 4, 0, 3]], np.uint8)
    confidence = np.array([[255, 153, 0, 200]], np.uint8)

    found = probabilities_of(labels, confidence, (1, 2, 4))

    expected = [[1, 0, 0], [0.2, 0.2, 0.6], [1 / 3] * 3, [1 / 3] * 3]  # 3 is none of its classes
    np.testing.assert_allclose(found[:, 0].T, expected, atol=1e-6)
    assert (probabilities_of(labels, None, (1, 2, 4))[:, 0, 1] == [0, 0, 1]).all()
