import numpy as np
import pytest

from segcore.annotations import LabelMap
from viewer.document import Document, MaskGrid, as_segmented, edits

GRID = MaskGrid(scale=1.0, mpp=0.5)


def segments(document, code, column, row, side, name="ROI"):
    found = LabelMap(np.full((side, side), code, np.uint8), column, row, GRID.scale, GRID.mpp)
    document.apply(edits.replace_mask(document.mask, found, name))


def paints(document, code, column, row, side, name="Brush"):
    labels = np.full((side, side), code, np.uint8)
    document.apply(edits.paint(document.mask, labels, column, row, name=name, grid=GRID))


@pytest.fixture
def document():
    return Document()


def test_strokes_clearing_and_filling_are_taken_off_and_segmentations_stay(document):
    segments(document, 1, 0, 0, 300)
    paints(document, 2, 10, 10, 50)
    paints(document, 4, 280, 280, 60, name="Fill by 2 annotations")
    document.apply(edits.clear_mask(document.mask))

    given = as_segmented(document)

    expected = np.zeros((400, 400), np.uint8)
    expected[:300, :300] = 1
    assert (given.read(0, 0, 400, 400) == expected).all()


def test_of_two_segmentations_the_later_counts_where_it_changed_something(document):
    segments(document, 1, 0, 0, 100)
    paints(document, 3, 0, 0, 20)
    segments(document, 2, 50, 50, 100)

    given = as_segmented(document)

    assert given.read(0, 0, 20, 20).min() == 1
    assert (given.read(50, 50, 100, 100) == 2).all()


def test_what_was_undone_does_not_count(document):
    segments(document, 1, 0, 0, 100)
    segments(document, 2, 0, 0, 100)
    document.undo()

    assert (as_segmented(document).read(0, 0, 100, 100) == 1).all()


def test_without_a_model_nothing_was_given(document):
    paints(document, 1, 0, 0, 50)

    assert not as_segmented(document).tiles
