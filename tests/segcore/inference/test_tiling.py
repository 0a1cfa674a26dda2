import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.inference.tiling import Lattice, Window, blend_window, blocks

lattices = st.builds(
    lambda stride, halo: Lattice(stride + 2 * halo, halo), st.integers(20, 60), st.integers(0, 10)
)
windows = st.builds(
    Window, st.integers(-90, 90), st.integers(-90, 90), st.integers(1, 120), st.integers(1, 120)
)


@settings(deadline=None, max_examples=60)
@given(lattices, windows)
def test_the_weights_of_covering_tiles_add_up_to_one_everywhere(lattice, window):
    total = np.zeros((window.height, window.width))
    weights = blend_window(lattice.tile, lattice.halo)
    for index in lattice.covering(window):
        outer = lattice.window(index)
        shared = outer.within(window)
        total[shared.slices_in(window)] += weights[shared.slices_in(outer)]

    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(lattices, windows)
def test_exactly_the_tiles_that_touch_the_window_cover_it(lattice, window):
    covering = set(lattice.covering(window))
    rows, columns = zip(*covering, strict=True)
    around = [
        (i, j)
        for i in range(min(rows) - 2, max(rows) + 3)
        for j in range(min(columns) - 2, max(columns) + 3)
    ]

    assert covering == {index for index in around if lattice.window(index).within(window)}


@settings(deadline=None, max_examples=40)
@given(windows, st.integers(1, 70))
def test_blocks_tile_the_window_without_overlap(window, size):
    count = np.zeros((window.height, window.width), int)
    for block in blocks(window, size):
        assert block
        count[block.slices_in(window)] += 1

    assert (count == 1).all()


def test_blocks_lie_on_the_grid_whatever_the_window():
    corners = {(b.column, b.row) for b in blocks(Window(-5, 3, 40, 40), 16)}

    assert {c for c, _ in corners} == {-5, 0, 16, 32}
    assert {r for _, r in corners} == {3, 16, 32}


def test_cores_of_neighbours_meet_without_gap():
    lattice = Lattice(64, 8)

    assert lattice.core((0, 0)) == Window(0, 0, 48, 48)
    assert lattice.core((0, 1)).column == lattice.core((0, 0)).right
    assert lattice.window((0, 1)).column == lattice.core((0, 1)).column - 8


def test_weights_are_symmetric_and_least_at_the_border():
    weights = blend_window(32, 6)

    assert np.array_equal(weights, weights.T)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-7)
    assert weights[16, 0] < 0.01
    assert weights[16, 16] == 1


@pytest.mark.parametrize("by", [0, 3])
def test_a_window_that_misses_another_is_false(by):
    assert not Window(0, 0, 4, 4).within(Window(4 + by, 0, 4, 4))
