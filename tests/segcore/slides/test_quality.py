"""Blur and pens, on pictures whose answer is known by construction."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from segcore.slides.quality import pen_marks, sharpness


def grain(contrast=60, seed=0):
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(128, 128)), 0.8)
    grey = 130 + contrast * noise / noise.std()
    return np.stack([grey, grey - 40, grey], -1).clip(0, 255).astype(np.uint8)


def test_sharpness_falls_with_every_step_of_blur():
    values = [sharpness(gaussian_filter(grain(), (s, s, 0))) for s in (0, 1, 2, 4)]

    assert values == sorted(values, reverse=True)


def test_sharpness_does_not_depend_on_contrast():
    assert sharpness(grain(10)) == pytest.approx(sharpness(grain(40)), abs=0.2)


def test_glass_has_no_sharpness():
    assert sharpness(np.full((64, 64, 3), 240, np.uint8)) is None


@pytest.mark.parametrize("ink", [(20, 60, 160), (30, 120, 60), (10, 10, 10)])
def test_inks_are_pen(ink):
    assert pen_marks(np.full((4, 4, 3), ink, np.uint8)).all()


@pytest.mark.parametrize(
    "tissue", [(110, 50, 140), (230, 150, 190), (90, 60, 150), (200, 40, 60), (245, 243, 244)]
)
def test_haematoxylin_eosin_blood_and_glass_are_not_pen(tissue):
    assert not pen_marks(np.full((4, 4, 3), tissue, np.uint8)).any()
