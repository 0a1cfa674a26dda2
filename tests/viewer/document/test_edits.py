import numpy as np

from segcore.annotations import LabelMap
from viewer.document import Document, MaskGrid, edits


def segmented(labels, column=0, row=0, scale=2.0) -> LabelMap:
    return LabelMap(np.asarray(labels, np.uint8), column, row, scale, scale / 4)


def test_names_say_how_many(square):
    a, b = square(), square()

    assert edits.add([a]).name == "Add 1 annotation"
    assert edits.delete([a, b]).name == "Delete 2 annotations"
    assert edits.add([a], name="Rectangle").name == "Rectangle"


def test_an_edit_that_would_change_nothing_is_empty():
    mask = Document().mask

    assert edits.delete([]).is_empty
    assert edits.paint(mask, np.zeros((3, 3), np.uint8), 0, 0, grid=MaskGrid(2, 0.5)).is_empty


def test_replacing_keeps_what_has_the_same_id_and_swaps_the_rest(square):
    a, b, c = square(), square(), square()
    document = Document()
    document.apply(edits.add([a, b]))

    document.apply(edits.replace([a, b], [a.with_(name="kept"), c], name="Merge"))

    assert [each.name for each in document.annotations.values()] == ["kept", None]
    assert set(document.annotations) == {a.id, c.id}


def test_the_first_stroke_sets_the_grid_and_undo_takes_it_away():
    document = Document()
    grid = MaskGrid(2.0, 0.5)

    document.apply(edits.paint(document.mask, np.ones((2, 2), np.uint8), 0, 0, grid=grid))
    assert document.mask.grid == grid
    document.apply(edits.paint(document.mask, np.ones((2, 2), np.uint8), 9, 9, grid=MaskGrid(4, 1)))
    assert document.mask.grid == grid
    assert document.mask.counts() == {1: 8}
    document.go_to(0)

    assert document.mask.grid is None


def test_a_segmentation_replaces_the_mask_only_where_it_has_labels():
    document = Document()
    document.apply(edits.replace_mask(document.mask, segmented([[1, 1, 1]]), "ROI 1"))

    document.apply(edits.replace_mask(document.mask, segmented([[2, 0, 2]], column=1), "ROI 2"))

    assert document.mask.read(0, 0, 4, 1).tolist() == [[1, 2, 1, 2]]
    assert document.history == ("Segment ROI 1", "Segment ROI 2")


def test_a_segmentation_on_another_grid_clears_the_old_mask_and_undo_restores_it(state_of):
    document = Document()
    document.apply(edits.replace_mask(document.mask, segmented(np.ones((300, 600))), "A"))
    before = state_of(document)

    document.apply(edits.replace_mask(document.mask, segmented([[3]], scale=4.0), "B"))
    assert document.mask.grid == MaskGrid(4.0, 1.0)
    assert document.mask.counts() == {3: 1}
    document.undo()

    assert state_of(document) == before


def test_a_grid_that_differs_by_rounding_is_the_same_grid():
    document = Document()
    document.apply(edits.replace_mask(document.mask, segmented([[1]]), "A"))

    edit = edits.replace_mask(document.mask, segmented([[2]], column=1, scale=2 * (1 + 1e-12)), "B")

    assert edit.grid is None
    document.apply(edit)
    assert document.mask.counts() == {1: 1, 2: 1}


def test_clearing_leaves_no_label():
    document = Document()
    document.apply(edits.replace_mask(document.mask, segmented(np.ones((300, 600))), "A"))

    document.apply(edits.clear_mask(document.mask))

    assert not document.mask.tiles
    assert document.mask.counts() == {}
