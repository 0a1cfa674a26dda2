"""What is said before a run: of good tissue nothing, of each fault its own sentence."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from shapely.geometry import box

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.inference import check_region
from segcore.slides import ArraySlide, open_slide
from segcore.slides.preprocessing import StainRange
from tests.segcore.inference.painted import ColourBundle

# name, pixel size, a box of tissue: of what the network was trained for and of another laboratory
REAL = (
    ("bcss-1008-pyramid.tif", 0.25, (600, 400, 2600, 2000)),
    ("bcss-1015-pyramid.tif", 0.25, (600, 200, 2600, 1800)),
    ("CMU-1-Small-Region.svs", 0.5, (400, 400, 1800, 2400)),
)
BUNDLE = ColourBundle(tile=512, halo=48)


def names(concerns):
    return {each.name for each in concerns}


@pytest.fixture(params=REAL, ids=[name for name, _, _ in REAL])
def tissue(request, shared_data):
    """Return a box cut out of a real slide, as pixels, and its pixel size."""
    name, mpp, (left, top, right, bottom) = request.param
    with open_slide(shared_data / "slides" / name) as slide:
        return slide.read(left, top, 0, right - left, bottom - top), mpp


def check(pixels, mpp, bundle=BUNDLE, **region):
    slide = ArraySlide(np.ascontiguousarray(pixels), mpp=mpp)
    return check_region(slide, bundle, region.get("region", box(0, 0, *slide.dimensions)))


def test_real_tissue_in_focus_raises_no_concern(tissue):
    assert check(*tissue) == ()


@pytest.mark.parametrize("sigma", [2, 3])  # pixels of the model
def test_real_tissue_out_of_focus_is_called_blurred(tissue, sigma):
    pixels, mpp = tissue
    wide = sigma * 0.5 / mpp

    found = check(gaussian_filter(pixels, (wide, wide, 0)), mpp)

    assert "blur" in names(found)
    assert "out of focus" in found[0].sentence


@pytest.mark.parametrize("ink", [(20, 60, 160), (30, 120, 60), (60, 140, 200), (15, 15, 20)])
def test_a_pen_across_real_tissue_is_seen(tissue, ink):
    pixels, mpp = tissue
    picture = Image.fromarray(pixels)
    line = [(0, 0), (picture.width // 2, picture.height)]
    ImageDraw.Draw(picture).line(line, fill=ink, width=round(60 / mpp))

    assert "pen" in names(check(np.asarray(picture), mpp))


@pytest.mark.parametrize("order", [[1, 0, 2], [1, 2, 0]])
def test_real_tissue_in_other_colours_is_a_strange_stain(tissue, order):
    pixels, mpp = tissue

    strange = [each for each in check(pixels[..., order], mpp) if each.name == "stain"]

    assert strange[0].severity == "warning"


def test_a_frozen_section_far_bluer_than_the_training_data_is_told(shared_data):
    with open_slide(shared_data / "slides" / "her2st-C2-pyramid.tif") as slide:
        found = check_region(slide, BUNDLE, box(0, 0, *slide.dimensions))

    assert names(found) == {"pixel size", "stain"}  # 0.78 um per pixel; none of blur, blank, pen
    assert {each.severity for each in found} == {"caution"}


def test_fluorescence_is_no_haematoxylin_and_eosin(shared_data):
    with open_slide(shared_data / "slides" / "test3-DAPI-2-(387).ndpi") as slide:
        found = check_region(slide, BUNDLE, box(0, 0, *slide.dimensions))

    assert ("stain", "warning") in {(each.name, each.severity) for each in found}


def speckled(colour, height=600, width=700):
    noise = np.random.default_rng(0).integers(-3, 4, (height, width, 3))
    return (np.array(colour) + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("glass", [(255, 255, 255), (245, 243, 244), (222, 216, 226)])
def test_bare_glass_is_called_blank_and_nothing_else(glass):
    found = check(speckled(glass), 0.5)

    assert names(found) == {"blank"}
    assert "glass" in found[0].sentence


def test_glass_beside_tissue_is_blank_where_the_region_is(tissue):
    pixels, mpp = tissue
    pixels = pixels.copy()
    pixels[:, 700:] = speckled((240, 240, 240), len(pixels), pixels.shape[1] - 700)

    aside = check(pixels, mpp, region=box(750, 0, pixels.shape[1], len(pixels)))

    assert "blank" in names(aside)
    assert "blank" not in names(check(pixels, mpp, region=box(0, 0, 650, len(pixels))))


@pytest.mark.parametrize(("mpp", "severity"), [(0.75, "caution"), (1.5, "warning")])
def test_a_slide_coarser_than_the_model_is_told(mpp, severity):
    [found] = [each for each in check(speckled((180, 90, 150)), mpp) if each.name == "pixel size"]

    assert found.severity == severity
    assert "0.5" in found.sentence


def test_a_pixel_size_that_no_objective_has_is_told():
    slide = ArraySlide(speckled((180, 90, 150)), mpp=0.1, magnification=20)

    found = check_region(slide, BUNDLE, box(0, 0, 600, 600))

    assert "20×" in next(each.sentence for each in found if each.name == "pixel size")


def test_a_bundle_that_knows_its_own_stains_is_asked_for_them(tissue):
    own = StainRange(5, (0.5, 0.5, 0.0), ((0.01, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 0.01)))

    assert "stain" in names(check(*tissue, ColourBundle(tile=512, stain=own)))


def test_what_cannot_be_segmented_cannot_be_checked():
    with pytest.raises(PixelSizeMissingError):
        check(speckled((180, 90, 150)), None)
    with pytest.raises(RegionError, match="outside"):
        check(speckled((180, 90, 150)), 0.5, region=box(5000, 0, 6000, 10))
