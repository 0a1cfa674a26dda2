import numpy as np

from segcore.inference.cache import RunCache
from segcore.inference.tiles import TileSource
from segcore.inference.tiling import Lattice
from segcore.slides import ArraySlide
from tests.builders import ColourBundle


def source(pixels, *, tile=32, halo=8, scale=1.0):
    slide = ArraySlide(pixels, mpp=0.5)
    return TileSource(
        slide, ColourBundle(), Lattice(tile, halo), scale=scale, batch=1, cache=RunCache(0)
    )


def image_of(tiles, index):
    return next(tiles.stream([index]))[0].image


def test_beyond_a_cut_picture_a_tile_sees_its_mirror_image_not_glass():
    pixels = np.random.default_rng(0).integers(0, 200, (40, 50, 3), dtype=np.uint8)

    found = image_of(source(pixels), (0, 0))

    window = Lattice(32, 8).window((0, 0))
    rows = np.arange(window.row, window.bottom)
    columns = np.arange(window.column, window.right)
    mirrored = [np.where(at < 0, -1 - at, at) for at in (rows, columns)]
    assert window.row < 0  # the halo lies beyond the picture
    assert (found == pixels[np.ix_(*mirrored)]).all()


def test_a_picture_smaller_than_the_halo_fills_its_tile():
    pixels = np.random.default_rng(1).integers(0, 200, (5, 3, 3), dtype=np.uint8)

    found = image_of(source(pixels), (0, 0))

    assert found.shape == (32, 32, 3)
    assert found.max() < 200


def test_a_tile_that_no_part_of_the_slide_touches_is_glass():
    pixels = np.zeros((40, 50, 3), np.uint8)

    assert (image_of(source(pixels), (9, 9)) == 255).all()
