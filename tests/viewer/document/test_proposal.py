import numpy as np
import pytest

from viewer.document import Document, MaskGrid, Proposal, edits

GRID = MaskGrid(2.0, 0.5)


@pytest.fixture
def document():
    document = Document()
    document.apply(edits.paint(document.mask, np.full((300, 300), 2, np.uint8), 0, 0, grid=GRID))
    return document


def proposal(document):
    """20 x 10 and 5 x 5 pixels of class 1, which touch at a corner only to class 3's 4 x 4; far from the edge."""
    before = document.mask.read(240, 100, 60, 60)
    after = before.copy()
    after[10:20, 5:25] = 1
    after[40:45, 40:45] = 1
    after[45:49, 45:49] = 3
    return Proposal("Spread", GRID, 240, 100, before, after)


def labels(document):
    return document.mask.read(0, 0, 300, 300)


def test_it_counts_the_pixels_that_would_change_by_their_new_class(document):
    found = proposal(document)

    assert dict(found.counts) == {1: 225, 3: 16}
    assert list(found.counts) == [1, 3]
    assert found.pixels == 241


def test_accepted_whole_it_is_one_edit_and_undo_restores_every_byte(document):
    before = {key: tile.tobytes() for key, tile in document.mask.tiles.items()}
    edit = proposal(document).edit(document.mask, "tumor")

    document.apply(edit)

    assert edit.name == "Spread tumor, 241 px"
    expected = np.full((300, 300), 2)
    expected[110:120, 245:265], expected[140:145, 280:285], expected[145:149, 285:289] = 1, 1, 3
    assert np.array_equal(labels(document), expected)
    document.undo()
    assert {key: tile.tobytes() for key, tile in document.mask.tiles.items()} == before


def test_accepted_by_class_it_changes_that_class_only(document):
    document.apply(proposal(document).of_class(3).edit(document.mask, "lymphocyte"))

    counts = np.bincount(labels(document).ravel(), minlength=4)
    assert counts[1] == 0
    assert counts[3] == 16
    assert counts[2] == 300 * 300 - 16


def test_a_region_is_what_hangs_together_in_one_class(document):
    found = proposal(document)

    # Level-0 (565, 285) is mask pixel (282, 142), in the 5 x 5.
    assert found.at(565, 285).pixels == 25
    assert dict(found.at(572, 292).counts) == {3: 16}
    assert found.at(500, 230).pixels == 200


def test_beside_it_there_is_no_region(document):
    found = proposal(document)

    assert found.at(482, 202).pixels == 0
    assert found.at(10, 10).pixels == 0
    assert found.at(5000, 285).pixels == 0


def test_what_has_changed_meanwhile_is_no_longer_proposed(document):
    found = proposal(document)
    document.apply(found.of_class(3).edit(document.mask, "lymphocyte"))
    stroke = np.full((10, 10), 4, np.uint8)
    document.apply(edits.paint(document.mask, stroke, 245, 110))

    rest = found.on(document.mask)

    assert dict(rest.counts) == {1: 125}
    document.apply(rest.edit(document.mask, "tumor"))
    assert (document.mask.read(245, 110, 10, 10) == 4).all()


def test_a_proposal_without_a_mask_starts_its_grid():
    document = Document()
    after = np.zeros((20, 20), np.uint8)
    after[5:10, 5:10] = 1
    found = Proposal("Spread", GRID, 0, 0, np.zeros_like(after), after)

    document.apply(found.edit(document.mask, "tumor"))

    assert document.mask.grid == GRID
    assert document.mask.counts() == {1: 25}


def test_tiles_that_would_be_empty_are_none(document):
    before = document.mask.read(256, 0, 44, 256)
    found = Proposal("Spread", GRID, 256, 0, before, np.zeros_like(before))

    assert found.tiles(document.mask) == {(1, 0): None}
