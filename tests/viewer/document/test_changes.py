import numpy as np
import pytest

from viewer.document import Change, Edit, GridChange, MaskGrid, TileChange


def test_the_inverse_of_an_edit_swaps_before_and_after_and_runs_backwards(square):
    a, b = square(), square()
    tile = np.ones((256, 256), np.uint8)
    edit = Edit(
        "All",
        (Change(None, a), Change(b, None)),
        (TileChange((0, 0), None, tile),),
        GridChange(None, MaskGrid(2.0, 0.5)),
    )

    inverse = edit.inverse()

    assert inverse.changes == (Change(None, b), Change(a, None))
    assert inverse.tiles[0].after is None
    assert np.array_equal(inverse.tiles[0].before, tile)
    assert inverse.grid == GridChange(MaskGrid(2.0, 0.5), None)
    assert inverse.inverse().changes == edit.changes


def test_a_change_is_about_exactly_one_annotation(square):
    for before, after in [(None, None), (square(), square())]:
        with pytest.raises(ValueError, match="exactly one"):
            Change(before, after)


def test_a_tile_change_cannot_be_altered_through_the_array_it_was_made_of():
    tile = np.ones((256, 256), np.uint8)

    change = TileChange((0, 0), None, tile)
    tile[:] = 7

    assert change.after.max() == 1
    assert not change.after.flags.writeable


@pytest.mark.parametrize("tile", [np.ones((256, 255), np.uint8), np.ones((256, 256), np.int64)])
def test_a_tile_of_another_shape_or_type_is_refused(tile):
    with pytest.raises(ValueError, match="256"):
        TileChange((0, 0), None, tile)


def test_a_tile_outside_the_slide_is_refused():
    with pytest.raises(ValueError, match="outside"):
        TileChange((-1, 0), None, None)


def test_only_an_edit_without_changes_is_empty(square):
    assert Edit("Nothing").is_empty
    assert not Edit("Add", (Change(None, square()),)).is_empty
    assert not Edit("Grid", grid=GridChange(None, MaskGrid(1, 1))).is_empty
