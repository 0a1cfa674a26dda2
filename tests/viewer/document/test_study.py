import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shapely

from segcore.annotations import Annotation
from segcore.errors import StudyError
from viewer.document import Study, database, default_study_path, edits, schema

HOLD = """
import sys
from pathlib import Path
from viewer.document import Study
study = Study.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process(place):
    """Another process that has the study open."""
    Study.open(place, create=True).close()
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout.readline() == "ready\n"
        yield child
        child.kill()


def test_everything_about_an_annotation_survives_a_restart(study, place, state_of):
    odd = Annotation(
        shapely.MultiPolygon([shapely.box(0.1, -0.0, 1 / 3, 1e-300), shapely.box(5, 5, 9, 9)]),
        class_name="tumor",
        name="Größe 😐\0",
        locked=True,
        kind="detection",
        ellipse=True,
        colour=(1, 2, 255),
        measurements={"nan": math.nan, "inf": -math.inf, "small": 5e-324, "third": 1 / 3},
        metadata={"a": "", "": "ü"},
        extra={"big": 10**40, "nan": math.nan, "deep": [{"x": [None, True, 1.5, "\ud800"]}]},
    )
    solid = Annotation(shapely.LineString([(0, 0, 1.5), (1, 1, 2)]), name="")
    empty = Annotation(shapely.Polygon())
    document = study.document(1)
    document.apply(edits.add([odd, solid, empty]))
    before = state_of(document)
    study.close()

    with Study.open(place) as again:
        assert state_of(again.document(1)) == before
        assert again.document(1).history == ("Add 3 annotations",)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": 5},
        {"name": "\ud800"},
        {"extra": {"x": object()}},
        {"colour": (1, 2)},
        {"metadata": {"x": 1}},
        {"id": "\udfff"},
    ],
)
def test_what_could_not_be_read_back_is_refused_and_not_stored(study, square, fields):
    document = study.document(1)

    with pytest.raises(StudyError, match="cannot be stored"):
        document.apply(edits.add([square(), square(**fields)]))

    assert not document.annotations
    assert study.ask("SELECT count(*) FROM journal") == [(0,)]


def test_slides_keep_apart(study, place, square):
    other = study.add_slide(place.with_name("other.svs"), "7-def", 10, 20, None)
    a, b = square(), square()

    study.document(1).apply(edits.add([a]))
    study.document(other).apply(edits.add([b]))
    study.document(1).undo()
    study.close()

    with Study.open(place) as again:
        assert not again.document(1).annotations
        assert list(again.document(other).annotations) == [b.id]


def test_a_slide_is_known_by_its_fingerprint(study, place):
    assert study.add_slide(place.with_name("renamed.svs"), "7-abc", 4000, 3000, None) == 1
    (slide,) = study.slides()
    assert (slide.width, slide.height, slide.mpp, slide.mpp_source) == (4000, 3000, 0.25, "file")

    study.set_mpp(1, 0.5)

    assert (study.slides()[0].mpp, study.slides()[0].mpp_source) == (0.5, "user")


def test_a_slide_is_found_beside_the_study_after_both_were_moved(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    name = os.fsdecode(b"slide \xff 1.svs") if sys.platform == "linux" else "slide 1.svs"
    (old / name).touch()
    with Study.open(old / "s.acinus", create=True) as study:
        slide = study.add_slide(old / name, "f", 1, 1, None)
        assert study.locate(slide) == old / name
    old.rename(new)

    with Study.open(new / "s.acinus") as study:
        assert study.locate(slide) == new / name
        (new / name).rename(tmp_path / "away.svs")
        assert study.locate(slide) is None
        study.relink(slide, tmp_path / "away.svs")
        assert study.locate(slide) == tmp_path / "away.svs"


def test_runs_and_settings_are_kept(study, place):
    assert study.get_setting("opacity") is None
    assert study.get_setting("opacity", "0.5") == "0.5"
    study.set_setting("opacity", "0.7")
    study.set_setting("opacity", "0.8")
    study.record_run(1, '{"model": "x"}')
    study.close()

    with Study.open(place) as again:
        assert again.get_setting("opacity") == "0.8"
        assert again.runs(1) == ['{"model": "x"}']


def test_each_successful_write_is_told(study, square):
    times = []
    study.saved.connect(times.append)
    study.document(1).apply(edits.add([square()]))
    study.document(1).undo()

    assert len(times) == 2
    assert times[0].tzinfo is not None


def test_a_listener_that_fails_does_not_make_a_stored_edit_look_refused(study, square, monkeypatch):
    caught = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: caught.append(error))
    study.saved.connect(lambda _: 1 / 0)

    study.document(1).apply(edits.add([square()]))

    assert study.document(1).position == 1
    assert caught[0][0] is ZeroDivisionError


def test_a_closed_study_leaves_one_file(study, place, square):
    study.document(1).apply(edits.add([square()]))
    assert study.close()
    assert study.close()

    assert [each.name for each in place.parent.glob("one*")] == ["one.acinus"]
    with pytest.raises(StudyError, match="closed"):
        study.document(1).apply(edits.add([square()]))


def test_a_study_open_elsewhere_is_read_only_and_names_its_holder(other_process, place):
    with Study.open(place) as study:
        assert study.read_only
        assert f"(process {other_process.pid})" in study.holder
        assert "@" in study.holder
        with pytest.raises(StudyError, match="Save as"):
            study.set_setting("a", "b")


def test_the_lock_of_a_killed_process_is_gone(other_process, place):
    other_process.kill()
    other_process.wait()

    with Study.open(place) as study:
        assert not study.read_only
        assert study.holder is None


def test_a_read_only_study_shows_the_moment_it_was_opened_and_goes_on_under_another_name(
    study, place, square, state_of
):
    document = study.document(1)
    document.apply(edits.add([square()]))
    with Study.open(place) as copy:
        document.apply(edits.add([square()]))
        theirs = copy.document(1)
        assert (copy.read_only, theirs.position) == (True, 1)
        for attempt in (theirs.undo, lambda: theirs.apply(edits.add([square()]))):
            with pytest.raises(StudyError, match=r"open by .*Save as"):
                attempt()
        assert theirs.position == 1

        copy.save_as(place.with_name("two.acinus"))
        assert not copy.read_only
        assert copy.holder is None
        theirs.undo()
        theirs.redo()
        theirs.apply(edits.add([square()]))
        expected = state_of(theirs)

    with Study.open(place.with_name("two.acinus")) as again:
        assert state_of(again.document(1)) == expected
        assert again.document(1).position == 2


def test_saving_as_goes_on_in_the_new_file_and_frees_the_old(study, place, square, tmp_path):
    (tmp_path / "slide.svs").touch()
    document = study.document(1)
    document.apply(edits.add([square()]))
    new = tmp_path / "deeper" / "new.acinus"

    study.save_as(new)
    document.apply(edits.add([square()]))
    study.close()

    with Study.open(place) as old:
        assert (old.read_only, old.document(1).position) == (False, 1)
    with Study.open(new) as again:
        assert again.document(1).position == 2
        assert again.ask("SELECT relative FROM slides") == [(b"../slide.svs",)]


def test_saving_over_a_study_that_is_open_is_refused_and_changes_nothing(study, place, square):
    target = place.with_name("target.acinus")
    with Study.open(target, create=True) as held:
        held.set_setting("mine", "yes")
        with pytest.raises(StudyError, match="is open by"):
            study.save_as(target)
        assert held.get_setting("mine") == "yes"

    study.document(1).apply(edits.add([square()]))
    assert study.path == place


def test_saving_where_nothing_can_be_written_leaves_the_study_where_it_was(study, place, square):
    (place.parent / "file").write_text("in the way")

    with pytest.raises(StudyError, match="another place"):
        study.save_as(place.parent / "file" / "x.acinus")

    study.document(1).apply(edits.add([square()]))
    assert study.unsaved == 0


def test_a_log_left_at_the_target_does_not_spoil_what_is_saved_there(study, place, square):
    target = place.with_name("target.acinus")
    source = Study.open(target, create=True)
    source.set_setting("stale", "yes")
    log = target.with_name("target.acinus-wal")
    stale = log.read_bytes()
    source.close()
    target.unlink()
    assert stale, "the test needs a log with something in it"
    log.write_bytes(stale)
    study.document(1).apply(edits.add([square()]))

    study.save_as(target)

    assert study.get_setting("stale") is None
    study.close()
    with Study.open(target) as again:
        assert len(again.document(1).annotations) == 1


def test_an_older_study_is_brought_up_to_date_after_a_copy_was_put_aside(study, place, monkeypatch):
    study.close()
    step = ("ALTER TABLE slides ADD COLUMN stain TEXT",)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        with Study.open(place) as newer:
            assert newer.ask("SELECT stain FROM slides") == [(None,)]
    with pytest.raises(StudyError, match="newer Acinus"):
        Study.open(place)

    with Study.open(place.with_name("one.version-1.acinus")) as older:
        assert len(older.slides()) == 1


@pytest.mark.parametrize(
    "name", ["../../x", "CON", "a\0b", "\u202egnp.svs", "é" * 300, ".", "", " -"]
)
def test_the_default_place_of_a_study_is_safe_whatever_the_slide_is_called(name, own_home):
    path = default_study_path(Path("slides") / f"{name}.svs", "123-0123456789abcdef")

    assert path.parent == own_home / "studies"
    assert path.name.endswith("-0123456789ab.acinus")
    assert path.name.isascii()
    assert len(path.name) <= 90


def test_the_default_place_can_be_read():
    path = default_study_path(Path("CMU-1 Small Region.svs"), "99-0123456789abcdef")

    assert path.name == "CMU-1-Small-Region-0123456789ab.acinus"


def test_a_network_share_is_told_from_a_disk():
    assert [database._is_network(kind) for kind in ("nfs4", "cifs", "fuse.sshfs", "")] == [True] * 4
    assert [database._is_network(kind) for kind in ("ext4", "ntfs3", "fuseblk")] == [False] * 3


def test_a_study_moves_between_disk_and_network_share(study, place, square, monkeypatch):
    study.document(1).apply(edits.add([square()]))
    study.close()

    with monkeypatch.context() as patch:
        patch.setattr(database, "is_local", lambda _: False)
        with Study.open(place) as remote:
            assert remote.ask("PRAGMA journal_mode") == [("delete",)]
            remote.document(1).apply(edits.add([square()]))
            with Study.open(place) as second:
                assert second.document(1).position == 2
    with Study.open(place) as local:
        assert local.document(1).position == 2
        assert local.ask("PRAGMA synchronous") == [(2,)]
