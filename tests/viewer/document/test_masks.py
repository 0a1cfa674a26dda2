import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.document import MASK_TILE, MaskGrid, MaskLayer

GRID = MaskGrid(2.0, 0.5)
SIDE = 3 * MASK_TILE


def pasted(mask: MaskLayer, *args, **kwargs) -> None:
    mask.update(mask.paste(*args, **kwargs))


@settings(deadline=None, max_examples=40)
@given(
    strokes=st.lists(
        st.tuples(
            st.integers(-60, SIDE - 1),
            st.integers(-60, SIDE - 1),
            st.integers(1, 400),
            st.integers(1, 400),
            st.integers(0, 2**32 - 1),
        ),
        max_size=6,
    )
)
def test_pasting_does_what_numpy_does_on_one_big_array(strokes):
    mask, margin = MaskLayer(GRID), 60
    oracle = np.zeros((SIDE + 500 + margin, SIDE + 500 + margin), np.uint8)
    for column, row, width, height, seed in strokes:
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 4, (height, width), np.uint8) * np.uint8(rng.random() < 0.8)
        where = rng.random((height, width)) < 0.7
        pasted(mask, labels, column, row, where=where)
        view = oracle[row + margin : row + margin + height, column + margin :][:, :width]
        view[where] = labels[where]
    oracle = oracle[margin:, margin:]  # what lies outside the slide is cut off

    assert np.array_equal(mask.read(0, 0, oracle.shape[1], oracle.shape[0]), oracle)
    counts = np.bincount(oracle.ravel(), minlength=256)
    assert mask.counts() == {code: n for code, n in enumerate(counts) if n and code}
    assert all(tile.any() for tile in mask.tiles.values())


def test_pasting_applies_nothing():
    mask = MaskLayer(GRID)

    mask.paste(np.ones((5, 5), np.uint8), 0, 0)

    assert not mask.tiles
    assert not mask.counts()


def test_tiles_that_would_stay_as_they_are_are_left_out():
    mask = MaskLayer(GRID)
    pasted(mask, np.ones((10, 10), np.uint8), 250, 0)

    assert mask.paste(np.ones((10, 10), np.uint8), 250, 0) == ()
    changes = mask.paste(
        np.full((10, 8), 2, np.uint8), 252, 0, where=np.arange(80).reshape(10, 8) % 8 < 3
    )
    assert [each.key for each in changes] == [(0, 0)]


def test_a_tile_that_becomes_all_zero_becomes_absent():
    mask = MaskLayer(GRID)
    pasted(mask, np.ones((10, 10), np.uint8), 0, 0)

    (change,) = mask.paste(np.zeros((10, 10), np.uint8), 0, 0)

    assert change.after is None


def test_reading_outside_the_slide_gives_zeros():
    mask = MaskLayer(GRID)
    pasted(mask, np.ones((10, 10), np.uint8), 0, 0)

    assert mask.read(-3, -2, 5, 4).tolist() == [[0] * 5, [0] * 5, [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]]


def test_an_absent_tile_reads_as_zeros_that_nobody_can_write():
    tile = MaskLayer(GRID).tile((5, 5))

    assert tile.shape == (MASK_TILE, MASK_TILE)
    assert not tile.any()
    with pytest.raises(ValueError, match="read-only"):
        tile[0, 0] = 1


def test_the_label_map_is_the_bounding_box_of_the_tiles_with_labels():
    mask = MaskLayer(GRID)
    assert mask.label_map() is None
    pasted(mask, np.full((1, 1), 4, np.uint8), 300, 40)
    pasted(mask, np.full((1, 1), 5, np.uint8), 800, 600)

    label_map = mask.label_map()

    assert (label_map.column, label_map.row) == (256, 0)
    assert label_map.labels.shape == (3 * 256, 3 * 256)
    assert label_map.labels[40, 300 - 256] == 4
    assert label_map.labels[600, 800 - 256] == 5
    assert (label_map.scale, label_map.mpp) == (2.0, 0.5)


def test_labels_and_where_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="where"):
        MaskLayer(GRID).paste(np.ones((2, 2), np.uint8), 0, 0, where=np.ones((1, 2), bool))
