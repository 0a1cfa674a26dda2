import numpy as np
import pytest

from viewer.rendering.adjustment import Adjustment


def bgra(*colours):
    return np.array([[[blue, green, red, 255] for red, green, blue in colours]], np.uint8)


def rgb(pixels):
    return pixels[0, :, 2::-1].astype(int)


def test_nothing_asked_changes_nothing():
    ramp = bgra(*[(v, 255 - v, v // 2) for v in range(256)])

    assert Adjustment().changes_nothing
    assert (Adjustment().applied(ramp) == ramp).all()


def test_brightness_adds_contrast_spreads_about_the_middle_gamma_lifts_the_dark():
    grey = bgra((0, 0, 0), (51, 51, 51), (128, 128, 128), (255, 255, 255))

    assert rgb(Adjustment(brightness=0.2).applied(grey))[:, 0].tolist() == [51, 102, 179, 255]
    spread = rgb(Adjustment(contrast=0.5).applied(grey))[:, 0]
    assert spread[1] == 0  # slope 1 + sqrt 2: (0.2 - 0.5) * 2.414 + 0.5 < 0
    assert abs(spread[2] - 128) <= 1
    lifted = rgb(Adjustment(gamma=2).applied(grey))[:, 0]
    assert lifted[1] == round(255 * (51 / 255) ** 0.5)


def test_a_stain_view_shows_its_own_stain_and_hides_the_other():
    haematoxylin = tuple(round(255 * np.exp(-v)) for v in (0.651, 0.701, 0.290))
    eosin = tuple(round(255 * np.exp(-v)) for v in (0.216, 0.801, 0.558))
    both = bgra(haematoxylin, eosin, (255, 255, 255))

    blue = rgb(Adjustment(stain="haematoxylin").applied(both))
    pink = rgb(Adjustment(stain="eosin").applied(both))

    assert blue[0] == pytest.approx(haematoxylin, abs=8)  # six bits of each colour
    assert blue[1].min() > 235
    assert pink[1] == pytest.approx(eosin, abs=8)
    assert pink[0].min() > 235
    assert min(blue[2].min(), pink[2].min()) > 245
