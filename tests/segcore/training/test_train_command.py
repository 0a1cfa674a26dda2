import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from segcore.annotations import LabelMap
from segcore.cli import main
from segcore.data import export_tiles
from segcore.models import load_bundle
from segcore.slides import ArraySlide
from tests.segcore.training.builders import pixels, write_data

RECIPE = """
name = "test"
architecture = "lightmuseg-v2"
classes = ["Tumor", "Stroma"]
crop = {crop}
batch = {batch}
steps = {steps}
save_every = {every}
warmup = 1
ema = 0.8

[card]
tile = 64
halo = 8
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return written(tmp_path / "recipe.toml", steps=2, every=1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


def written(file: Path, *, steps: int, every: int, crop: int = 32, batch: int = 2) -> Path:
    file.write_text(RECIPE.format(steps=steps, every=every, crop=crop, batch=batch))
    return file


def arguments(recipe: Path, data: Path, run: Path, *more: str) -> list[str]:
    fixed = ["--recipe", str(recipe), "--data", str(data), "--run", str(run), "--device", "cpu"]
    return ["train", *fixed, *more]


def curves(run: Path) -> list[dict[str, str]]:
    with (run / "curves.csv").open() as file:
        return list(csv.DictReader(file))


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_run_leaves_its_record_curves_weights_and_bundle(
    tmp_path: Path, recipe: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, bundle = tmp_path / "run", tmp_path / "bundle"
    code = main(arguments(recipe, data, run, "--out", str(bundle), "--json"))

    document = json.loads(said(capsys)[0])
    assert code == 0
    assert document["step"] == 2
    assert document["best"]["dice"] == pytest.approx(max(float(r["Dice"]) for r in curves(run)), abs=1e-4)  # fmt: skip
    assert document["files"] == [
        "best.safetensors", "checkpoint.pt", "curves.csv", "curves.png", "run.json",
    ]  # fmt: skip
    record = json.loads((run / "run.json").read_text())
    assert record["data"]["training"] == {"pictures": 2, "cases": 2}
    assert record["data"]["validation"] == {"pictures": 1, "cases": 1}
    assert record["recipe"]["name"] == "test"
    assert record["versions"]["torch"]
    card = load_bundle(bundle, device="cpu").card
    assert card.training.manifest_sha256 == record["data"]["manifest_sha256"]
    assert card.name == "bundle"


@pytest.mark.usefixtures("tiny_network")
def test_a_run_with_other_pictures_is_not_gone_on_with(
    tmp_path: Path, recipe: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(recipe, data, tmp_path / "run")) == 0
    other = write_data(tmp_path / "other", splits=("train", "train", "train", "val"))

    assert main(arguments(recipe, other, tmp_path / "run")) == 1
    assert "another data; train into another folder" in said(capsys)[1]


@pytest.mark.usefixtures("tiny_network")
def test_a_finished_run_can_be_made_longer(
    tmp_path: Path, recipe: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(recipe, data, tmp_path / "run")) == 0
    assert main(arguments(recipe, data, tmp_path / "run", "--steps", "3", "--json")) == 0

    assert [row["step"] for row in curves(tmp_path / "run")] == ["1", "2", "3"]


@pytest.mark.usefixtures("tiny_network")
def test_without_validation_pictures_it_says_so_and_trains(
    tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(tmp_path / "data", splits=("train",))

    assert main(arguments(recipe, data, tmp_path / "run", "--json")) == 0
    out, err = said(capsys)
    assert "kept for validation" in err
    assert json.loads(out)["best"] is None


def test_what_cannot_be_trained_is_told_in_a_sentence(
    tmp_path: Path, recipe: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, full = tmp_path / "run", tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("years of work")
    wrong = [
        (arguments(Path("nothing"), data, run), "no recipe"),
        (arguments(recipe, tmp_path, run), "manifest.csv"),
        (arguments(recipe, data, run, "--start", "nowhere"), "no bundle"),
        (arguments(recipe, data, run, "--encoder", "nowhere"), "cannot be read"),
        (arguments(recipe, data, run, "--out", str(full)), "holds other things"),
        (arguments(recipe, data, run, "--fold", "1"), "no folds"),
    ]
    for words, sentence in wrong:
        assert main(words) == 1, words
        error = said(capsys)[1]
        assert sentence in error
        assert error.count("\n") == 1
    assert main(arguments(recipe, data, run, "--steps", "0")) == 2
    assert not run.exists()


@pytest.mark.usefixtures("tiny_network")
def test_tiles_exported_by_the_window_can_be_trained_on_directly(
    tmp_path: Path, recipe: Path
) -> None:
    image, codes = pixels(0, 128)
    labels = LabelMap(labels=codes, column=0, row=0, scale=1.0, mpp=0.5)
    export_tiles(ArraySlide(image, mpp=0.5), labels, tmp_path / "tiles", tile=64)

    assert main(arguments(recipe, tmp_path / "tiles", tmp_path / "run")) == 0


def start(words: list[str], home: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {"ACINUS_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "segcore", *words],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(words: list[str], home: Path) -> tuple[int, str, str]:
    process = start(words, home)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def wait_for_rows(run: Path, count: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 240
    while not (run / "curves.csv").exists() or len(curves(run)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_training_improves_dice_and_goes_on_exactly_after_a_kill(
    tmp_path: Path, data: Path, own_home: Path
) -> None:
    recipe = written(tmp_path / "recipe.toml", steps=20, every=4, crop=64, batch=4)
    assert finish(arguments(recipe, data, tmp_path / "whole"), own_home)[0] == 0
    killed = start(arguments(recipe, data, tmp_path / "killed"), own_home)
    wait_for_rows(tmp_path / "killed", 2, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(curves(tmp_path / "killed")) < 6

    assert finish(arguments(recipe, data, tmp_path / "killed"), own_home)[0] == 0

    whole, resumed = (tmp_path / name / "curves.csv" for name in ("whole", "killed"))
    assert whole.read_text() == resumed.read_text()
    dice = [float(row["Dice"]) for row in curves(tmp_path / "whole")]
    assert max(dice) > 0.9
    assert max(dice) > dice[0] + 0.1


@pytest.mark.slow
def test_an_interrupt_stops_after_the_step_and_says_how_to_go_on(
    tmp_path: Path, data: Path, own_home: Path
) -> None:
    recipe = written(tmp_path / "recipe.toml", steps=400, every=2)
    run = tmp_path / "run"
    process = start(arguments(recipe, data, run), own_home)
    wait_for_rows(run, 1, process)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)

    assert process.returncode == 130
    assert out == ""
    assert err == f"Stopped after a whole step, saved in {run}; give the same command again to go on.\n"  # fmt: skip
    done = len(curves(run))
    code, out, _ = finish([*arguments(recipe, data, run), "--steps", str(2 * done + 4), "--json"], own_home)  # fmt: skip
    assert code == 0
    assert json.loads(out)["step"] == 2 * done + 4


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path, data: Path, own_home: Path) -> None:
    recipe = written(tmp_path / "recipe.toml", steps=4, every=2, crop=64)
    run = tmp_path / "run"
    launch = ["--standalone", "--nproc-per-node", "2", "-m", "--", "segcore"]
    environment = os.environ | {"ACINUS_HOME": str(own_home), "OMP_NUM_THREADS": "1"}

    ended = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *launch, *arguments(recipe, data, run, "--json")],
        env=environment, text=True, capture_output=True, check=False, timeout=240,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["step"] == 4
    assert [row["step"] for row in curves(run)] == ["2", "4"]
    assert all(np.isfinite(float(row["loss"])) for row in curves(run))
