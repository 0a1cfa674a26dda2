import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from segcore.annotations import load_taxonomy
from segcore.cli import main
from segcore.counting import MEANINGS
from tests.segcore.explain.networks import tiny_bundle


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr("segcore.models.load_bundle", lambda *_, **__: tiny_bundle())
    monkeypatch.setattr("segcore.explain.region.CORE", 128)
    monkeypatch.setattr("segcore.explain.region.CONTEXT", 16)


@pytest.fixture
def slide(tmp_path):
    """A plain picture of 0.5 um per pixel."""
    pixels = np.random.default_rng(0).integers(60, 220, (150, 200, 3), dtype=np.uint8)
    path = tmp_path / "Jane Doe.png"
    Image.fromarray(pixels).save(path, dpi=(50_800, 50_800))
    return path


def explain(slide, out, *options):
    return main(["explain", str(slide), "--out", str(out), *options])


def test_a_region_is_explained_into_a_folder(slide, tmp_path, capsys):
    out = tmp_path / "out"

    code = explain(
        slide, out, "--roi", "20,30,100,80", "--class", "Stroma", "--layer", "first", "--json"
    )

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert {each.name for each in out.iterdir()} == {
        "explanation.json",
        "map-1.ome.tif",
        "map-1.png",
    }
    assert json.loads((out / "explanation.json").read_text()) == {
        k: v for k, v in document.items() if k != "out"
    }
    values = tifffile.imread(out / "map-1.ome.tif")
    assert values.shape == (80, 100)
    assert np.nanmax(values) == 1
    assert document["note"].startswith("Attention, not diagnosis")
    assert (document["method"], document["class"], document["layer"]) == (
        "grad-cam",
        "Stroma",
        "first",
    )
    assert document["model"]["sha256"] == "0" * 64
    assert document["slide"]["mpp"] == pytest.approx(0.5)
    assert {"torch", "captum"} <= document["versions"].keys()
    (found,) = document["maps"]
    assert found["bounds"] == [20, 30, 120, 110]
    assert set(found["readout"]) >= {"deletion", "infidelity", "off_tissue", "flags"}
    assert "Jane" not in json.dumps({k: v for k, v in document.items() if k != "out"})


@pytest.mark.parametrize(
    ("method", "title"),
    [
        ("shap", "SHAP for Tumor"),
        ("uncertainty", "Uncertainty"),
        ("robustness", "Flips under other stains"),
    ],
)
def test_every_method_writes_a_map_of_every_region(slide, tmp_path, method, title, capsys):
    out = tmp_path / "out"

    code = explain(
        slide,
        out,
        "--roi",
        "0,0,60,60",
        "--roi",
        "90,70,70,60",
        "--class",
        "Tumor",
        "--method",
        method,
    )

    maps = json.loads((out / "explanation.json").read_text())["maps"]
    assert code == 0
    assert [each["title"] for each in maps] == [title] * 2
    assert all((out / name).is_file() for each in maps for name in each["files"])
    assert (maps[0]["readout"] is None) == (method != "shap")
    assert "Attention, not diagnosis" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "name one of Tumor, Stroma"),
        (("--class", "Fat"), "does not know the class 'Fat'"),
        (
            ("--class", "Tumor", "--layer", "third"),
            "no layer 'third'; worth a look are second, first",
        ),
        (("--class", "Tumor", "--roi", "900,900,10,10"), "The region is empty"),
    ],
)
def test_what_cannot_be_explained_is_told_in_a_sentence_and_nothing_is_written(
    slide, tmp_path, capsys, options, sentence
):
    assert explain(slide, tmp_path / "out", *options) == 1

    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_picture_shows_the_map_where_it_is_strong(slide, tmp_path):
    out = tmp_path / "out"
    explain(slide, out, "--class", "Stroma", "--layer", "first")

    picture = np.asarray(Image.open(out / "map-1.png").convert("RGB")).astype(int)
    plain, covered = picture[:675, :900], picture[:675, 924:1824]
    assert np.abs(plain[100:-100] - covered[100:-100]).max() > 60


def test_a_segmentation_counts(slide, tmp_path, capsys):
    out = tmp_path / "out"

    assert (
        main(["segment", str(slide), "--out", str(out), "--no-refine", "--roi", "0,0,100,100"]) == 0
    )

    counts = json.loads((out / "statistics.json").read_text())
    mask = tifffile.imread(out / "mask.ome.tif")
    named = {each.name: np.count_nonzero(mask == each.code) for each in load_taxonomy().classes}
    tumor, stroma, cells = named["Tumor"], named["Stroma"], named["Lymphocyte"]
    for part in (counts, counts["rois"][0]):
        assert part["tumor_share"] == pytest.approx(tumor / (tumor + stroma))
        assert part["stromal_til_share"] == pytest.approx(cells / (stroma + cells))
        assert part["nests"]["least_um2"] == 1000
        assert part["front_mm"] >= 0
    assert counts["meanings"] == MEANINGS
