import json

import numpy as np
import pytest
import torch
from torch import nn

from segcore.cli import main
from segcore.errors import RegionError
from segcore.inference.benchmark import batch_of, benchmark, classes_of
from segcore.inference.engines import engines
from segcore.inference.example_tiles import tissue_tiles
from segcore.inference.memory import peak_memory
from segcore.models import Bundle, create_model
from segcore.slides import ArraySlide
from tests.builders import write_slide
from tests.segcore.cards import CLASSES, card


@pytest.fixture(scope="module")
def bundle():
    torch.manual_seed(0)
    model = create_model("lightmuseg-v2", classes=len(CLASSES))
    return Bundle(card(), model, torch.device("cpu"))


@pytest.fixture(scope="module")
def found(bundle):
    tiles = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    return benchmark(bundle, tiles, batches=(1, 2), rounds=2)


def test_every_engine_is_measured_at_every_batch_size(bundle, found):
    expected = [(e.name, e.precision, e.channels_last, b) for e in engines(bundle) for b in (1, 2)]

    assert [
        (m.engine, m.precision, m.channels_last, m.batch) for m in found.measurements
    ] == expected
    assert {("plain", "float32"), ("fused", "float32"), ("engine", "float32")} <= {
        (m.engine, m.precision) for m in found.measurements
    }


def test_the_plain_network_is_what_the_others_are_compared_with(found):
    plain = [m for m in found.measurements if m.engine == "plain" and not m.channels_last]

    assert [(m.speed_up, m.agreement) for m in plain] == [(1, 100), (1, 100)]
    assert found.gain == found.best.tiles_per_s / max(m.tiles_per_s for m in plain)


def test_rounding_alone_tells_the_float32_engines_apart(found):
    assert all(m.agreement > 99.9 for m in found.measurements if m.precision == "float32")


def test_batches_begin_again_where_the_tiles_end():
    x = torch.arange(3.0)

    assert batch_of(x, 4, start=1).tolist() == [1, 2, 0, 1]


def test_a_single_class_is_there_or_not():
    logits = torch.tensor([[[[-1.0, 2.0]]]])

    assert classes_of(logits).tolist() == [[[False, True]]]
    assert classes_of(torch.cat([logits, -logits], dim=1)).tolist() == [[[1, 0]]]


def test_an_engine_that_answers_wrongly_is_shown_to_disagree(bundle, monkeypatch):
    class Wrong(nn.Module):
        def forward(self, x):
            return torch.zeros(len(x), 5, *x.shape[2:])

    constant = Bundle(card(), Wrong(), torch.device("cpu"))
    monkeypatch.setattr("segcore.inference.engines.fuse", lambda _: Negative())

    class Negative(Wrong):
        def forward(self, x):
            logits = super().forward(x)
            logits[:, 1, :, : x.shape[3] // 4] = 1
            return logits

    tiles = np.zeros((1, 32, 32, 3), np.uint8)
    found = benchmark(constant, tiles, batches=(1,), rounds=1)

    (fused,) = [m for m in found.measurements if m.engine == "fused"]
    assert fused.agreement == 75


def test_peak_memory_sees_what_is_gone_again():
    found = peak_memory(lambda: np.ones(50 << 17).sum(), torch.device("cpu"))

    if found is None:
        pytest.skip("this system does not tell peak memory")
    assert 45 << 20 < found[1] < 200 << 20
    assert found[0] >= found[1]


def test_tissue_is_preferred_to_glass():
    pixels = np.full((128, 256, 3), 245, np.uint8)
    pixels[64:, 192:] = (180, 60, 140)
    slide = ArraySlide(pixels, mpp=0.5)

    tiles = tissue_tiles(slide, 2, tile=64, mpp=0.5)

    assert tiles.shape == (2, 64, 64, 3)
    assert (tiles[0] == (180, 60, 140)).all()
    with pytest.raises(RegionError, match="smaller"):
        tissue_tiles(slide, 1, tile=512, mpp=0.5)


def test_the_command_prints_one_document(tmp_path, capsys):
    slide = write_slide(tmp_path / "slide.tif")

    code = main(
        ["benchmark", "--model", "lightmuseg-v2", "--slide", str(slide), "--tile", "64",
         "--batches", "1", "--rounds", "1", "--device", "cpu", "--json"]
    )  # fmt: skip

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["model"] == "lightmuseg-v2"
    assert (document["tile"], document["tiles"], document["rounds"]) == (64, 8, 1)
    assert document["machine"]["torch"] == torch.__version__
    assert document["summary"]["target_speed_up"] == 4
    assert {"tiles_per_s", "speed_up", "agreement", "peak_memory"} <= set(
        document["measurements"][0]
    )


def test_the_table_names_engine_conditions_and_the_best(tmp_path, capsys):
    slide = write_slide(tmp_path / "slide.tif")

    main(
        ["benchmark", "--model", "lightmuseg-v2", "--slide", str(slide), "--tile", "64",
         "--batches", "1", "--rounds", "1", "--device", "cpu"]
    )  # fmt: skip

    out = capsys.readouterr().out
    assert "channels last" in out
    assert "Load of the system" in out
    assert "times the plain network" in out


@pytest.mark.parametrize(
    "arguments", [["--batches", "0"], ["--batches", "1,x"], ["--rounds", "0"], ["--tile", "7"]]
)
def test_absurd_arguments_are_refused(arguments, capsys):
    assert main(["benchmark", *arguments]) == 2
    assert "give" in capsys.readouterr().err


def test_an_unknown_model_is_one_sentence(capsys):
    assert main(["benchmark", "--model", "no-such-model"]) == 1
    assert "no-such-model" in capsys.readouterr().err
