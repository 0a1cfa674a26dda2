"""What happens when a device's memory is full: fewer tiles, quarters of tiles, the processor."""

import numpy as np
import pytest
import torch
from torch import nn

from segcore.errors import DeviceMemoryError
from segcore.inference import segment_region
from segcore.inference.predicting import Predictor
from segcore.models import Bundle
from tests.segcore.cards import card
from tests.segcore.inference.painted import COLOURS, everything, tissue


class SmallDevice(Bundle):
    """A bundle on a pretended CUDA device that holds so many pixels; knows classes by their colour."""

    def __init__(self, pixels, device="cuda", on_cpu=1 << 30, tile=64):
        super().__init__(card(tile=tile), nn.Identity(), torch.device(device))
        self.room, self.on_cpu = pixels, on_cpu
        self.runs = []

    def _run(self, tiles):
        room = self.room if self.device.type == "cuda" else self.on_cpu
        pixels = tiles.shape[0] * tiles.shape[1] * tiles.shape[2]
        self.runs.append((self.device.type, tuple(tiles.shape[:3]), pixels <= room))
        if pixels > room:
            raise torch.OutOfMemoryError
        far = torch.stack([(tiles - torch.tensor(c)).abs().sum(-1) for c in COLOURS], 1)
        return (-far / 30.0).softmax(1)


def tiles(count=4, side=64):
    pixels = tissue(height=side, width=side * count)[0].read(0, 0, 0, side * count, side)
    return np.stack(np.split(pixels, count, axis=1))


def test_first_the_batch_is_halved_and_nobody_need_know():
    bundle, heard = SmallDevice(2 * 64 * 64), []

    Predictor(bundle, heard.append)(tiles())

    assert [shape[0] for _, shape, _ in bundle.runs] == [4, 2, 2]
    assert heard == []


def test_then_tiles_go_in_overlapping_quarters():
    bundle, heard = SmallDevice(128 * 128 - 1, tile=128), []
    predict = Predictor(bundle, heard.append)

    found = predict(tiles(side=128))

    expected = SmallDevice(1 << 30).predict(tiles(side=128))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert predict.mode == "quarters"
    assert {shape[1:] for _, shape, fits in bundle.runs if fits} == {(96, 96)}  # 64, and a halo
    assert len(heard) == 1
    assert "quarters" in heard[0]


def test_tiles_too_small_for_quarters_go_to_the_processor_at_once():
    predict = Predictor(SmallDevice(64 * 64 - 1), [].append)

    predict(tiles())

    assert predict.mode == "cpu"


def test_at_last_the_processor_goes_on_and_it_is_said():
    bundle, heard = SmallDevice(10, tile=128), []
    predict = Predictor(bundle, heard.append)

    found = predict(tiles(side=128))

    assert np.array_equal(found, SmallDevice(1 << 30).predict(tiles(side=128)))
    assert len(heard) == 2
    assert predict.mode == "cpu"
    assert bundle.device.type == "cuda"  # the bundle itself stays where it was
    assert "cuda" in heard[-1]
    assert "processor" in heard[-1]
    tried = len(bundle.runs)
    predict(tiles(side=128))
    assert [device for device, _, _ in bundle.runs[tried:]] == ["cpu", "cpu"]  # two at a time


def test_without_room_anywhere_it_is_told_in_a_sentence():
    with pytest.raises(DeviceMemoryError, match="smaller model"):
        Predictor(SmallDevice(10, on_cpu=10), [].append)(tiles())


@pytest.mark.parametrize("words", ["MPS backend out of memory", "can't allocate memory: you tried"])
def test_memory_errors_without_a_type_are_known_by_their_words(monkeypatch, words):
    bundle = SmallDevice(1 << 30)

    def full(_tiles):
        raise RuntimeError(words)

    monkeypatch.setattr(bundle, "_run", full)
    with pytest.raises(DeviceMemoryError):
        bundle.predict(tiles(1))


def test_other_errors_of_a_network_are_not_taken_for_memory(monkeypatch):
    bundle = SmallDevice(1 << 30)

    def broken(_tiles):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(bundle, "_run", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        bundle.predict(tiles(1))


def test_a_region_on_a_device_that_is_too_small_gets_the_same_mask():
    slide, truth = tissue()
    heard = []

    found = segment_region(
        slide, SmallDevice(10), everything(slide), refine=None, warn=heard.append
    )

    assert np.array_equal(found.labels, truth)
    assert len(heard) == 1
