import numpy as np
import pytest
import torch
from captum.metrics import infidelity as captum_infidelity

from segcore.explain.faithfulness import BLOCK, deletion, in_blocks, infidelity, unforetold
from tests.segcore.explain.networks import darkness_bundle

SIDE = 8 * BLOCK


def patch():
    """Return glass with a dark patch of 16 of the 64 blocks, and the exact map of a network that sees darkness."""
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    picture[: 4 * BLOCK, : 4 * BLOCK] = 0
    return picture, (255 - picture[..., 0].astype(np.float32)) / 255


def test_taking_away_the_right_places_first_beats_chance():
    picture, heat = patch()

    found = deletion(darkness_bundle(100.0), picture, heat, 0)

    # An eighth of the blocks is half of the patch; after two eighths nothing of the class is left.
    assert found.by_map == pytest.approx((1, 0.5, 0, 0, 0, 0, 0, 0, 0), abs=1e-6)
    assert found.area == pytest.approx((0.75 + 0.25) / 8)
    assert found.gain > 0.2
    assert found.beaten == 1


def test_taking_away_the_wrong_places_first_loses_to_chance():
    picture, heat = patch()

    found = deletion(darkness_bundle(100.0), picture, -heat, 0)

    assert found.by_map == pytest.approx((1, 1, 1, 1, 1, 1, 1, 0.5, 0), abs=1e-6)
    assert found.gain < -0.2
    assert found.beaten == 0


def test_a_map_that_says_nothing_is_as_good_as_chance():
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 2, (SIDE, SIDE, 1), dtype=np.uint8).repeat(3, axis=2) * 255

    found = deletion(darkness_bundle(), picture, rng.random((SIDE, SIDE)).astype(np.float32), 0)

    assert abs(found.gain) < 0.02


def test_the_controls_are_drawn_from_the_seed():
    picture, heat = patch()
    heat += np.random.default_rng(0).random(heat.shape).astype(np.float32)
    bundle = darkness_bundle()

    first, again, other = (
        deletion(bundle, picture, heat, 0, controls=2, seed=seed) for seed in (1, 1, 2)
    )

    assert first == again
    assert first.by_map == other.by_map
    assert first.by_chance != other.by_chance


def test_what_lies_outside_the_region_stays():
    picture, heat = patch()
    heat[:, : 2 * BLOCK] = np.nan  # half of the patch

    found = deletion(darkness_bundle(100.0), picture, heat, 0)

    assert found.by_map[-1] == pytest.approx(0.5)
    assert np.mean([curve[-1] for curve in found.by_chance]) == pytest.approx(0.5)


def test_the_exact_map_of_a_linear_network_foretells_every_change():
    rng = np.random.default_rng(0)
    picture = rng.integers(
        0, 120, (96, 64, 3), dtype=np.uint8
    )  # dark everywhere: all pixels are the class
    exact = (255 - picture.astype(np.float32)).sum(2)
    bundle = darkness_bundle(2.0)

    assert infidelity(bundle, picture, exact, 0) < 1e-4
    assert infidelity(bundle, picture, 7 * exact, 0) < 1e-4  # only the shape of a map counts
    assert infidelity(bundle, picture, -exact, 0) == pytest.approx(1)
    assert infidelity(bundle, picture, np.zeros_like(exact), 0) == pytest.approx(1)


def test_infidelity_is_captums_as_a_share_of_the_change():
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.random((1, 3, 12, 10)))
    heat = torch.from_numpy(rng.random((1, 3, 12, 10)))
    taken = torch.from_numpy(rng.random((30, 1, 12, 10)) < 0.3).expand(-1, 3, -1, -1)

    def score(pictures):
        return (pictures**2).sum((1, 2, 3))

    def perturbed(pictures):
        return taken.double(), torch.where(taken, 1.0, pictures)

    expected = captum_infidelity(score, perturbed, x, heat, n_perturb_samples=30, normalize=True)
    foretold = (heat * taken).sum((1, 2, 3)).numpy()
    found = (score(x) - score(torch.where(taken, 1.0, x))).numpy()
    # Taking away brightens, so the score rises: captum lets the map's sign turn, we do not.
    assert unforetold(-foretold, found) == pytest.approx(expected.item() / (found**2).mean())
    assert unforetold(foretold, found) == pytest.approx(1)


def test_infidelity_without_any_change_is_unknown():
    assert np.isnan(unforetold(np.ones(3), np.zeros(3)))


def test_blocks_at_the_border_are_means_of_what_is_there():
    heat = np.arange(20 * 18, dtype=np.float32).reshape(20, 18)
    heat[:16, :16] = np.nan

    blocks = in_blocks(heat)

    assert blocks.shape == (2, 2)
    assert np.isnan(blocks[0, 0])
    assert blocks[1, 1] == pytest.approx(heat[16:, 16:].mean())
    assert blocks[0, 1] == pytest.approx(heat[:16, 16:].mean())
