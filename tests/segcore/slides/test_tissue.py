"""Where a slide has tissue."""

import numpy as np
import pytest

from segcore.slides import ArraySlide, open_slide
from segcore.slides.tissue import Tissue, find_tissue, tissue_mask
from tests.segcore.data.trees import fields


@pytest.mark.parametrize("glass", [(255, 255, 255), (245, 243, 244), (222, 216, 226)])
def test_tissue_is_found_on_any_glass(glass):
    pixels = fields()
    bare = (pixels == (245, 243, 244)).all(axis=2)
    pixels[bare] = glass
    noise = np.random.default_rng(1).integers(-2, 3, pixels.shape)
    found = tissue_mask(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    assert found[~bare].mean() > 0.99
    assert found[bare].mean() < 0.02


def test_a_picture_of_tissue_alone_is_tissue():
    assert tissue_mask(fields()[80:430, 80:430]).mean() > 0.99


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_single_grey_is_no_tissue(grey):
    assert not tissue_mask(np.full((20, 30, 3), grey, np.uint8)).any()


def test_a_window_takes_the_nearest_pixels_of_the_map_and_nothing_beyond_it():
    tissue = Tissue(np.array([[True, False], [False, True]]), scale=4.0)
    window = tissue.window(left=-2, top=0, scale=2.0, width=6, height=4)
    assert window.astype(int).tolist() == [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 1, 1, 0],
    ]


def test_the_map_covers_the_slide():
    slide = ArraySlide(fields(), mpp=0.5)
    tissue = find_tissue(slide, 0.5)
    assert tissue.scale == 16
    whole = tissue.window(left=0, top=0, scale=1.0, width=512, height=512)
    expected = np.zeros((512, 512), bool)
    expected[64:448, 64:448] = True
    assert (whole == expected).mean() > 0.97


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("CMU-1-Small-Region.svs", 0.3, 0.45),
        ("her2st-C2-pyramid.tif", 0.1, 0.25),
        ("bcss-1008-pyramid.tif", 0.99, 1.0),
        ("camelyon-jpeg.dcm", 0.15, 0.3),  # lavender glass
    ],
)
def test_real_slides_have_as_much_tissue_as_is_seen(shared_data, name, least, most):
    with open_slide(shared_data / "slides" / name) as slide:
        assert least <= find_tissue(slide, slide.mpp or 0.25).mask.mean() <= most
