"""What `segcore segment` says beside its result, and what the doctor looks at."""

import json

import numpy as np
import pytest

from segcore.cli import doctor, main
from segcore.errors import DeviceMemoryError
from segcore.inference import predicting
from segcore.slides.preprocessing import StainRange, appearance
from tests.builders import GLASS, STROMA, write_slide
from tests.segcore.inference.painted import COLOURS, ColourBundle


@pytest.fixture
def bundle(monkeypatch):
    bundle = ColourBundle(trained=True)
    monkeypatch.setattr("segcore.models.load_bundle", lambda *_, **__: bundle)
    return bundle


def segment(slide, out, *options):
    return main(["segment", str(slide), "--out", str(out), "--no-refine", "--json", *options])


def glass_with_tissue(path):
    pixels = np.full((600, 800, 3), GLASS, np.uint8)
    pixels[100:300, 100:300] = STROMA
    return write_slide(path, pixels)


def test_concerns_are_told_and_the_run_goes_on(tmp_path, bundle, capsys):
    slide = glass_with_tissue(tmp_path / "slide.tif")

    assert segment(slide, tmp_path / "out", "--roi", "400,300,300,250") == 0

    said = capsys.readouterr()
    concerns = json.loads(said.out)["run"]["concerns"]
    assert {each["name"] for each in concerns} == {"blank"}
    assert said.err.splitlines() == [each["sentence"] for each in concerns]
    assert (tmp_path / "out" / "mask.ome.tif").is_file()


def test_tissue_like_that_of_the_training_is_segmented_without_a_word(
    tmp_path, monkeypatch, capsys
):
    grain = np.random.default_rng(0).normal(0, 12, (300, 400, 1))
    pixels = (np.array(COLOURS[0]) + grain).clip(0, 255).astype(np.uint8)
    mean = tuple(appearance(pixels, 0.5).tolist())
    known = StainRange(9, mean, ((0.1, 0.0, 0.0), (0.0, 0.1, 0.0), (0.0, 0.0, 0.1)))
    bundle = ColourBundle(trained=True, stain=known)
    monkeypatch.setattr("segcore.models.load_bundle", lambda *_, **__: bundle)

    segment(write_slide(tmp_path / "slide.tif", pixels), tmp_path / "out")

    said = capsys.readouterr()
    assert said.err == ""
    run = json.loads(said.out)["run"]
    assert (run["concerns"], run["retreats"]) == ([], [])


def test_all_tissue_can_be_asked_for(tmp_path, bundle, capsys):
    slide = glass_with_tissue(tmp_path / "slide.tif")

    assert segment(slide, tmp_path / "out", "--tissue") == 0

    run = json.loads(capsys.readouterr().out)["run"]
    x, y = np.array(run["region"]["coordinates"][0]).T
    bounds = [x.min(), y.min(), x.max(), y.max()]
    assert bounds == pytest.approx([100, 100, 300, 300], abs=32)


def test_a_retreat_from_a_full_device_is_told_and_recorded(tmp_path, bundle, monkeypatch, capsys):
    whole = bundle.predict

    def full(tiles):
        if tiles.shape[1] == bundle.tile:
            raise DeviceMemoryError("full")
        return whole(tiles)

    monkeypatch.setattr(bundle, "predict", full)
    monkeypatch.setattr(predicting, "STRIDE", 8)  # the tile of 64 can be quartered
    slide = glass_with_tissue(tmp_path / "slide.tif")

    assert segment(slide, tmp_path / "out", "--roi", "100,100,200,200") == 0

    said = capsys.readouterr()
    [sentence] = json.loads(said.out)["run"]["retreats"]
    assert "quarters" in sentence
    assert sentence in said.err


def test_the_doctor_names_a_device_whose_answers_differ():
    one = np.zeros((1, 2, 10, 10), np.float32)
    one[:, 0] = 1

    doctor._compare(one, one)
    with pytest.raises(RuntimeError, match="use device cpu"):
        doctor._compare(one, one[:, ::-1])


def test_the_doctor_reports_each_check_and_goes_on_after_a_failure(monkeypatch):
    def broken():
        raise OSError("no such library")

    monkeypatch.setattr(doctor, "_slides", broken)
    monkeypatch.setattr(doctor, "_devices", list)
    heard = []

    rows = doctor.diagnose(lambda fraction, text="": heard.append(text))

    found = {row["name"]: row for row in rows}
    assert not found["slides"]["ok"]
    assert found["slides"]["detail"] == "OSError: no such library"
    assert found["refinement"]["ok"]
    assert len(heard) == len(rows)
