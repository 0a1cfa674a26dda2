import json

import numpy as np
import pytest
from shapely.geometry import box

from segcore.errors import RegionError
from segcore.explain import RegionHeat, check_map, explain_region
from segcore.explain.readout import off_tissue
from segcore.progress import Cancelled
from segcore.slides.array import ArraySlide
from tests.segcore.explain.networks import answering, darkness_bundle


def half_tissue(side=512):
    """Return a slide of 0.5 um per pixel, its left half stained, its right half bare glass."""
    image = np.full((side, side, 3), 244, np.uint8)
    image[:, : side // 2] = (150, 60, 140)
    return ArraySlide(image, mpp=0.5)


def flat(left, right, class_name="Tumor", side=512):
    values = np.full((32, 32), left, np.float32)
    values[:, 16:] = right
    return RegionHeat(values, (0.0, 0.0, side, side), "shap", class_name)


@pytest.mark.parametrize(
    ("left", "right", "off"), [(1, 1, 0.5), (1, 0, 0), (0, 1, 1), (0.6, 0.2, 0.25), (-1, -1, 0)]
)
def test_the_share_on_bare_glass_is_that_of_what_speaks_for_the_class(left, right, off):
    assert off_tissue(half_tissue(), flat(left, right)) == pytest.approx((off, 0.5), abs=0.04)


def test_attention_on_glass_is_flagged_but_not_for_the_class_of_glass():
    slide, bundle = half_tissue(), darkness_bundle(tile=256)
    glass = answering(
        lambda picture: np.stack([picture[..., 1] < 128, picture[..., 1] >= 128]),
        ("Tumor", "Other"),
        tile=256,
    )

    told = check_map(slide, bundle, flat(0.0, 1.0), controls=1)
    other = check_map(slide, glass, flat(0.0, 1.0, "Other"), controls=1)

    assert any("bare glass" in sentence for sentence in told.flags)
    assert not any("bare glass" in sentence for sentence in other.flags)


def test_the_map_of_a_network_that_sees_darkness_stands_the_check():
    rng = np.random.default_rng(0)
    image = rng.integers(150, 250, (300, 300, 3), dtype=np.uint8)
    image[40:140, 60:160] //= 6
    slide, bundle = ArraySlide(image, mpp=0.5), darkness_bundle(tile=256)
    heat = explain_region(slide, bundle, box(0, 0, 300, 300), 0, method="shap", samples=2)

    found = check_map(slide, bundle, heat, windows=1)

    assert found.deletion.gain > 0.1
    assert found.deletion.beaten == 1
    assert found.infidelity < 0.1
    assert found.windows == 1
    assert "do not rely" not in " ".join(found.flags)


def test_the_readout_is_repeatable_and_goes_into_json():
    slide, bundle = half_tissue(), darkness_bundle(tile=256)

    first, again = (check_map(slide, bundle, flat(1.0, 0.1), controls=2, seed=4) for _ in range(2))

    assert first.to_json() == again.to_json()
    assert (
        json.loads(json.dumps(first.to_json(), allow_nan=False))["note"]
        == "Attention, not diagnosis"
    )
    assert len(first.deletion.by_chance) == 2


def test_a_map_against_its_network_is_flagged():
    slide = half_tissue()

    found = check_map(slide, darkness_bundle(100.0, tile=256), flat(-1.0, 1.0), windows=1)

    assert any("do not rely" in sentence for sentence in found.flags)


def test_a_map_without_numbers_cannot_be_checked():
    with pytest.raises(RegionError, match="no number"):
        check_map(half_tissue(), darkness_bundle(tile=256), flat(np.nan, np.nan))


def test_a_check_is_cancelled_between_pictures():
    calls = []

    def cancel(fraction, text=""):
        calls.append(fraction)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        check_map(half_tissue(), darkness_bundle(tile=256), flat(1.0, 0.0), report=cancel)
