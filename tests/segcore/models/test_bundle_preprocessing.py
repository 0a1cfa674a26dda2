import numpy as np
import pytest
import torch
from torch import nn

from segcore.models import Bundle, load_bundle, save_bundle
from segcore.models.bundle_format import read_card, write_card
from segcore.slides.preprocessing import Clahe, Macenko, Resize, Standardise, preprocess
from tests.segcore.cards import card

STEPS = (Macenko(), Clahe(), Resize(width=32, height=32))


class Sees(nn.Module):
    """Answers with what it is shown, and remembers it."""

    def forward(self, x):
        self.seen = x
        return torch.cat([x, x[:, :2]], dim=1)


def test_a_cards_steps_survive_writing_and_reading():
    written = card(preprocessing=STEPS)

    assert read_card(write_card(written), source="the card").preprocessing == STEPS
    assert card().preprocessing == ()


def test_the_network_sees_the_tile_after_the_steps(monkeypatch):
    model = Sees()
    monkeypatch.setattr("segcore.models.bundle.inference_engine", lambda *_: model)
    bundle = Bundle(card(preprocessing=STEPS), model, torch.device("cpu"))
    tile = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)

    found = bundle.predict(tile)

    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (preprocess(tile[0], STEPS) / 255 - mean) / std
    assert model.seen.shape == (1, 3, 32, 32)
    np.testing.assert_allclose(model.seen[0].permute(1, 2, 0), expected, atol=1e-5)
    assert found.shape == (1, 5, 64, 96)  # the tile's own size


def test_a_standardised_tile_reaches_the_network_with_mean_0_and_variance_1():
    step = Standardise(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    bundle = Bundle(card(preprocessing=(step,)), Sees(), torch.device("cpu"))
    tile = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)

    seen = bundle.network_input(torch.from_numpy(tile))[0]

    assert seen.mean((1, 2)).tolist() == pytest.approx([0, 0, 0], abs=1e-4)
    assert seen.std((1, 2), correction=0).tolist() == pytest.approx([1, 1, 1], abs=1e-4)


@pytest.mark.parametrize("colour", [0, 255])
def test_a_blank_tile_gives_finite_probabilities(model, tmp_path, colour):
    save_bundle(tmp_path / "stained", model, card(preprocessing=STEPS))
    bundle = load_bundle(tmp_path / "stained", device="cpu")

    assert np.isfinite(bundle.predict(np.full((1, 64, 64, 3), colour, np.uint8))).all()
