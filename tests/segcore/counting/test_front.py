import math

import numpy as np
import pytest

from segcore.counting import front_length
from segcore.counting.front import STRIP


def disc(radius, *, size=None):
    size = size or 2 * radius + 60
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(x, y) < radius


def half_plane(degrees, size=400):
    """Return the pixels on one side of a line through the middle, and the line's length within the square."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle = math.radians(degrees)
    side = x * math.cos(angle) + y * math.sin(angle) > 0
    steep = max(abs(math.cos(angle)), abs(math.sin(angle)))
    return side, (size - 1) / steep


@pytest.mark.parametrize("radius", [20, 60, 200])
def test_the_front_of_a_round_nest_is_its_circumference(radius):
    nest = disc(radius)

    length = front_length(nest, ~nest, mpp=0.5)

    assert length == pytest.approx(2 * math.pi * radius * 0.5 / 1000, rel=0.025)


@pytest.mark.parametrize("degrees", [0, 10, 26.6, 45, 70, 90])
def test_a_straight_front_is_as_long_whichever_way_it_runs(degrees):
    tumor, pixels = half_plane(degrees)

    # Counting pixel edges would give up to 1.41 times as much.
    assert front_length(tumor, ~tumor, mpp=1.0) == pytest.approx(pixels / 1000, rel=0.01)


def test_the_pixel_size_scales_the_length_and_nothing_else():
    nest = disc(150)

    fine, coarse = (
        front_length(nest, ~nest, mpp=0.25),
        front_length(nest[::2, ::2], ~nest[::2, ::2], mpp=0.5),
    )

    assert fine == pytest.approx(coarse, rel=0.01)


def test_only_where_stroma_meets_tumor_is_there_a_front():
    tumor, pixels = half_plane(0)
    upper = np.arange(400)[:, None] < 200
    stroma = ~tumor & upper  # below, the tumor ends at glass

    assert front_length(tumor, stroma, mpp=1.0) == pytest.approx(pixels / 2000, rel=0.02)
    assert front_length(tumor, np.zeros_like(tumor), mpp=1.0) == 0
    assert front_length(np.zeros_like(tumor), stroma, mpp=1.0) == 0


def test_a_front_across_strips_is_measured_once():
    tumor = np.zeros((2 * STRIP + 100, 64), bool)
    tumor[:, 32:] = True

    assert front_length(tumor, ~tumor, mpp=1.0) == pytest.approx((len(tumor) - 1) / 1000, rel=1e-6)


def test_a_single_pixel_is_a_speck_not_a_front():
    speck = np.zeros((50, 50), bool)
    speck[25, 25] = True

    assert front_length(speck, ~speck, mpp=0.5) == 0


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 50), (2, 2)])
def test_masks_too_small_for_a_line_have_none(shape):
    tumor = np.zeros(shape, bool)
    tumor[:1, :1] = True

    assert front_length(tumor, ~tumor, mpp=1.0) < 0.003
