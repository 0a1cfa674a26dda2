import numpy as np
import pytest

from segcore.slides.preprocessing import REFERENCE, Stains
from segcore.slides.preprocessing.stains import amounts, transmitted
from segcore.training.augmentation import change_stain
from segcore.training.recipe import Augmentation
from segcore.training.restaining import Restaining, restain, usable_stains

BLUE = Stains((0.75, 0.60, 0.20), (0.20, 0.85, 0.45), (1.2, 1.6))


def stained(stains, height=24, width=24):
    """A picture of which every pixel is a mixture of the two stains."""
    rng = np.random.default_rng(3)
    content = rng.uniform(0.1, 0.8, (height, width, 2)) * np.array(stains.strengths)
    return transmitted(content @ stains.matrix).round().astype(np.uint8)


def misfit(picture, stains):
    """How far a picture is from the nearest mixture of two stains, in grey values."""
    fitted = transmitted(amounts(picture, stains) @ stains.matrix)
    return float(np.abs(fitted - np.clip(picture, 0, 255)).mean())


def test_restaining_moves_the_stains_towards_the_others():
    image = stained(REFERENCE)
    changed = [
        restain(image, Restaining(REFERENCE, [BLUE]), np.random.default_rng(seed))
        for seed in range(20)
    ]

    assert sum(misfit(c, BLUE) for c in changed) < sum(misfit(c, REFERENCE) for c in changed)


def test_restaining_leaves_glass_bright():
    glass = np.full((4, 4, 3), 250, np.uint8)
    for seed in range(20):
        changed = restain(glass, Restaining(REFERENCE, [BLUE]), np.random.default_rng(seed))
        assert changed.mean() > 230


def test_a_picture_of_two_stains_has_them():
    found = usable_stains(stained(BLUE, 80, 80))

    assert found is not None
    assert misfit(stained(BLUE), found) < 2


@pytest.mark.parametrize("colour", [(245, 245, 245), (120, 60, 140)])
def test_a_picture_of_one_colour_has_no_stains(colour):
    assert usable_stains(np.full((40, 40, 3), colour, np.uint8)) is None


def test_what_is_not_to_be_restained_is_as_if_nothing_were_known_of_other_stains():
    image, how = stained(REFERENCE), Augmentation()
    one, other = (
        change_stain(image, np.random.default_rng(4), how, restaining)
        for restaining in (None, Restaining(REFERENCE, [BLUE]))
    )

    assert np.array_equal(one, other)
