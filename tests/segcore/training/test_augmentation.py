import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.training.augmentation import augment, cut, jitter_stain, turn


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

    first, second = (augment(image, codes, np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(np.bincount(first[1].ravel()), np.bincount(codes.ravel()))
