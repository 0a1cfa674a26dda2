"""A full or failing disk loses no edit (reliability figures R3, R4)."""

import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from segcore.errors import StudyError
from viewer.document import MaskGrid, Study, edits

FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from viewer.document import MaskGrid, Study, edits

place = Path(sys.argv[1])
with Study.open(place, create=True) as study:
    document = study.document(study.add_slide(place, "f", 1, 1, None))
    told = []
    study.trouble.connect(told.append)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    for seed in range(12):
        noise = np.random.default_rng(seed).integers(0, 5, (256, 256), np.uint8)
        document.apply(edits.paint(document.mask, noise, 0, 0, grid=MaskGrid(2, 0.5)))
    document.undo()
    assert 0 < study.unsaved < 13, study.unsaved
    assert "not saved yet" in told[-1], told
    assert document.position == 11
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert study.flush() and study.unsaved == 0
    expected = document.mask.read(0, 0, 256, 256)
with Study.open(place) as study:
    document = study.document(1)
    assert document.position == 11 and len(document.history) == 12
    assert np.array_equal(document.mask.read(0, 0, 256, 256), expected)
print("kept")
"""


class Failing:
    """A connection whose `nth` statement fails, before or after it was done."""

    def __init__(self, real: sqlite3.Connection, nth: int, *, after: bool) -> None:
        self._real, self._left, self._after = real, nth, after

    def execute(self, *args):
        return self._run(self._real.execute, args)

    def executemany(self, *args):
        return self._run(self._real.executemany, args)

    def _run(self, do, args):
        self._left -= 1
        if self._left == 0:
            if self._after:
                do(*args)
            raise sqlite3.OperationalError("disk I/O error")
        return do(*args)

    def __getattr__(self, name):
        return getattr(self._real, name)


def session(document, square) -> None:
    a, b = square(), square(20)
    document.apply(edits.add([a, b]))
    document.apply(
        edits.paint(document.mask, np.ones((9, 9), np.uint8), 0, 0, grid=MaskGrid(2, 0.5))
    )
    document.undo()
    document.redo()
    document.apply(edits.delete([a]))
    document.undo()
    document.apply(edits.replace([b], [b.with_(name="b")], name="Rename"))


def limited(study: Study, pages: int) -> None:
    (used,) = study.ask("PRAGMA page_count")[0]
    study.ask(f"PRAGMA max_page_count = {used + pages}")


@pytest.mark.parametrize("after", [False, True], ids=["undone", "done"])
@pytest.mark.parametrize("nth", range(1, 60))
def test_whichever_write_fails_nothing_is_lost(study, place, square, state_of, nth, after):
    told = []
    study.trouble.connect(told.append)
    document = study.document(1)
    real = study._file
    study._file = dataclasses.replace(real, connection=Failing(real.connection, nth, after=after))

    refused = []
    try:
        session(document, square)
    except StudyError as error:  # an undo that cannot read what it should undo
        refused.append(str(error))
    assert study.flush()
    assert all("cannot be read" in each for each in refused)
    assert len(told) + len(refused) <= 1
    expected, history = state_of(document), document.history
    position = document.position
    assert study.close()

    with Study.open(place) as again:
        assert state_of(again.document(1)) == expected
        assert (again.document(1).history, again.document(1).position) == (history, position)


def test_edits_on_a_full_disk_are_kept_in_memory_and_saved_later(study, place, square, state_of):
    told, saved = [], []
    study.trouble.connect(told.append)
    study.saved.connect(saved.append)
    document = study.document(1)
    document.apply(edits.add([square()]))
    limited(study, 1)
    saved.clear()

    for x in range(3):
        document.apply(edits.add([square(x, metadata={"long": "".join(map(str, range(9000)))})]))
    document.undo()
    document.undo()
    document.redo()

    assert study.unsaved == 6
    assert told[0] == (
        "The disk is full: 1 edit is not saved yet; free some space and it will be saved."
    )
    assert told[-1] == (
        "The disk is full: 6 edits are not saved yet; free some space and they will be saved."
    )
    assert not saved
    limited(study, 10_000)
    assert study.flush()
    assert (study.unsaved, len(saved)) == (0, 1)
    expected = state_of(document)
    study.close()
    with Study.open(place) as again:
        assert state_of(again.document(1)) == expected
        assert (len(again.document(1).history), again.document(1).position) == (4, 3)


def test_the_next_edit_saves_what_waited(study, square):
    document = study.document(1)
    limited(study, 0)
    document.apply(edits.add([square(metadata={"long": "".join(map(str, range(9000)))})]))
    assert study.unsaved == 1

    limited(study, 10_000)
    document.apply(edits.add([square()]))

    assert study.unsaved == 0


def test_saving_elsewhere_takes_along_what_waited(study, place, square, state_of):
    document = study.document(1)
    limited(study, 0)
    document.apply(edits.add([square(metadata={"long": "".join(map(str, range(9000)))})]))
    assert study.unsaved == 1

    study.save_as(place.with_name("elsewhere.acinus"))

    assert study.unsaved == 0
    expected = state_of(document)
    study.close()
    with Study.open(place.with_name("elsewhere.acinus")) as again:
        assert state_of(again.document(1)) == expected


def test_closing_on_a_full_disk_says_that_edits_are_lost(study, square):
    limited(study, 0)
    study.document(1).apply(edits.add([square(metadata={"long": "".join(map(str, range(9000)))})]))

    assert not study.close()
    assert study.unsaved == 1


def test_what_is_no_edit_fails_in_a_sentence_on_a_full_disk(study):
    limited(study, 0)

    with pytest.raises(StudyError, match="disk is full"):
        study.set_setting("long", "x" * 100_000)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file sizes")
def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path):
    result = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path / "s.acinus"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stdout, result.stderr) == ("kept\n", "")
