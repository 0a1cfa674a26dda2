import csv
import json

import numpy as np
import pytest
from PIL import Image

from segcore.assessment import FILES, read_report
from segcore.cli import main
from segcore.models import Metric
from tests.segcore.assessment.answers import STROMA, TUMOR, AnswerBundle, answered
from tests.segcore.cards import card


@pytest.fixture
def bundles(monkeypatch):
    """Two bundles that read their answers from the picture; the second takes all for tumor."""

    class Careless(AnswerBundle):
        def predict(self, tiles):
            tiles = tiles.copy()
            tiles[..., 0] = 0
            return super().predict(tiles)

    found = {"default": AnswerBundle(tile=32), "careless": Careless(tile=32)}
    monkeypatch.setattr("segcore.models.load_bundle", lambda name, _device: found[name])
    return found


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "fields"
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    rows = []
    for case, split, edge in (("a", "val", 20), ("b", "val", 30), ("c", "train", 25)):
        reference = np.full((40, 50), TUMOR, np.uint8)
        reference[:, 25:] = STROMA
        predicted = np.zeros((40, 50))
        predicted[:, edge:] = 1
        sample = answered(reference, predicted, case=case)
        Image.fromarray(sample.image).save(folder / "images" / f"{case}.png")
        Image.fromarray(reference).save(folder / "labels" / f"{case}.png")
        rows.append([f"{case}.png", case, "A", 0.5, split])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "case", "source", "mpp", "split"], *rows])
    return folder


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "plain.toml"
    file.write_text(
        'name = "plain"\narchitecture = "lightmuseg-v2"\nclasses = ["Tumor", "Stroma"]\n'
    )
    return file


def test_a_split_is_measured_and_its_report_written(bundles, data, tmp_path, capsys):
    out = tmp_path / "report"

    assert main(["evaluate", "--data", str(data), "--out", str(out)]) == 0

    told = capsys.readouterr().out
    assert "2 cases" in told
    assert {file.name for file in out.iterdir()} == set(FILES)
    tumor = read_report(out / "report.json").overall.overlap["case"]["IoU"]["Tumor"]
    assert tumor.value == pytest.approx((20 / 25 + 25 / 30) / 2)


def test_json_is_one_document_and_nothing_else(bundles, data, capsys):
    words = ["evaluate", "--data", str(data), "--split", "train", "--against", "careless"]
    assert main([*words, "--refine", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["overall"]["overlap"]["case"]["IoU"]["Tumor"]["value"] == 1.0
    tumor, stroma, mean = document["against"]["tests"]
    assert (tumor["second"], stroma["second"], mean["second"]) == (0.5, 0.0, 0.25)
    assert "too few cases" in mean["conclusion"]
    assert document["refined"]["overall"]["cases"] == 1


def test_a_recipe_brings_its_pictures_and_the_card_is_checked(bundles, data, recipe, capsys):
    metrics = [
        Metric(name, class_name, value, "validation, A", 2)
        for name, class_name, value in (
            ("IoU", "Tumor", 0.8182), ("IoU", "Stroma", 0.8182), ("Dice", "Tumor", 0.9), ("Dice", "Stroma", 0.9),
        )
    ]  # fmt: skip
    bundles["default"].card = card(metrics=tuple(metrics))

    words = ["evaluate", "--recipe", str(recipe), "--data", str(data)]
    assert main(words) == 0
    assert "Matches the card: all 4 figures are the same." in capsys.readouterr().out

    bundles["default"].card = card(metrics=tuple(metrics[:3]))
    assert main([*words, "--json"]) == 0
    check = json.loads(capsys.readouterr().out)["card"]
    assert not check["matches"]
    assert check["differences"][0] == {
        "metric": "Dice",
        "class_name": "Stroma",
        "split": "validation, A",
        "card": None,
        "measured": 0.9,
    }


def test_a_split_without_pictures_is_told_in_a_sentence(bundles, data, capsys):
    assert main(["evaluate", "--data", str(data), "--split", "test"]) == 1
    assert "no pictures of the split 'test'" in capsys.readouterr().err


def test_an_earlier_report_is_not_written_over(bundles, data, tmp_path, capsys):
    (tmp_path / "kept.txt").touch()

    assert main(["evaluate", "--data", str(data), "--out", str(tmp_path)]) == 1
    assert "already holds" in capsys.readouterr().err


def test_a_recipe_has_no_split(data, recipe):
    words = ["evaluate", "--data", str(data), "--recipe", str(recipe), "--split", "val"]
    assert main(words) == 2
