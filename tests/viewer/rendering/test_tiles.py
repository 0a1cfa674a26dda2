from hypothesis import given
from hypothesis import strategies as st

from viewer.rendering.tiles import TILE, TileCache, TileGrid, TileKey
from viewer.rendering.viewport import Viewport


def test_the_coarsest_level_shows_the_whole_slide_in_one_tile():
    grid = TileGrid(100_000, 80_000)

    assert TILE * 2**grid.coarsest >= 100_000
    assert TILE * 2 ** (grid.coarsest - 1) < 100_000


def test_the_tile_nearest_to_the_centre_comes_first():
    grid = TileGrid(10_000, 10_000)

    first = grid.covering(Viewport(5_300, 2_700, 4.0, 1000, 800), 0)[0]

    assert first == TileKey(0, 5_300 // TILE, 2_700 // TILE)


@given(st.floats(0, 9000), st.floats(0, 7000), st.floats(0.05, 40), st.integers(0, 5))
def test_every_visible_point_of_the_slide_is_in_a_needed_tile(x, y, scale, zoom):
    grid = TileGrid(9000, 7000)
    view = Viewport(x, y, scale, 640, 480)
    keys = set(grid.covering(view, zoom))
    left, top, right, bottom = view.visible

    for px in (max(left, 0), min(right, 8999.9)):
        for py in (max(top, 0), min(bottom, 6999.9)):
            extent = TILE * 2**zoom
            assert TileKey(zoom, int(px // extent), int(py // extent)) in keys


def test_the_level_read_is_never_more_than_a_step_from_the_screen():
    grid = TileGrid(100_000, 100_000)

    for scale in (1.0, 1.9, 2.0, 3.7, 8.0, 60.0):
        pixel = 2 ** grid.zoom_for(scale)
        assert pixel <= scale * 1.2
        assert pixel * 2 > scale * 0.84


def test_children_lie_within_their_parent():
    key = TileKey(3, 5, 7)

    assert {child.parent for child in key.children} == {key}
    assert len(set(key.children)) == 4


def test_the_cache_keeps_what_was_used_last_within_its_budget():
    cache = TileCache(budget=30, size_of=len)
    keys = [TileKey(0, i, 0) for i in range(4)]
    for key in keys[:3]:
        cache.put(key, b"x" * 10)
    cache.get(keys[0])

    cache.put(keys[3], b"x" * 10)

    assert keys[1] not in cache
    assert keys[0] in cache
    assert cache.bytes == 30


def test_putting_a_tile_again_does_not_count_it_twice():
    cache = TileCache(budget=100, size_of=len)
    cache.put(TileKey(0, 0, 0), b"x" * 10)
    cache.put(TileKey(0, 0, 0), b"x" * 30)

    assert cache.bytes == 30
