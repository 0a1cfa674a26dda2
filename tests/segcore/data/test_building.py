"""Data sets are built case by case, go on after a kill, and leave nothing out silently."""

import csv
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest

from segcore.cli import main
from segcore.data import read_manifest_folder
from segcore.data.building import JOURNAL, build
from segcore.data.cases import Cut, Part, RefusedCase
from segcore.errors import DataError, ExportError
from segcore.progress import Cancelled
from tests.segcore.data.trees import canonical


@dataclass
class Fake:
    """A case of two small pictures, that counts how often it is read."""

    name: str
    case: str = "p"
    source: str = "fake"
    split: str = "train"
    times: int = 0

    @property
    def title(self):
        return self.name

    def parts(self, cut, remark):
        self.times += 1
        remark("A remark.")
        for x in (0, 8):
            codes = np.full((8, 8), 2, np.uint8)
            codes[0, 0] = 0
            yield Part(np.full((8, 8, 3), x, np.uint8), codes, 0.5, x, 0)


TILES = Cut(0.5, 8)


def made(folder):
    return {
        each.relative_to(folder).as_posix(): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }


def test_the_folder_holds_pictures_masks_and_a_manifest_with_counts(tmp_path):
    built = build([Fake("a/b c")], tmp_path / "out", TILES, settings={"source": "fake"})
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (built.pictures, built.cases) == (2, 1)
    assert rows[1] == {
        "file": "a-b-c_x8_y0.png", "case": "p", "source": "fake", "mpp": "0.5", "split": "train", "label": "",
        "x": "8", "y": "0", "width": "8", "height": "8",
        "Tumor": "0", "Stroma": "63", "Lymphocyte": "0", "Necrosis": "0", "Other": "0",
    }  # fmt: skip
    [first, second] = read_manifest_folder(tmp_path / "out", split="train", mpp=0.5)
    assert (first.image == 0).all()
    assert (second.image == 8).all()
    assert second.codes[0].tolist() == [0, 2, 2, 2, 2, 2, 2, 2]
    assert not (tmp_path / "out" / JOURNAL).exists()


def test_what_is_left_out_is_listed_and_kept_in_the_record(tmp_path):
    cases = [Fake("a"), RefusedCase("bad", "It is broken.")]
    built = build(cases, tmp_path / "out", TILES, settings={})
    assert built.left_out == {"a": ["A remark."], "bad": ["It is broken."]}
    record = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert record["built"]["left_out"] == built.left_out
    assert record["classes"]["Necrosis"] == 4


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    cases = [Fake(name) for name in "abc"]

    def stop(fraction, text=""):
        if text.startswith("2 of 3"):
            raise Cancelled

    with pytest.raises(Cancelled):
        build(cases, tmp_path / "out", TILES, settings={}, report=stop)
    assert not (tmp_path / "out" / "manifest.csv").exists()
    with (tmp_path / "out" / JOURNAL).open("a") as file:
        file.write('{"name": "c", "ro')  # as a kill leaves it
    build(cases, tmp_path / "out", TILES, settings={})
    assert [each.times for each in cases] == [1, 1, 1]
    build([Fake(name) for name in "abc"], tmp_path / "whole", TILES, settings={})
    assert made(tmp_path / "out") == made(tmp_path / "whole")


class Breaking(Fake):
    """A slide that cannot be read any more after its first tile."""

    def parts(self, cut, remark):
        yield next(iter(super().parts(cut, remark)))
        raise DataError("It broke.")


def test_a_case_that_breaks_half_way_leaves_nothing(tmp_path):
    built = build([Breaking("a"), Fake("b")], tmp_path, TILES, settings={})
    assert built.left_out["a"] == ["A remark.", "It broke."]
    assert not [name for name in made(tmp_path) if "/a_" in name]


def test_what_failed_is_tried_again(tmp_path):
    def stop(fraction, text=""):
        if fraction == 1.0:
            raise Cancelled

    with pytest.raises(Cancelled):
        build([RefusedCase("a", "Bad."), Fake("b")], tmp_path, TILES, settings={}, report=stop)
    again = [Fake("a"), Fake("b")]
    assert build(again, tmp_path, TILES, settings={}).pictures == 4
    assert [each.times for each in again] == [1, 0]


def test_a_finished_data_set_is_not_built_again_nor_replaced_by_another(tmp_path):
    case = Fake("a")
    first = build([case], tmp_path, TILES, settings={})
    assert build([case], tmp_path, TILES, settings={}) == first
    assert case.times == 1
    for cases, cut in (([case], Cut(0.25, 8)), ([case, Fake("b")], TILES)):
        with pytest.raises(ExportError, match="already holds another data set"):
            build(cases, tmp_path, cut, settings={})


def test_a_run_does_not_go_on_with_other_settings(tmp_path):
    def stop(fraction, text=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        build([Fake("a")], tmp_path, TILES, settings={}, report=stop)
    with pytest.raises(ExportError, match="begun with other settings"):
        build([Fake("a")], tmp_path, Cut(1.0, 8), settings={})


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(ExportError, match="not empty"):
        build([Fake("a")], tmp_path, TILES, settings={})
    assert list(made(tmp_path)) == ["mine.txt"]
    with pytest.raises(ExportError, match="cannot be written"):
        build([Fake("a")], tmp_path / "mine.txt" / "below", TILES, settings={})


def test_nothing_usable_gets_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"None of 1 .* could be used; the first: It is broken\.$"):
        build([RefusedCase("bad", "It is broken.")], tmp_path, TILES, settings={})
    assert not (tmp_path / "manifest.csv").exists()


def test_names_that_differ_in_case_only_do_not_meet(tmp_path):
    build([Fake("A"), Fake("a"), Fake("é")], tmp_path, TILES, settings={})
    names = [name.lower() for name in made(tmp_path) if name.startswith("images")]
    assert len(set(names)) == 6


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing to kill with")
def test_a_killed_command_loses_no_finished_case(tmp_path):
    source = canonical(tmp_path / "set", {str(at): "train" for at in range(40)}, tiles=1)
    command = [sys.executable, "-m", "segcore", "dataset", "tiles", str(source), "--out"]
    out, whole = tmp_path / "out", tmp_path / "whole"
    child = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL)
    journal = out / JOURNAL
    for _ in range(1000):
        if child.poll() is not None or (
            journal.is_file() and journal.read_bytes().count(b"\n") > 5
        ):
            break
        time.sleep(0.01)
    child.kill()
    child.wait()
    kept = {name: (out / name).stat().st_mtime_ns for name in finished(journal)}
    for folder in (out, whole):
        assert main([*command[3:], str(folder)]) == 0
    assert len(kept) >= 5
    assert kept == {name: (out / name).stat().st_mtime_ns for name in kept}
    assert made(out) == made(whole)


def finished(journal):
    """Return the pictures that the journal says are finished."""
    lines = journal.read_bytes().split(b"\n")[1:-1]
    return [f"images/{row['file']}" for line in lines for row in json.loads(line)["rows"]]
