"""A failing worker, a cancelled run, files that are no slides, a full disk, a kill: nothing is lost."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import Qt

from segcore.errors import ModelError
from tests.builders import ColourBundle, OneBundle, write_slide

ODD_BUT_FINE = (
    "boxes.tiff", "boxes_0.dcm", "boxes_1.dcm", "small.svs", "small_la.tiff", "test_orient3.tif",
    "test_orient6.tif", "yb10kx5k.zstd.tiff", "😐.svs",
)  # fmt: skip


class Failing(ColourBundle):
    """Fails at the n-th batch with whatever it was given."""

    def __init__(self, error, at=2):
        super().__init__()
        self.error, self.at = error, at

    def predict(self, tiles):
        result = super().predict(tiles)
        if self.calls == self.at:
            raise self.error
        return result


def ready(person, slide):
    person.opens(slide)
    person.region(100, 100, 1100, 700)
    return person


@pytest.mark.parametrize(
    "error",
    [
        ModelError("The weights are damaged; install the bundle again."),
        MemoryError(),
        ZeroDivisionError(),
    ],
)
@pytest.mark.parametrize("stage", [1, 2])
def test_a_failing_worker_is_told_and_the_next_run_succeeds(person, slide, error, stage):
    ready(person, slide)
    person.session.models = OneBundle(Failing(error, at=stage))

    person.does("segment.region")
    person.waits()

    said = person.messages()[-1]
    assert said in (str(error), "Something went wrong inside Acinus; your edits are saved.")
    assert not person.session.workspace.document.mask.tiles
    assert person.session.workspace.provisional is None
    person.does("segment.region")
    person.waits()
    assert person.session.workspace.document.mask.tiles


def test_cancelling_leaves_the_mask_as_it_was(person, slide):
    ready(person, slide).does("segment.region")
    person.waits()
    before = {k: t.tobytes() for k, t in person.session.workspace.document.mask.tiles.items()}

    job = person.does("segment.region")
    job.progressed.connect(lambda *_: job.cancel())
    person.waits()

    assert job.state == "cancelled"
    after = {k: t.tobytes() for k, t in person.session.workspace.document.mask.tiles.items()}
    assert after == before
    assert person.session.workspace.provisional is None


def test_what_a_cancelled_run_had_found_can_be_kept_and_undone(person, slide):
    ready(person, slide)
    job = person.does("segment.region")
    job.streamed.connect(lambda _: job.cancel())
    person.waits()
    assert not person.session.workspace.document.mask.tiles
    (message,) = person.window.stage.messages

    message.offers[0].verb()

    assert message.offers[0].title == "Keep what was found"
    codes = set().union(*map(np.unique, person.session.workspace.document.mask.tiles.values()))
    assert codes - {0} <= set(ColourBundle.codes)
    person.does("edit.undo")
    assert not person.session.workspace.document.mask.tiles


def test_the_slide_may_be_closed_while_a_segmentation_runs(person, slide):
    ready(person, slide).does("segment.region")

    person.session.close()
    person.waits()

    assert person.session.workspace is None
    assert person.messages() == []
    person.opens(slide)
    assert person.session.workspace is not None


def test_of_two_slides_opened_at_once_the_last_one_stays(person, slide, tmp_path):
    other = write_slide(tmp_path / "other.tif")
    person.session.open(slide)
    person.session.open(other)
    person.waits()

    assert person.session.workspace.slide.path == other


def test_a_file_that_is_no_slide_gives_one_sentence_and_keeps_the_open_one(person, slide, tmp_path):
    person.opens(slide)
    text = tmp_path / "notes.svs"
    text.write_text("not a slide")

    person.opens(text)

    assert len(person.messages()) == 1
    assert "notes.svs" in person.messages()[0]
    assert person.session.workspace.slide.path == slide


def test_every_odd_file_opens_or_is_refused_in_one_sentence(person, shared_data):
    odd = sorted((shared_data / "slides" / "odd").iterdir())
    assert len(odd) > 15
    for path in odd:
        person.session.close()
        for message in list(person.window.stage.messages):
            message.close_message()

        person.opens(path)

        opened = person.session.workspace is not None
        assert opened or len(person.messages()) == 1, path.name
        assert opened or (len(person.messages()[0]) > 20 and "\n" not in person.messages()[0])
        if path.name in ODD_BUT_FINE:
            assert opened, f"{path.name}: {person.messages()}"


def test_a_study_open_elsewhere_is_shown_but_not_changed(open_window, slide):
    first = open_window().opens(slide)
    first.region(100, 100, 500, 500)
    second = open_window().opens(slide)

    assert len(second.session.workspace.document.annotations) == 1
    assert "can only be read" in second.messages()[0]
    second.region(600, 100, 900, 500)

    assert len(second.session.workspace.document.annotations) == 1
    assert len(second.messages()) == 2


def test_a_full_disk_is_told_and_nothing_is_lost_once_there_is_room(person, slide):
    person.opens(slide)
    person.region(100, 100, 500, 500)
    study = person.session.workspace.study
    pages = study.ask("PRAGMA page_count")[0][0]
    study.ask(f"PRAGMA max_page_count = {pages}")

    person.key(Qt.Key.Key_B)
    for row in range(50, 750, 4):
        person.drags((100, row), (1000, row + 30))

    assert study.unsaved > 0
    assert any("full" in text for text in person.messages())
    assert person.session.workspace.document.mask.tiles
    study.ask("PRAGMA max_page_count = 1000000")
    person.key(Qt.Key.Key_E)
    person.drags((250, 250), (300, 300))
    assert study.unsaved == 0


SCRIPT = """
import os, signal
from segcore.annotations import Annotation
from shapely.geometry import box
from viewer.document import edits
for i in range(7):
    session.apply(edits.add([Annotation(box(i * 50, 0, i * 50 + 40, 40), name=f"A{i}")]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_program_has_lost_no_finished_edit(open_window, tmp_path, own_home):
    slide = write_slide(tmp_path / "killed.tif")
    script = tmp_path / "edits.py"
    script.write_text(SCRIPT)

    ended = subprocess.run(
        [sys.executable, "-m", "viewer", str(slide), "--script", str(script)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "ACINUS_HOME": str(own_home)},
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL

    person = open_window().opens(slide)
    names = [each.name for each in person.session.workspace.document.annotations.values()]
    assert names == [f"A{i}" for i in range(7)]


def test_an_error_in_a_script_ends_the_program_with_its_traceback(tmp_path, own_home):
    script = tmp_path / "wrong.py"
    script.write_text("session.no_such_thing()")

    ended = subprocess.run(
        [sys.executable, "-m", "viewer", "--script", str(script)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "ACINUS_HOME": str(own_home)},
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert "no_such_thing" in ended.stderr
