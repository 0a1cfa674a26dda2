import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segcore.annotations import LabelMap, load_taxonomy
from segcore.data import export_tiles, read_manifest_folder, read_tiles
from segcore.errors import DataError, ExportError
from segcore.progress import Cancelled
from segcore.slides import ArraySlide, open_slide


@pytest.fixture
def slide() -> ArraySlide:
    pixels = np.random.default_rng(0).integers(0, 255, (400, 500, 3), np.uint8)
    return ArraySlide(pixels, mpp=0.5, path="/records/Jane Doe 1961.svs")


@pytest.fixture
def labels() -> LabelMap:
    codes = np.zeros((130, 200), np.uint8)
    codes[:64, :64] = 1
    codes[:64, 64:128] = 2
    codes[:8, 128:192] = 3  # an eighth of its tile
    codes[64:66, :64] = 4  # too little
    return LabelMap(codes, 20, 10, scale=2.0, mpp=1.0)


def test_tiles_come_back_as_they_were_cut(
    tmp_path: Path, slide: ArraySlide, labels: LabelMap
) -> None:
    manifest = export_tiles(slide, labels, tmp_path / "out", tile=64, min_labelled=0.1)

    assert [(each.x, each.y) for each in manifest.tiles] == [(40, 20), (168, 20), (296, 20)]
    assert [each.pixels["Tumor"] for each in manifest.tiles] == [64 * 64, 0, 0]
    first, second, third = read_tiles(tmp_path / "out")
    assert np.array_equal(first.codes, labels.labels[:64, :64])
    assert np.array_equal(third.codes, labels.labels[:64, 128:192])
    assert (second.codes == 2).all()
    means = slide.read(40, 20, 0, 128, 128).reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(first.image - means).max() <= 0.51  # level 0 reduced to the mask's pixels
    assert first.case == second.case == manifest.case


def test_beyond_the_mask_nothing_is_labelled_but_the_picture_goes_on(
    tmp_path: Path, slide: ArraySlide
) -> None:
    labels = LabelMap(np.full((30, 40), 5, np.uint8), 0, 0, scale=1.0, mpp=0.5)
    export_tiles(slide, labels, tmp_path / "out", tile=64)
    [tile] = read_tiles(tmp_path / "out")
    assert np.count_nonzero(tile.codes) == 30 * 40
    assert np.array_equal(tile.image, slide.read(0, 0, 0, 64, 64))


def test_recipes_can_name_the_folder(tmp_path: Path, slide: ArraySlide, labels: LabelMap) -> None:
    export_tiles(slide, labels, tmp_path / "out", tile=64, split="val")
    assert read_manifest_folder(tmp_path / "out", split="train", mpp=1.0) == []
    samples = read_manifest_folder(tmp_path / "out", split="val", mpp=1.0)
    assert [each.codes.max() for each in samples] == [1, 2, 3]


def test_masks_are_palette_pictures_in_the_colours_of_the_classes(
    tmp_path: Path, slide: ArraySlide, labels: LabelMap
) -> None:
    manifest = export_tiles(slide, labels, tmp_path / "out", tile=64)
    with Image.open(tmp_path / "out" / "labels" / manifest.tiles[0].file) as mask:
        assert mask.mode == "P"
        assert mask.convert("RGB").getpixel((5, 5)) == load_taxonomy().named("Tumor").colour


def test_the_manifests_agree(tmp_path: Path, slide: ArraySlide, labels: LabelMap) -> None:
    manifest = export_tiles(slide, labels, tmp_path / "out", tile=64)
    document = json.loads((tmp_path / "out" / "manifest.json").read_text())
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert document["mpp"] == 1.0
    assert document["classes"]["Lymphocyte"] == 3
    assert [each["file"] for each in rows] == [each.file for each in manifest.tiles]
    assert int(rows[2]["Lymphocyte"]) == 8 * 64 == document["tiles"][2]["pixels"]["Lymphocyte"]


def test_jpeg_tiles_are_close_to_the_slide(tmp_path: Path, labels: LabelMap) -> None:
    smooth = np.full((400, 500, 3), (200, 120, 180), np.uint8)
    export_tiles(ArraySlide(smooth), labels, tmp_path / "out", tile=64, picture="jpg")
    assert all(
        np.abs(each.image.astype(int) - smooth[0, 0]).max() <= 2
        for each in read_tiles(tmp_path / "out")
    )


def test_nothing_names_the_patient(tmp_path: Path, slide: ArraySlide, labels: LabelMap) -> None:
    export_tiles(slide, labels, tmp_path / "out", tile=64)
    for each in (tmp_path / "out").rglob("*"):
        text = each.name.encode() + (each.read_bytes() if each.is_file() else b"")
        assert b"Jane" not in text
        assert b"records" not in text


def test_the_case_of_a_slide_is_always_the_same(tmp_path: Path, labels: LabelMap) -> None:
    Image.new("RGB", (500, 400)).save(tmp_path / "Jane.png")
    cases = set()
    for out in ("one", "two"):
        with open_slide(tmp_path / "Jane.png") as slide:
            cases.add(export_tiles(slide, labels, tmp_path / out, tile=64).case)
    assert len(cases) == 1


def test_a_folder_that_holds_something_is_refused(
    tmp_path: Path, slide: ArraySlide, labels: LabelMap
) -> None:
    (tmp_path / "out").mkdir()
    export_tiles(slide, labels, tmp_path / "out", tile=64)  # empty is fine
    before = sorted((tmp_path / "out").rglob("*"))
    with pytest.raises(
        ExportError, match=r"already holds 'images'; choose an empty or a new folder\.$"
    ):
        export_tiles(slide, labels, tmp_path / "out", tile=64)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is a file"):
        export_tiles(slide, labels, tmp_path / "file", tile=64)
    assert sorted((tmp_path / "out").rglob("*")) == before


def test_a_cancelled_export_leaves_nothing(
    tmp_path: Path, slide: ArraySlide, labels: LabelMap
) -> None:
    def cancel(fraction: float, text: str = "") -> None:
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_tiles(slide, labels, tmp_path / "out", tile=64, report=cancel)
    assert not list(tmp_path.glob("*out*"))
    assert not list(tmp_path.glob(".*"))


def test_too_few_labels_are_told(tmp_path: Path, slide: ArraySlide) -> None:
    labels = LabelMap(np.zeros((100, 100), np.uint8), 0, 0, 1.0, 0.5)
    with pytest.raises(DataError, match="label more or make tiles smaller"):
        export_tiles(slide, labels, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, "", "{}", '{"case": 5}'])
def test_a_folder_without_a_sound_manifest_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=r"no sound manifest\.json"):
        list(read_tiles(tmp_path))


def test_a_manifest_cannot_lead_out_of_its_folder(
    tmp_path: Path, slide: ArraySlide, labels: LabelMap
) -> None:
    manifest = export_tiles(slide, labels, tmp_path / "out", tile=64)
    file = tmp_path / "out" / "manifest.json"
    file.write_text(file.read_text().replace(manifest.tiles[0].file, "../../secret.png"))
    with pytest.raises(DataError, match="no file in"):
        list(read_tiles(tmp_path / "out"))
