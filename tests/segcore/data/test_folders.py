import csv

import numpy as np
import pytest
from PIL import Image

from segcore.data import read_class_tiles, read_manifest_folder, read_mask_folder
from segcore.data.sample import resample
from segcore.errors import DataError


def make_set(folder, mpp=0.5):
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    rows = []
    for case, split in (("a", "train"), ("b", "train"), ("c", "val")):
        Image.new("RGB", (40, 30), (200, 100, 150)).save(folder / "images" / f"{case}.png")
        Image.fromarray(np.full((30, 40), 2, np.uint8)).save(folder / "labels" / f"{case}.png")
        rows.append(
            {"file": f"{case}.png", "case": case, "source": "here", "mpp": mpp, "split": split}
        )
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_each_split_has_its_own_cases(tmp_path):
    folder = make_set(tmp_path / "set")
    train, val = (read_manifest_folder(folder, split=s, mpp=0.5) for s in ("train", "val"))

    assert [s.case for s in train] == ["a", "b"]
    assert [s.case for s in val] == ["c"]
    assert val[0].image.shape == (30, 40, 3)
    assert (val[0].codes == 2).all()


def test_pictures_are_brought_to_the_working_pixel_size(tmp_path):
    folder = make_set(tmp_path / "set", mpp=0.25)

    (sample,) = read_manifest_folder(folder, split="val", mpp=0.5)

    assert sample.image.shape == (15, 20, 3)
    assert sample.codes.shape == (15, 20)


def test_a_mask_keeps_to_its_codes_when_it_is_resampled():
    codes = np.zeros((20, 20), np.uint8)
    codes[:, 10:] = 4

    _, scaled = resample(np.zeros((20, 20, 3), np.uint8), codes, factor=0.63)

    assert set(np.unique(scaled)) == {0, 4}


def test_tiles_take_the_class_of_their_folder(tmp_path):
    for name in ("STR", "TUM", "ODD"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (16, 16)).save(tmp_path / name / "1.png")

    samples = read_class_tiles(tmp_path, {"STR": 2, "TUM": 1}, tile_mpp=0.5, mpp=0.5)

    assert sorted(int(s.codes[0, 0]) for s in samples) == [1, 2]


def test_a_folder_without_manifest_is_named(tmp_path):
    with pytest.raises(DataError, match=r"manifest\.csv"):
        read_manifest_folder(tmp_path, split="train", mpp=0.5)


def test_a_mask_of_another_size_is_named(tmp_path):
    folder = make_set(tmp_path / "set")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "labels" / "c.png")
    with pytest.raises(DataError, match=r"c\.png"):
        read_manifest_folder(folder, split="val", mpp=0.5)


def test_a_missing_or_broken_picture_is_named(tmp_path):
    folder = make_set(tmp_path / "set")
    (folder / "images" / "c.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"c\.png"):
        read_manifest_folder(folder, split="val", mpp=0.5)


def test_folders_without_tiles_are_refused(tmp_path):
    with pytest.raises(DataError, match="no tiles"):
        read_class_tiles(tmp_path, {"STR": 2}, tile_mpp=0.5, mpp=0.5)


def test_mask_values_become_codes_and_the_rest_is_unlabelled(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "images" / "1.jpg")
    mask = np.full((10, 20), 7, np.uint8)
    mask[:, :8], mask[:, 12:] = 0, 255
    Image.fromarray(mask).save(tmp_path / "masks" / "1.png")

    (sample,) = read_mask_folder(tmp_path, {255: 1, 0: 3}, picture_mpp=1.0, mpp=0.5)

    assert sample.image.shape == (20, 40, 3)
    assert sample.codes[0, [0, 20, 39]].tolist() == [3, 0, 1]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match="no pictures"):
        read_mask_folder(tmp_path, {255: 1}, picture_mpp=1.0, mpp=0.5)
