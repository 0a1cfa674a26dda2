import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import shapely
import tifffile
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from segcore.annotations import Annotation, load_taxonomy, read_annotations, write_annotations
from segcore.annotations.raster import rasterize
from segcore.cli import main
from segcore.cli.results import OUTPUTS
from segcore.inference import TissueScore
from segcore.models import Bundle, create_model, save_bundle
from segcore.slides import ArraySlide
from tests.segcore.cards import CLASSES, card

COLOURS = np.array(
    [[200, 40, 90], [240, 160, 200], [60, 30, 120], [150, 140, 150], [245, 245, 245]]
)
SIZE = (400, 300)


class ColourBundle(Bundle):
    """Knows each class by its colour, so that the right mask is known without a network."""

    def __init__(self) -> None:
        super().__init__(card(trained=True), torch.nn.Identity(), torch.device("cpu"))

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        far = np.stack([np.abs(tiles - colour).sum(-1) for colour in COLOURS], 1)
        return torch.from_numpy(-far / 10.0).softmax(1).float().numpy()


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    fields = gaussian_filter(np.random.default_rng(0).normal(size=(5, *SIZE[::-1])), (0, 9, 9))
    return (fields.argmax(0) + 1).astype(np.uint8)


@pytest.fixture
def slide(tmp_path: Path, truth: np.ndarray) -> Path:
    """A plain picture of 0.5 um per pixel."""
    path = tmp_path / "Jane Doe.png"
    Image.fromarray(COLOURS[truth - 1].astype(np.uint8)).save(path, dpi=(50_800, 50_800))
    return path


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segcore.models.load_bundle", lambda *_, **__: ColourBundle())


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def mask_again(folder: Path, shape: tuple[int, int], scale: float) -> np.ndarray:
    taxonomy = load_taxonomy()
    annotations = read_annotations(folder / "annotations.geojson")
    shapes = [(taxonomy.named(each.class_name or "").code, each.geometry) for each in annotations]
    return rasterize(shapes, shape=shape, column=0, row=0, scale=scale)


@pytest.mark.usefixtures("colours")
def test_a_region_is_segmented_into_a_folder(
    tmp_path: Path, slide: Path, truth: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main(
        [
            "segment",
            str(slide),
            "--out",
            str(out),
            "--roi",
            "40,50,200,150",
            "--no-refine",
            "--json",
        ]
    )

    document = json.loads(said(capsys)[0])
    assert code == 0
    assert {each.name for each in out.iterdir()} == set(OUTPUTS)
    mask = tifffile.imread(out / "mask.ome.tif")
    assert mask.shape == SIZE[::-1]
    expected = np.zeros_like(truth)
    expected[50:200, 40:240] = truth[50:200, 40:240]
    assert np.array_equal(mask, expected)
    assert np.array_equal(mask_again(out, mask.shape, 1.0), mask)
    areas = json.loads((out / "statistics.json").read_text())
    assert areas == document["statistics"]
    tumor, stroma = np.count_nonzero(expected == 1), np.count_nonzero(expected == 2)
    assert areas["area_mm2"]["Tumor"] == pytest.approx(tumor * 0.25e-6)
    assert areas["tumor_to_stroma"] == pytest.approx(tumor / stroma)
    assert areas["rois"][0]["name"] == "ROI 1"
    run = json.loads((out / "run.json").read_text())
    assert run == document["run"]
    assert run["mask"] == {
        "file": "mask.ome.tif", "scale": 1.0, "mpp": 0.5, "column": 40, "row": 50, "shape": [150, 200],
        "parts": [{"column": 40, "row": 50, "shape": [150, 200]}],
    }  # fmt: skip
    assert run["model"]["sha256"] == "0" * 64
    assert run["refine"] is None
    assert run["device"] == "cpu"
    assert shapely.geometry.shape(run["region"]).equals(shapely.box(40, 50, 240, 200))


@pytest.mark.usefixtures("colours")
def test_far_regions_are_segmented_apart_and_lie_in_one_mask(
    tmp_path: Path, slide: Path, truth: np.ndarray
) -> None:
    regions = tmp_path / "regions.geojson"
    first, second = shapely.Point(80, 80).buffer(40), shapely.box(300, 200, 380, 280)
    inner = shapely.box(310, 210, 320, 220)  # lies in the second
    drawn = [first, second, inner, shapely.Point(5, 5)]
    write_annotations(regions, [Annotation(each, name=f"R{at}") for at, each in enumerate(drawn)])

    assert (
        main(
            [
                "segment",
                str(slide),
                "--out",
                str(tmp_path / "out"),
                "--annotations",
                str(regions),
                "--no-refine",
            ]
        )
        == 0
    )

    mask = tifffile.imread(tmp_path / "out" / "mask.ome.tif")
    assert np.array_equal(mask[200:280, 300:380], truth[200:280, 300:380])
    assert np.count_nonzero(mask) == pytest.approx(first.area + second.area, rel=0.01)
    assert np.array_equal(mask_again(tmp_path / "out", mask.shape, 1.0), mask)
    areas = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert [each["name"] for each in areas["rois"]] == ["R0", "R1", "R2"]
    assert areas["rois"][2]["labelled_mm2"] == pytest.approx(100 * 0.25e-6)
    assert len(json.loads((tmp_path / "out" / "run.json").read_text())["mask"]["parts"]) == 2


@pytest.mark.usefixtures("colours")
def test_without_a_region_the_whole_slide_is_segmented(
    tmp_path: Path, slide: Path, truth: np.ndarray
) -> None:
    assert main(["segment", str(slide), "--out", str(tmp_path / "out"), "--no-refine"]) == 0
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "mask.ome.tif"), truth)


@pytest.mark.usefixtures("colours")
def test_the_overview_shows_each_class_in_its_colour(
    tmp_path: Path, slide: Path, truth: np.ndarray
) -> None:
    main(["segment", str(slide), "--out", str(tmp_path / "out"), "--no-refine"])
    with Image.open(tmp_path / "out" / "overview.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(float)
    room = 0.04 * SIZE[0]
    scale = (SIZE[0] + 2 * room) / 1400
    places = np.argwhere(truth == 1)
    y, x = places[len(places) // 2]
    shown = pixels[round((y + 0.5 + room) / scale), round((x + 0.5 + room) / scale)]
    blend = 0.55 * COLOURS[0] + 0.45 * np.array(load_taxonomy().named("Tumor").colour)
    assert np.abs(shown - blend).max() < 40
    assert pixels.shape[1] > 1400  # the legend stands beside


@pytest.mark.usefixtures("colours")
def test_no_file_of_the_result_names_the_slide(tmp_path: Path, slide: Path) -> None:
    main(["segment", str(slide), "--out", str(tmp_path / "out"), "--roi", "0,0,50,50"])
    assert not [each for each in (tmp_path / "out").iterdir() if b"Jane" in each.read_bytes()]


@pytest.mark.usefixtures("colours")
def test_an_earlier_result_is_replaced_only_when_asked(
    tmp_path: Path, slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["segment", str(slide), "--out", str(tmp_path / "out"), "--roi", "0,0,50,50"]
    assert main(command) == 0
    before = (tmp_path / "out" / "run.json").stat().st_mtime_ns
    said(capsys)

    assert main(command) == 1
    assert "already holds 'annotations.geojson'" in said(capsys)[1]
    assert (tmp_path / "out" / "run.json").stat().st_mtime_ns == before
    assert main([*command, "--force"]) == 0
    assert (tmp_path / "out" / "run.json").stat().st_mtime_ns != before

    (tmp_path / "out" / "thesis.doc").write_text("years of work")
    assert main([*command, "--force"]) == 1
    assert "already holds 'thesis.doc'" in said(capsys)[1]
    assert (tmp_path / "out" / "thesis.doc").exists()


@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_run_that_stops_leaves_nothing_behind(
    tmp_path: Path, slide: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("segcore.inference.segment_region", stop)
    before = set(tmp_path.iterdir())
    code = main(["segment", str(slide), "--out", str(tmp_path / "out")])
    assert code == (130 if error is KeyboardInterrupt else 1)
    assert {each.name for each in set(tmp_path.iterdir()) - before} <= {"home"}


def test_an_untrained_bundle_is_told(
    tmp_path: Path, slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_bundle(tmp_path / "bundle", create_model("lightmuseg-v2", classes=len(CLASSES)), card())
    command = ["segment", str(slide), "--out", str(tmp_path / "out"), "--roi", "0,0,40,40"]
    assert main([*command, "--model", str(tmp_path / "bundle"), "--device", "cpu"]) == 0
    assert "untrained: the mask means nothing" in said(capsys)[1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (["--model", "nowhere"], "There is no bundle 'nowhere'"),
        (["--roi", "5000,5000,10,10"], "outside the slide"),
        (["--annotations", "none.geojson"], "none.geojson cannot be read"),
        (["--annotations", "none.doc"], "no annotation file"),
    ],
)
def test_a_known_error_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, slide: Path, capsys: pytest.CaptureFixture[str], change: list[str], reason: str
) -> None:
    save_bundle(
        tmp_path / "bundle", create_model("lightmuseg-v2", classes=len(CLASSES)), card(trained=True)
    )
    command = [
        "segment",
        str(slide),
        "--out",
        str(tmp_path / "out"),
        "--model",
        str(tmp_path / "bundle"),
    ]
    assert main([*command, *change]) == 1
    out, err = said(capsys)
    assert reason in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_a_missing_pixel_size_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (50, 50)).save(tmp_path / "a.png")
    assert main(["segment", str(tmp_path / "a.png"), "--out", str(tmp_path / "out")]) == 1
    assert "a.png does not say its pixel size; give it: --mpp" in said(capsys)[1]


@pytest.mark.usefixtures("colours")
def test_a_pixel_size_can_be_given(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "a.png")
    assert (
        main(["segment", str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), "--mpp", "0.25"])
        == 0
    )
    assert tifffile.imread(tmp_path / "out" / "mask.ome.tif").shape == (20, 30)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["segment"],
        ["segment", "a.svs", "--out", "b", "--mpp", "0"],
        ["segment", "a.svs", "--out", "b", "--mpp", "nan"],
        ["segment", "a.svs", "--out", "b", "--roi", "1,2,3"],
        ["segment", "a.svs", "--out", "b", "--roi", "1,2,0,5"],
        ["segment", "a.svs", "--out", "b", "--roi", "1,2,3,4", "--annotations", "c"],
        ["convert", "a", "b", "--origin", "elsewhere"],
        ["sample", "--out", "a.tif", "--size", "5"],
    ],
)
def test_wrong_arguments_give_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: segcore" in said(capsys)[1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["segment", "--help"]])
def test_help_gives_0(arguments: list[str]) -> None:
    assert main(arguments) == 0


def test_a_fault_of_ours_is_a_sentence_with_a_file(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("segcore.cli.models._architectures", fail)
    assert main(["models"]) == 1
    err = said(capsys)[1]
    assert err.startswith(
        "segcore failed for a reason it does not know (KeyError: 'x'); please report "
    )
    assert err.count("\n") == 1
    [file] = (own_home / "faults").iterdir()
    assert "Traceback" in file.read_text()


def test_a_classification_stands_with_the_areas(
    slide: Path,
    tmp_path: Path,
    colours: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    likely = {"Benign": 0.125, "Malignant": 0.875}
    score = TissueScore("Malignant", 0.875, likely, ("Tumor",), 0.25)
    monkeypatch.setattr("segcore.inference.classify_tissue", lambda *_: score)

    assert main(["segment", str(slide), "--out", str(tmp_path / "out"), "--no-refine"]) == 0

    assert (
        "Classified as Malignant, confidence 88%, from 0.2500 mm² of Tumor."
        in capsys.readouterr().out
    )
    written = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert written["classification"] == {
        "label": "Malignant",
        "confidence": 0.875,
        "probabilities": likely,
        "inside": ["Tumor"],
        "area_mm2": 0.25,
    }


def test_models_are_listed_with_their_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = {
        each["name"]: each for each in json.loads(said(capsys)[0]) if each["kind"] == "architecture"
    }
    network = create_model("lightmuseg-v1", classes=5)
    trainable = sum(each.numel() for each in network.parameters() if each.requires_grad)
    assert (
        rows["lightmuseg-v1"]["trainable_parameters"]
        == trainable
        < rows["lightmuseg-v1"]["parameters"]
    )
    assert rows["lightmuseg-v1"]["classes"] == list(CLASSES)
    assert all(each["licence"] for each in rows.values())
    assert main(["models"]) == 0
    assert "lightmuseg-v3" in said(capsys)[0]


def test_bundles_are_listed_too(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = create_model("lightmuseg-v2", classes=len(CLASSES))
    save_bundle(own_home / "models" / "mine", network, card(name="mine"))
    assert main(["models", "--json"]) == 0
    [row] = [each for each in json.loads(said(capsys)[0]) if each["name"] == "mine"]
    assert (row["kind"], row["architecture"], row["trained"]) == ("bundle", "lightmuseg-v2", False)


def test_a_healthy_computer_passes_the_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    document = json.loads(said(capsys)[0])
    names = [each["name"] for each in document["checks"]]
    assert document["ok"]
    assert {"python", "packages", "slides", "memory", "disk", "folders", "device cpu"} <= set(names)


def test_the_doctor_finds_what_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("segcore.cli.doctor._LEAST_DISK", 1 << 60)
    assert main(["doctor"]) == 1
    assert "FAIL  disk" in said(capsys)[0]


@pytest.mark.slow
def test_the_sample_slide_is_painted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sample", "--out", str(tmp_path / "s.tif"), "--size", "512", "--json"]
    assert main(command) == 0
    assert json.loads(said(capsys)[0])["mpp"] == 0.5
    assert tifffile.imread(tmp_path / "s-truth.tif").shape == (512, 512)
    assert main(command) == 1
    assert "exists already" in said(capsys)[1]


def test_geojson_becomes_a_mask_and_comes_back(tmp_path: Path, slide: Path) -> None:
    source, mask, back = (tmp_path / name for name in ("a.geojson", "mask.ome.tif", "b.geojson"))
    holed = shapely.box(20, 20, 60, 60).difference(shapely.box(30, 30, 40, 40))
    write_annotations(
        source,
        [
            Annotation(holed, class_name="Tumor"),
            Annotation(shapely.box(60, 20, 90, 50), class_name="Stroma"),
        ],
    )

    assert main(["convert", str(source), str(mask), "--slide", str(slide)]) == 0
    image = tifffile.imread(mask)
    assert image.shape == SIZE[::-1]
    assert np.bincount(image.ravel()).tolist()[1:] == [1500, 900]
    assert main(["convert", str(mask), str(back)]) == 0

    found = read_annotations(back)
    assert [each.class_name for each in found] == ["Tumor", "Stroma"]
    assert found[0].geometry.equals(holed)


def test_frames_are_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = ArraySlide(np.zeros((90, 90, 3), np.uint8))
    scanned.bounds = (7, 11, 50, 50)
    monkeypatch.setattr("segcore.cli.convert.checked_slide", lambda path, mpp: scanned)
    collection = {"type": "Feature", "geometry": shapely.geometry.mapping(shapely.box(0, 0, 9, 9))}
    qupath, full, back = (tmp_path / name for name in ("q.geojson", "full.geojson", "back.json.gz"))
    qupath.write_text(json.dumps(collection))

    assert main(["convert", str(qupath), str(full), "--slide", "s", "--origin", "full"]) == 0
    text = json.loads(full.read_text())
    assert shapely.geometry.shape(text["features"][0]["geometry"]).bounds == (7, 11, 16, 20)
    assert main(["convert", str(full), str(back), "--slide", "s"]) == 0
    assert read_annotations(back)[0].geometry.bounds == (7, 11, 16, 20)
    assert read_annotations(back, origin="full")[0].geometry.bounds == (0, 0, 9, 9)


def test_what_cannot_be_converted_is_told(
    tmp_path: Path, slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.geojson"
    boxes = [shapely.box(0, 0, 9, 9)] * 2
    write_annotations(
        source,
        [
            Annotation(boxes[0], class_name="Tumor"),
            Annotation(boxes[1], name="N", class_name="Nerve"),
        ],
    )
    target = str(tmp_path / "mask.tif")

    assert main(["convert", str(source), target]) == 1
    assert "give --slide" in said(capsys)[1]
    assert main(["convert", str(source), str(tmp_path / "b.doc")]) == 1
    assert "no annotation file" in said(capsys)[1]
    assert main(["convert", str(source), target, "--slide", str(slide)]) == 0
    assert (
        "The annotation N was left out: it has no class of the taxonomy 'breast'."
        in said(capsys)[1]
    )
    assert main(["convert", str(source), target, "--slide", str(slide)]) == 1
    assert "exists already" in said(capsys)[1]
    assert main(["convert", str(source), target, "--slide", str(slide), "--force"]) == 0


def segcore(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ACINUS_HOME": str(home), "PYTHONWARNINGS": "default"}
    return subprocess.run(
        [sys.executable, "-m", "segcore", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_the_process_gives_the_code_and_one_sentence(tmp_path: Path, own_home: Path) -> None:
    result = segcore("segment", "nowhere.svs", "--out", str(tmp_path / "out"), home=own_home)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "There is no file nowhere.svs; check the name.\n"


def test_the_process_prints_one_document_and_nothing_else(own_home: Path) -> None:
    result = segcore("models", "--json", home=own_home)
    assert result.returncode == 0
    assert json.loads(result.stdout)
    assert result.stderr == ""


@pytest.mark.slow
def test_a_real_slide_is_segmented_and_its_polygons_are_the_mask(
    shared_data: Path, tmp_path: Path, own_home: Path
) -> None:
    slide = shared_data / "slides" / "CMU-1-Small-Region.svs"
    save_bundle(
        tmp_path / "bundle",
        create_model("lightmuseg-v2", classes=len(CLASSES)),
        card(tile=256, halo=32),
    )
    out = tmp_path / "out"
    result = segcore(
        "segment",
        str(slide),
        "--roi",
        "900,900,300,260",
        "--out",
        str(out),
        "--model",
        str(tmp_path / "bundle"),
        home=own_home,
    )
    assert result.returncode == 0, result.stderr
    mask = tifffile.imread(out / "mask.ome.tif")
    scale = json.loads((out / "run.json").read_text())["mask"]["scale"]
    assert scale == pytest.approx(0.5 / 0.499)
    assert np.array_equal(mask_again(out, mask.shape, scale), mask)
    assert np.count_nonzero(mask) == pytest.approx(300 * 260 / scale**2, rel=0.01)


def test_the_entry_point_is_what_pyproject_names() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["scripts"]["segcore"] == "segcore.cli:main"
