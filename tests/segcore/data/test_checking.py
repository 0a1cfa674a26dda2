"""What is in a data set, and what is wrong with it."""

import numpy as np
import pytest

from segcore.data.building import JOURNAL
from segcore.data.checking import inspect
from segcore.errors import DataError
from tests.segcore.data import trees


@pytest.fixture
def folder(tmp_path):
    return trees.canonical(tmp_path / "set", {"a": "train", "b": "train", "c": "val"})


def test_counts_are_those_of_the_files(folder):
    found = inspect(folder)
    parts = found.parts()
    assert not found.problems
    assert (parts["train"].pictures, parts["val"].pictures) == (4, 2)
    assert parts["val"].classes == {"Tumor": 64 * 48, "Stroma": 64 * 48}
    assert found.cases_of("train") == 2
    assert found.cases["train", "a"].pictures == 2


def test_every_fault_is_told(folder):
    manifest = folder / "manifest.csv"
    text = manifest.read_text()
    lines = [
        text.splitlines()[1].replace("a,", "c,", 1).replace("a-0", "c-0"),
        "gone.png,c,here,0.5,val",
    ]
    manifest.write_text(text + "\n".join(lines) + "\n")
    trees.mask(folder / "labels" / "a-0.png", np.zeros((9, 9)))
    trees.mask(folder / "labels" / "a-1.png", np.full((48, 64), 77))
    (folder / "labels" / "b-0.png").unlink()
    image = folder / "images" / "b-1.png"
    image.write_bytes(image.read_bytes()[:-30])
    trees.picture(folder / "images" / "stray.png")
    problems = "\n".join(inspect(folder).problems)
    for told in (
        "The case c is in train and in val",
        "c-0.png has 2 rows",
        "1 files in images are not in the manifest, the first stray.png",
        "The mask of a-0.png has another size",
        "The mask of a-1.png has the value 77",
        "b-0.png has neither a mask nor a label",
        "b-1.png cannot be read",
        "gone.png cannot be read",
    ):
        assert told in problems
    assert len(problems.splitlines()) == 8


def test_a_manifest_that_leads_out_of_its_folder_is_told(folder):
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("a-0.png", "../../secret.png"))
    assert any("which is no file in" in each for each in inspect(folder).problems)


def test_an_unfinished_folder_is_refused(folder):
    (folder / JOURNAL).write_text("{}\n")
    with pytest.raises(DataError, match="not finished"):
        inspect(folder)


def test_a_manifest_without_a_column_is_refused(folder):
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("split", "part"))
    with pytest.raises(DataError, match="no column 'split'"):
        inspect(folder)
