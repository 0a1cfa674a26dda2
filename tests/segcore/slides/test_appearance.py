"""How a stain looks, in three figures; checked on pictures whose densities are known."""

import msgspec
import numpy as np
import pytest

from segcore.slides.preprocessing import StainRange, appearance, stain_range

EVEN = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def picture(red, green, blue, size=64):
    """Return a picture of one optical density in each channel, with I0 = 240."""
    colour = 240 * np.exp(-np.array([red, green, blue])) - 1
    return np.broadcast_to(np.rint(colour).astype(np.uint8), (size, size, 3)).copy()


def test_the_figures_are_logarithms_of_the_densities_quotients():
    found = appearance(picture(0.6, 1.2, 0.9), 2.0)

    np.testing.assert_allclose(found, np.log([0.5, 0.75, 0.9]), atol=0.01)


def test_glass_around_the_tissue_does_not_count():
    half = picture(0.6, 1.2, 0.9)
    half[:32] = 240

    np.testing.assert_allclose(
        appearance(half, 2.0), appearance(picture(0.6, 1.2, 0.9), 2.0), atol=0.03
    )
    assert appearance(np.full((64, 64, 3), 240, np.uint8), 2.0) is None


def test_magnification_hardly_matters():
    grain = np.random.default_rng(0).integers(90, 110, (256, 256, 3)).astype(np.uint8)
    large = grain.repeat(4, 0).repeat(4, 1)

    np.testing.assert_allclose(appearance(grain, 2.0), appearance(large, 0.5), atol=0.02)


def test_the_distance_is_in_standard_deviations_along_each_axis():
    known = StainRange(9, (0.0, 1.0, 2.0), ((4.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.25)))

    assert known.distance(np.array([0.0, 1.0, 2.0])) == 0
    assert known.distance(np.array([6.0, 1.0, 2.0])) == pytest.approx(3)
    assert known.distance(np.array([0.0, 1.0, 3.0])) == pytest.approx(2)


def test_a_range_is_the_mean_and_the_covariance_of_its_pictures():
    values = np.random.default_rng(1).normal(size=(40, 3))

    found = stain_range(list(values))

    assert found.pictures == 40
    np.testing.assert_allclose(found.mean, values.mean(0), atol=1e-4)
    np.testing.assert_allclose(found.covariance, np.cov(values.T), atol=1e-4)
    again = msgspec.json.decode(msgspec.json.encode(found), type=StainRange)
    assert again == found


def test_sources_can_count_alike():
    many = np.random.default_rng(2).normal(size=(30, 3))
    few = np.random.default_rng(3).normal(5, 1, size=(3, 3))

    found = stain_range([*many, *few], [1 / 30] * 30 + [1 / 3] * 3)

    np.testing.assert_allclose(found.mean, (many.mean(0) + few.mean(0)) / 2, atol=1e-4)


def test_a_covariance_that_is_none_is_refused():
    with pytest.raises(ValueError, match="positive"):
        StainRange(3, (0.0, 0.0, 0.0), ((1.0, 2.0, 0.0), (2.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    assert StainRange(3, (0.0, 0.0, 0.0), EVEN)
