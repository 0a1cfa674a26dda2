import numpy as np
import pytest
import torch
from shapely.geometry import Polygon, box

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.explain import robustness_map, uncertainty_map
from segcore.explain.robustness import flips, restained, stain_changes, turned, turned_back
from segcore.models import Bundle
from segcore.progress import Cancelled
from segcore.slides.array import ArraySlide
from segcore.slides.preprocessing.stains import REFERENCE, optical_density
from tests.segcore.cards import card
from tests.segcore.explain.networks import Constant, answering, darkness_bundle


def grey(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_uncertainty_of_even_odds_is_one_bit_of_log2_of_the_classes():
    network = Constant(9.0, 9.0, -90.0)
    bundle = Bundle(card(classes=("Tumor", "Stroma", "Other")), network, torch.device("cpu"))

    heat = uncertainty_map(ArraySlide(grey(152, 172), mpp=0.5), bundle, box(0, 0, 172, 152))

    assert heat.values.shape == (38, 43)  # cells of four pixels
    assert heat.values == pytest.approx(np.full((38, 43), 1 / np.log2(3)))
    assert heat.values[0, 0] * heat.one == pytest.approx(1)
    assert heat.unit == "bits"


def test_the_cards_temperature_is_taken_unless_another_is_given():
    slide, region = ArraySlide(grey(64, 64), mpp=0.5), box(0, 0, 64, 64)

    plain = uncertainty_map(slide, darkness_bundle(6.0), region)
    by_card = uncertainty_map(slide, darkness_bundle(6.0, temperature=2.0), region)
    half_as_steep = uncertainty_map(slide, darkness_bundle(3.0), region)
    cold = uncertainty_map(slide, darkness_bundle(6.0, temperature=2.0), region, temperature=1.0)

    np.testing.assert_allclose(by_card.values, half_as_steep.values, atol=1e-4)
    np.testing.assert_allclose(cold.values, plain.values, atol=1e-6)


@pytest.mark.parametrize("map_of", [uncertainty_map, robustness_map])
def test_maps_of_a_pixelwise_answer_have_no_seams(map_of):
    slide = ArraySlide(grey(140, 130), mpp=0.5)
    small, large = (darkness_bundle(2.0, tile=tile, halo=8) for tile in (64, 256))

    one, other = (map_of(slide, bundle, box(0, 0, 130, 140)) for bundle in (small, large))

    assert one.bounds == other.bounds
    np.testing.assert_allclose(one.values, other.values, atol=1e-5)


def test_a_map_ends_with_the_region():
    heat = uncertainty_map(
        ArraySlide(grey(256, 256), mpp=0.5),
        darkness_bundle(),
        Polygon([(0, 0), (256, 0), (0, 256)]),
    )

    assert np.isfinite(heat.at(20, 20))
    assert np.isnan(heat.at(250, 250))
    assert np.isnan(heat.at(-5, 20))


@pytest.mark.parametrize("way", range(8))
def test_each_of_eight_ways_is_turned_back(way):
    picture = grey(6, 6)

    assert np.array_equal(turned_back(turned(picture, way), way), picture)
    assert len({turned(picture, other).tobytes() for other in range(8)}) == 8


def test_other_stains_leave_glass_alone_and_change_the_stains():
    changes = stain_changes(5, seed=3)
    glass = np.full((4, 4, 3), 239, np.uint8)
    haematoxylin = np.array(REFERENCE.haematoxylin)

    assert all(np.array_equal(restained(glass, change), glass) for change in changes)
    assert (
        np.abs(np.einsum("c,vcd->vd", haematoxylin, changes) - haematoxylin).min(axis=0).max() > 0
    )
    third = np.cross(REFERENCE.haematoxylin, REFERENCE.eosin)
    for change in changes:
        np.testing.assert_allclose(third @ change, third, atol=1e-12)


def test_restaining_multiplies_optical_density():
    picture = grey(8, 8) // 2 + 60
    change = np.diag([1.1, 0.9, 1.2])

    found = optical_density(restained(picture, change).astype(np.float32))

    expected = optical_density(picture.astype(np.float32)) @ change
    np.testing.assert_allclose(found, np.maximum(expected, -0.065), atol=0.03)


def test_what_is_far_from_the_border_of_two_classes_never_flips():
    picture = np.full((64, 64, 3), 250, np.uint8)
    picture[:, 32:] = 20  # far darker than the border at 127
    changes = stain_changes(8, seed=0)

    assert not flips(darkness_bundle(), picture, changes).any()


def test_what_looks_the_other_way_flips_in_the_views_that_turn_it():
    def leftmost(picture):
        """Call "Tumor" what has a darker right neighbour, which is a matter of the way up."""
        rising = np.roll(picture[..., 0].astype(int), -1, axis=1) < picture[..., 0]
        return np.stack([rising, ~rising])

    ramp = np.tile(np.arange(250, 186, -1, dtype=np.uint8), (64, 1))[..., None].repeat(3, 2)
    unchanged = np.tile(np.eye(3), (8, 1, 1))

    found = flips(answering(leftmost, classes=("Tumor", "Stroma")), ramp, unchanged)

    # Of the eight ways two keep left on the left: as it is, and upside down in a mirror.
    assert np.all(found[1:-1, 1:-1] == 6 / 8)


def test_robustness_is_drawn_from_the_seed():
    slide, bundle = ArraySlide(grey(64, 64), mpp=0.5), darkness_bundle()

    first, again, other = (
        robustness_map(slide, bundle, box(0, 0, 64, 64), views=3, seed=seed).values
        for seed in (1, 1, 2)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0 < first.max() <= 1


@pytest.mark.parametrize("map_of", [uncertainty_map, robustness_map])
def test_maps_are_cancelled_between_tiles_and_told_what_is_missing(map_of):
    def cancel(fraction, text=""):
        if fraction > 0.3:
            raise Cancelled

    slide = ArraySlide(grey(130, 130), mpp=0.5)
    with pytest.raises(Cancelled):
        map_of(slide, darkness_bundle(), box(0, 0, 130, 130), report=cancel)
    with pytest.raises(RegionError, match="empty"):
        map_of(slide, darkness_bundle(), Polygon())
    with pytest.raises(RegionError, match="smaller than a cell"):
        map_of(slide, darkness_bundle(), box(0, 0, 1, 1))
    with pytest.raises(PixelSizeMissingError):
        map_of(ArraySlide(grey(64, 64)), darkness_bundle(), box(0, 0, 64, 64))
