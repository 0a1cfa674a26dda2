"""Samples are read when they are asked for, and memory stays within its budget."""

import pickle
from functools import partial

import numpy as np
import pytest

from segcore.data import Sample, read_manifest_folder
from segcore.data.cache import PictureCache
from segcore.data.sample import KEPT
from segcore.errors import DataError
from tests.segcore.data.trees import canonical


class Reader:
    """Gives a picture of one grey and counts how often."""

    def __init__(self, grey=0, side=10):
        self.grey, self.side, self.times = grey, side, 0

    def __call__(self):
        self.times += 1
        return (
            np.full((self.side, self.side, 3), self.grey, np.uint8),
            np.zeros((self.side, self.side), np.uint8),
        )


def test_nothing_is_read_before_it_is_asked_for_and_then_once():
    read = Reader(7)
    sample = Sample.stored("a", "here", read)
    assert read.times == 0
    assert sample.image[0, 0, 0] == 7
    assert sample.codes.shape == sample.image.shape[:2]
    assert read.times == 1


def test_the_cache_keeps_to_its_budget_and_drops_what_was_not_used_longest():
    cache = PictureCache(budget=3 * 400)
    readers = [Reader(grey) for grey in range(4)]
    for each in readers[:3]:
        cache.get(each)
    cache.get(readers[0])
    cache.get(readers[3])
    assert cache.nbytes == 3 * 400
    for at in (0, 2, 3, 1):
        cache.get(readers[at])
    assert [each.times for each in readers] == [1, 2, 1, 1]


def test_a_picture_larger_than_the_budget_is_kept_for_its_mask():
    cache, read = PictureCache(budget=10), Reader()
    cache.get(read)
    cache.get(read)
    assert read.times == 1
    cache.get(Reader())
    assert cache.nbytes == 400


def test_stored_pixels_cannot_be_written_to():
    image = Sample.stored("a", "here", Reader()).image
    with pytest.raises(ValueError, match="read-only"):
        image[0] = 1


def test_a_renamed_sample_shares_the_pixels_and_a_changed_one_changes_them_when_read():
    read = Reader(7)
    sample = Sample.stored("a", "here", read, label="benign")
    other = sample.named("there")
    assert (other.source, other.label, sample.source) == ("there", "benign", "here")
    assert other.image is sample.image
    changed = sample.changed(lambda image, codes: (image + 1, codes + 2))
    assert read.times == 1
    assert (changed.image[0, 0, 0], changed.codes[0, 0], changed.label) == (8, 2, "benign")


def test_samples_of_arrays_are_as_before():
    image, codes = Reader(3)()
    sample = Sample("a", "here", image, codes)
    assert sample.image is image
    assert sample.codes is codes
    assert sample.changed(lambda i, c: (i, c + 1)).codes[0, 0] == 1


def test_samples_of_a_folder_can_be_sent_to_another_process(tmp_path):
    folder = canonical(tmp_path / "set", {"a": "train"})
    [sample, _] = read_manifest_folder(folder, split="train", mpp=0.5)
    again = pickle.loads(pickle.dumps(sample))  # noqa: S301 - our own
    assert np.array_equal(again.image, sample.image)


def test_a_file_that_went_away_is_named_when_it_is_read(tmp_path):
    folder = canonical(tmp_path / "set", {"a": "train"})
    [sample, _] = read_manifest_folder(folder, split="train", mpp=0.5)
    (folder / "images" / "a-0.png").unlink()
    with pytest.raises(DataError, match=r"a-0\.png"):
        _ = sample.image


def test_a_data_set_larger_than_the_budget_is_never_whole_in_memory(tmp_path, monkeypatch):
    folder = canonical(tmp_path / "set", {str(at): "train" for at in range(10)})
    one = 64 * 48 * 4
    monkeypatch.setattr(KEPT, "budget", 3 * one)
    for sample in read_manifest_folder(folder, split="train", mpp=0.5):
        assert sample.image.shape == (48, 64, 3)
        assert KEPT.nbytes <= 3 * one


def test_a_picture_with_a_label_needs_no_mask(tmp_path):
    folder = canonical(tmp_path / "set", {"a": "train"})
    manifest = folder / "manifest.csv"
    lines = manifest.read_text().split()
    manifest.write_text("\n".join([f"{lines[0]},label", *(f"{each},benign" for each in lines[1:])]))
    (folder / "labels" / "a-1.png").unlink()
    first, second = read_manifest_folder(folder, split="train", mpp=0.5)
    assert first.label == second.label == "benign"
    assert first.codes.any()
    assert not second.codes.any()


def test_folds_are_read_as_training_and_validation(tmp_path):
    folder = canonical(tmp_path / "set", {"a": "train", "b": "train", "c": "test"}, tiles=1)
    manifest = folder / "manifest.csv"
    lines = manifest.read_text().split()
    folds = ("fold", "0", "1", "")
    manifest.write_text("\n".join(f"{a},{b}" for a, b in zip(lines, folds, strict=True)))
    read = partial(read_manifest_folder, folder, mpp=0.5, fold=1)
    assert {split: [s.case for s in read(split=split)] for split in ("train", "val", "test")} == {
        "train": ["a"],
        "val": ["b"],
        "test": ["c"],
    }


def test_asking_for_a_fold_where_there_is_none_gets_a_sentence(tmp_path):
    folder = canonical(tmp_path / "set", {"a": "train"})
    with pytest.raises(DataError, match="no folds"):
        read_manifest_folder(folder, split="train", mpp=0.5, fold=0)
