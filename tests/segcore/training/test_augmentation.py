import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.training.augmentation import (
    augment,
    change_focus,
    compress,
    cut,
    jitter_colour,
    jitter_response,
    jitter_stain,
    mix,
    turn,
)
from segcore.training.recipe import Augmentation

NOTHING = Augmentation(
    scale=(1.0, 1.0), quarter_turns=False, flips=False, stain=0.0, contrast=0.0, brightness=0.0,
    blur_odds=0.0,
)  # fmt: skip


def picture(height=40, width=60, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(1, 6, (height, width), dtype=np.uint8)
    return np.repeat(codes[..., None] * np.uint8(40), 3, axis=2), codes


@pytest.mark.parametrize("way", range(8))
def test_mask_and_picture_turn_together(way):
    image, codes = turn(*picture(30, 30), way)

    assert np.array_equal(image[..., 0], codes * 40)


def test_the_eight_ways_are_all_different():
    assert len({turn(*picture(9, 9), way)[1].tobytes() for way in range(8)}) == 8


@settings(deadline=None, max_examples=40)
@given(st.integers(-20, 80), st.integers(-20, 80), st.integers(8, 90), st.floats(0.75, 1.25))
def test_a_crop_has_its_size_and_picture_and_mask_agree_where_it_is_labelled(
    row, column, size, scale
):
    image, codes = picture()

    crop, mask = cut(image, codes, centre=(row, column), size=size, scale=scale)

    assert crop.shape == (size, size, 3)
    assert mask.shape == (size, size)
    assert set(np.unique(mask)) <= set(range(6))


def test_a_crop_at_scale_one_is_the_picture_itself():
    image, codes = picture()

    crop, mask = cut(image, codes, centre=(20, 30), size=16, scale=1.0)

    assert np.array_equal(crop, image[12:28, 22:38])
    assert np.array_equal(mask, codes[12:28, 22:38])


def test_beyond_a_small_picture_the_crop_is_mirrored_and_unlabelled():
    image, codes = picture(10, 10)

    crop, mask = cut(image, codes, centre=(5, 5), size=20, scale=1.0)

    assert np.array_equal(mask[5:15, 5:15], codes)
    assert not mask[:5].any()
    assert np.array_equal(crop[4, 5:15], image[0])
    assert np.array_equal(crop[0, 5:15], image[4])


def test_without_strength_stain_jitter_changes_nothing():
    image, _ = picture()

    same = jitter_stain(image, np.random.default_rng(0), strength=0.0)

    np.testing.assert_allclose(same, image, atol=0.05)


def test_stain_jitter_leaves_glass_bright_and_tissue_darker_than_glass():
    image = np.full((4, 4, 3), 250, np.uint8)
    image[:2] = (150, 60, 130)
    for seed in range(20):
        changed = jitter_stain(image, np.random.default_rng(seed))
        assert changed[2:].mean() > 200
        assert changed[:2].mean() < changed[2:].mean()


def test_augmentation_is_repeatable_and_keeps_every_label():
    image, codes = picture(32, 32)

    first, second = (
        augment(image, codes, np.random.default_rng(7), Augmentation()) for _ in range(2)
    )

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(np.bincount(first[1].ravel()), np.bincount(codes.ravel()))


def test_without_any_strength_nothing_changes_but_rounding():
    image, codes = picture(32, 32)

    same, mask = augment(image, codes, np.random.default_rng(3), NOTHING)

    assert np.array_equal(mask, codes)
    assert np.abs(same.astype(int) - image).max() <= 1


@pytest.mark.parametrize("angle", [90, -90, 180])
def test_a_rotated_crop_is_the_rotated_picture(angle):
    image, codes = picture(41, 41)

    crop, mask = cut(image, codes, centre=(20, 20), size=20, scale=1.0, angle=angle)
    straight, upright = cut(image, codes, centre=(20, 20), size=20, scale=1.0)

    assert np.array_equal(crop, np.rot90(straight, angle // 90))
    assert np.array_equal(mask, np.rot90(upright, angle // 90))


def test_a_crop_at_any_angle_shows_tissue_to_its_corners():
    image, codes = picture(200, 200)
    for angle in (10, 33, 45, 77):
        crop, mask = cut(image, codes, centre=(100, 100), size=64, scale=1.0, angle=angle)

        assert mask.all()
        assert crop.any(-1).all()


def test_hue_turns_colours_and_leaves_grey_alone():
    grey = np.full((2, 2, 3), 90, np.float32)
    red = np.full((2, 2, 3), (200, 60, 60), np.float32)
    rng = np.random.default_rng(0)

    assert np.allclose(jitter_colour(grey, rng, saturation=0.5, hue=180), 90, atol=1e-3)
    changed = jitter_colour(red, rng, saturation=0.0, hue=180)
    assert not np.allclose(changed, red, atol=5)
    assert np.allclose(changed.mean(-1), red.mean(-1), atol=20)


def test_saturation_zero_is_grey():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (4, 4, 3)).astype(np.float32)

    class Least:
        def uniform(self, low, _high):
            return low

    grey = jitter_colour(image, Least(), saturation=1.0, hue=0.0)

    assert np.ptp(grey, axis=-1).max() < 1e-3


@pytest.mark.parametrize("kind", ["blur_odds", "sharpen_odds", "coarse_odds"])
def test_an_even_picture_stays_even_whatever_its_focus(kind):
    even = np.full((32, 32, 3), 130, np.float32)
    how = msgspec.structs.replace(NOTHING, **{kind: 1.0})

    for seed in range(10):
        assert np.ptp(change_focus(even, np.random.default_rng(seed), how)) < 1


def test_blurred_and_coarse_pictures_have_less_contrast_and_sharpened_ones_more():
    image = np.random.default_rng(0).uniform(60, 200, (32, 32, 3)).astype(np.float32)
    spreads = {
        kind: change_focus(
            image, np.random.default_rng(1), msgspec.structs.replace(NOTHING, **{kind: 1.0})
        ).std()
        for kind in ("blur_odds", "sharpen_odds", "coarse_odds")
    }

    assert max(spreads["blur_odds"], spreads["coarse_odds"]) < image.std() < spreads["sharpen_odds"]


def test_compression_keeps_the_size_and_about_the_picture():
    smooth = np.kron(np.random.default_rng(3).integers(60, 220, (4, 4, 3)), np.ones((8, 8, 1)))

    packed = compress(smooth.astype(np.uint8), np.random.default_rng(0))

    assert packed.shape == smooth.shape
    assert 0 < np.abs(packed.astype(int) - smooth).mean() < 25


def test_tint_and_gamma_leave_black_and_order_alone():
    steps = np.repeat(np.arange(0, 200, 10, dtype=np.float32)[:, None, None], 3, axis=2)
    for seed in range(10):
        changed = jitter_response(steps, np.random.default_rng(seed), tint=0.04, gamma=0.2)
        assert (changed[0] == 0).all()
        assert (np.diff(changed, axis=0) > 0).all()


def test_a_mixture_shows_both_crops_each_under_its_own_label():
    first = np.full((64, 64, 3), 40, np.uint8), np.full((64, 64), 1, np.uint8)
    second = np.full((64, 64, 3), 80, np.uint8), np.full((64, 64), 2, np.uint8)

    image, codes = mix(first, second, np.random.default_rng(1))

    assert set(np.unique(codes)) == {0, 1, 2}
    assert (image[codes == 1] == 40).all()
    assert (image[codes == 2] == 80).all()
    assert (codes == 0).mean() < 0.3
