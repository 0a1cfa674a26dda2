import numpy as np
import pytest

from segcore.slides.array import ArraySlide
from segcore.slides.mirroring import read_mirrored

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(("left", "top"), [(-10, -7), (30, 5), (5, 6), (-15, -5)])
def test_beyond_the_border_the_picture_is_mirrored(left, top):
    padded = np.pad(IMAGE, ((100, 100), (100, 100), (0, 0)), "symmetric")

    found = read_mirrored(ArraySlide(IMAGE), left=left, top=top, scale=1.0, width=45, height=50)

    assert np.array_equal(found, padded[100 + top : 150 + top, 100 + left : 145 + left])


def test_pixels_that_hang_over_the_border_mirror_those_that_do_not():
    found = read_mirrored(ArraySlide(IMAGE), left=-2.0, top=0.0, scale=4.0, width=18, height=4)
    inner = read_mirrored(ArraySlide(IMAGE), left=2.0, top=0.0, scale=4.0, width=14, height=4)

    assert np.array_equal(found[:, 1:15], inner)
    assert np.array_equal(found[:, 0], found[:, 1])
    assert np.array_equal(found[:, 15:], inner[:, ::-1][:, :3])


def test_far_from_the_slide_is_white():
    found = read_mirrored(ArraySlide(IMAGE), left=900, top=0, scale=1.0, width=8, height=8)

    assert (found == 255).all()
