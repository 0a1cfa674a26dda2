"""Annotations come from files and the clipboard and go there: nothing is lost, and what is doubtful is asked."""

import json
import uuid

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton
from shapely.geometry import box, mapping

from segcore.annotations import FORMATS, Annotation, read_annotations, write_annotations
from tests.builders import write_slide
from viewer.actions.exchange import export_as, import_from
from viewer.document import edits
from viewer.jobs.exchange import ExportOrder


def feature(shape, *, kind="annotation", key=None, **properties):
    return {
        "type": "Feature",
        "id": key or str(uuid.uuid4()),
        "geometry": mapping(shape),
        "properties": {"objectType": kind, **properties},
    }


def write_geojson(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def square(left, top, side=100):
    return box(left, top, left + side, top + side)


@pytest.fixture
def person(open_window, slide):
    person = open_window().opens(slide)
    yield person
    person.session.clipboard.let_go()


def annotations(person):
    return list(person.session.workspace.document.annotations.values())


def imports(person, path):
    person.session.ask.open_path = path
    person.does("file.import")
    person.waits()


def offer(person, title):
    message = person.window.stage.messages[-1]
    return next(each for each in message.findChildren(QPushButton) if each.text() == title)


def test_a_file_arrives_as_one_edit_with_its_new_classes_in_their_colours(person, tmp_path):
    nerve = {"name": "Nerve", "color": [1, 2, 3]}
    path = write_geojson(
        tmp_path / "x.geojson",
        *(feature(square(100 * n, 0), classification=nerve, name=f"N{n}") for n in range(3)),
        feature(square(0, 300), classification={"name": "Tumor", "color": [200, 0, 0]}),
    )

    imports(person, path)

    document = person.session.workspace.document
    assert [each.name for each in annotations(person)] == ["N0", "N1", "N2", None]
    assert list(document.history) == ["Import 4 annotations from x.geojson"]
    added = person.session.taxonomy.find("Nerve")
    assert added is not None
    assert added.colour == (1, 2, 3)
    assert {each.colour for each in annotations(person)} == {None}  # they follow their class
    assert person.session.ask.asked == ["Import annotations"]
    assert person.messages() == ["4 annotations came from x.geojson."]
    person.does("edit.undo")
    assert annotations(person) == []


def test_a_derived_class_is_the_same_however_a_file_writes_it(person, tmp_path):
    ways = (
        {"name": "Nest:Positive"},
        {"names": ["Nest", "Positive"]},
        {"name": " Nest :  Positive"},
    )
    path = write_geojson(
        tmp_path / "x.geojson",
        *(feature(square(0, 0), classification={**way, "color": [9, 9, 9]}) for way in ways),
    )

    imports(person, path)

    assert {each.class_name for each in annotations(person)} == {"Nest: Positive"}
    names = [each.name for each in person.session.taxonomy.classes]
    assert names.count("Nest: Positive") == 1
    assert names[5:] == ["Nest: Positive"]


def test_what_a_program_made_comes_in_locked_and_what_was_drawn_keeps_its_lock(person, tmp_path):
    path = write_geojson(
        tmp_path / "x.geojson",
        feature(square(0, 0), kind="detection"),
        feature(square(200, 0)),
        feature(square(400, 0), isLocked=True),
    )

    imports(person, path)

    assert [each.locked for each in annotations(person)] == [True, False, True]


def test_what_cannot_be_read_is_counted_and_listed_on_demand(person, tmp_path):
    broken = feature(square(0, 0))
    broken["geometry"] = {"type": "Polygon", "coordinates": [[["a", 1]]]}
    path = write_geojson(tmp_path / "x.geojson", feature(square(0, 0)), broken)
    imports(person, path)
    pages = []
    person.session.tell.page = lambda title, text: pages.append((title, text))

    assert "1 could not be read" in person.messages()[-1]
    offer(person, "Details…").click()

    ((title, text),) = pages
    assert title == "Import of x.geojson"
    assert text.count("\n- ") == 1


@pytest.mark.parametrize(
    ("choice", "names", "count"),
    [
        ("replace", ["new", "locked here"], 2),
        ("skip", ["old", "locked here"], 2),
        ("both", None, 4),
    ],
)
def test_ids_that_are_here_are_asked_about_once(person, tmp_path, choice, names, count):
    keys = [str(uuid.uuid4()) for _ in range(2)]
    mine = [
        Annotation(square(0, 0), name="old", id=keys[0]),
        Annotation(square(200, 0), name="locked here", locked=True, id=keys[1]),
    ]
    person.session.apply(edits.add(mine))
    path = write_geojson(
        tmp_path / "x.geojson", *(feature(square(500, 0), name="new", key=key) for key in keys)
    )
    person.session.ask.choice = choice

    imports(person, path)

    assert len(person.session.ask.asked) == 2
    assert person.session.ask.offered == ["replace", "both", "skip"]
    assert len(annotations(person)) == count
    assert names is None or [each.name for each in annotations(person)] == names


def test_an_import_can_be_given_up_at_the_question(person, tmp_path):
    path = write_geojson(tmp_path / "x.geojson", feature(square(90_000, 0)))
    person.session.ask.choose = lambda *_: None

    imports(person, path)

    assert annotations(person) == []
    assert person.messages() == []


def test_a_file_of_another_frame_is_read_in_the_one_that_is_chosen(
    open_window, tmp_path, monkeypatch
):
    person = open_window(choice="full").opens(write_slide(tmp_path / "cropped.tif"))
    slide = person.session.workspace.slide
    monkeypatch.setattr(slide, "bounds", (700, 500, 400, 200), raising=False)
    path = write_geojson(tmp_path / "full.geojson", feature(square(800, 550)))

    imports(person, path)

    assert person.session.ask.offered == ["full", "bounds"]  # the one that fits comes first
    (one,) = annotations(person)
    assert one.geometry.bounds == (800, 550, 900, 650)


def test_a_file_that_is_no_annotation_file_is_told_in_one_sentence(person, tmp_path):
    path = tmp_path / "x.geojson"
    path.write_text("not json")

    imports(person, path)

    assert len(person.messages()) == 1
    assert "x.geojson" in person.messages()[0]
    assert annotations(person) == []


def test_a_study_that_can_only_be_read_takes_nothing_in_and_says_so(open_window, slide, tmp_path):
    open_window().opens(slide)
    second = open_window().opens(slide)
    nerve = {"name": "Nerve", "color": [1, 2, 3]}

    path = write_geojson(tmp_path / "x.geojson", feature(square(0, 0), classification=nerve))
    imports(second, path)

    assert annotations(second) == []
    assert "cannot be changed" in second.messages()[-1]
    assert "came from" not in second.messages()[-1]


def test_an_import_that_is_cancelled_leaves_nothing(person, tmp_path):
    path = write_geojson(tmp_path / "x.geojson", *(feature(square(n, 0)) for n in range(500)))

    job = import_from(person.session, path)
    assert job is not None
    job.cancel()
    person.waits()

    assert annotations(person) == []
    assert person.messages() == []


@pytest.mark.parametrize(
    "known",
    [each for each in FORMATS if each.can_write and each.name != "ndpa"],
    ids=lambda f: f.name,
)
def test_every_format_goes_out_through_the_window_and_comes_back(person, tmp_path, known):
    person.session.apply(edits.add([Annotation(box(100, 100, 300, 200), "Tumor")]))
    path = tmp_path / f"out{known.suffixes[0]}"

    export_as(person.session, ExportOrder(path, known.name))
    person.waits()
    assert "all are there" in person.messages()[-1], person.messages()
    person.does("edit.undo")
    person.session.ask.choice = "both"
    imports(person, path)

    (one,) = annotations(person)
    assert one.class_name == "Tumor"
    assert one.geometry.symmetric_difference(box(100, 100, 300, 200)).area < 1


def test_a_format_that_needs_another_slide_is_refused_in_a_sentence(person, tmp_path):
    person.session.apply(edits.add([Annotation(box(100, 100, 300, 200), "Tumor")]))

    export_as(person.session, ExportOrder(tmp_path / "a.ndpa", "ndpa"))
    person.waits()

    assert "NDPI" in person.messages()[-1]
    assert not (tmp_path / "a.ndpa").exists()


def test_only_the_selected_ones_are_exported_if_so_chosen(person, tmp_path):
    some = [Annotation(square(n * 150, 0), name=str(n)) for n in range(3)]
    person.session.apply(edits.add(some))
    person.session.select(frozenset({some[1].id}))

    export_as(person.session, ExportOrder(tmp_path / "a.geojson", "geojson", "selected"))
    person.waits()

    assert [each.name for each in read_annotations(tmp_path / "a.geojson")] == ["1"]


def test_what_a_format_cannot_keep_is_listed(person, tmp_path):
    person.session.apply(edits.add([Annotation(square(0, 0), "Tumor", locked=True)]))
    pages = []
    person.session.tell.page = lambda title, text: pages.append(text)

    export_as(person.session, ExportOrder(tmp_path / "a.coco.json", "coco"))
    person.waits()

    assert "not all could be kept" in person.messages()[-1]
    assert "locks" in pages[0]


def test_the_last_choices_are_proposed_again(person, tmp_path):
    class Once(type(person.session.ask)):
        def export(self, question):
            self.question = question
            return ExportOrder(tmp_path / "a.xml", "asap", "all", mask=False, origin="bounds")

    person.session.ask = Once()
    person.does("file.export")
    person.waits()
    person.does("file.export")

    question = person.session.ask.question
    assert question.last == ExportOrder(tmp_path, "asap", "all", mask=False)
    assert question.frames == {"asap": "bounds"}


def test_scripts_export_for_qupath_without_being_asked(person, tmp_path):
    person.session.apply(edits.add([Annotation(square(0, 0), "Tumor")]))

    export_as(person.session, ExportOrder(tmp_path / "a.geojson.gz", "geojson"))
    person.waits()

    assert person.session.ask.asked == []
    assert len(read_annotations(tmp_path / "a.geojson.gz")) == 1


def drop(person, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    person.window.stage.dropEvent(event)
    person.waits()


def test_a_dropped_annotation_file_is_imported_and_a_dropped_slide_opened(person, tmp_path):
    path = write_geojson(tmp_path / "x.geojson", feature(square(0, 0)))
    drop(person, path)
    assert len(annotations(person)) == 1

    other = write_slide(tmp_path / "other.tif")
    drop(person, other, path)

    assert person.session.workspace.slide.path == other
    assert len(annotations(person)) == 1


def test_annotations_dropped_without_a_slide_say_what_to_do(open_window, tmp_path):
    person = open_window()
    drop(person, write_geojson(tmp_path / "x.geojson", feature(square(0, 0))))

    assert person.messages() == ["Open the slide that x.geojson belongs to; then import it."]


def test_what_is_copied_is_pasted_with_class_and_name_under_a_new_id(person, tmp_path):
    one = Annotation(square(100, 100), "Tumor", "nest")
    person.session.apply(edits.add([one]))
    person.session.select(frozenset({one.id}))

    person.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    person.opens(write_slide(tmp_path / "another.tif", mpp=0.4))
    person.key(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    (pasted,) = annotations(person)
    assert (pasted.class_name, pasted.name) == ("Tumor", "nest")
    assert pasted.geometry.equals(one.geometry)
    assert pasted.id != one.id
    assert person.session.selection == [pasted]
    person.does("edit.paste")
    assert len(annotations(person)) == 2
    aside = annotations(person)[1]
    assert not aside.geometry.equals(one.geometry)  # else nobody would see that there are two
    assert person.session.workspace.document.undo_name == "Paste 1 annotation"


def test_a_copy_is_geojson_for_other_programs_in_both_types(person):
    one = Annotation(square(100, 100), "Tumor")
    person.session.apply(edits.add([one]))
    person.session.select(frozenset({one.id}))

    person.does("edit.copy")

    copied = QApplication.clipboard().mimeData()
    assert copied.hasFormat("application/geo+json")
    assert (
        json.loads(copied.text())["features"][0]["properties"]["classification"]["name"] == "Tumor"
    )


def test_a_copy_is_left_as_text_when_the_program_ends(person):
    one = Annotation(square(100, 100), "Tumor")
    person.session.apply(edits.add([one]))
    person.session.select(frozenset({one.id}))
    person.does("edit.copy")
    text = QApplication.clipboard().text()

    application = QApplication.instance()
    assert application is not None
    application.aboutToQuit.emit()

    left = QApplication.clipboard().mimeData()
    assert left.formats() == ["text/plain"]
    assert left.text() == text


def paste(person, text):
    QApplication.clipboard().setText(text)
    person.does("edit.paste")


def test_what_lies_outside_the_slide_is_clipped_or_stays_out(person):
    inside, half, outside = square(0, 0), square(1150, 0), square(5000, 0)
    paste(person, json.dumps([feature(each) for each in (inside, half, outside)]))

    assert [each.geometry.area for each in annotations(person)] == [10_000, 5_000]
    assert "1 annotation would lie outside this slide" in person.messages()[-1]


@pytest.mark.parametrize(
    "text", ["", "some words", '{"type": "Feature", "geometry": null}', '{"geometry']
)
def test_a_clipboard_without_annotations_is_told_and_changes_nothing(person, text):
    from viewer.actions import action_named, perform

    QApplication.clipboard().setText(text)
    perform(action_named("edit.paste"), person.session)

    assert annotations(person) == []
    assert len(person.messages()) == 1


def test_a_mask_of_pixels_becomes_annotations(person, tmp_path):
    slide = person.session.workspace.slide
    areas = [
        Annotation(box(100, 100, 300, 200), "Tumor"),
        Annotation(box(400, 0, 500, 50), "Stroma"),
    ]
    write_annotations(tmp_path / "mask.png", areas, slide=slide)

    imports(person, tmp_path / "mask.png")

    assert {each.class_name: each.geometry.area for each in annotations(person)} == {
        "Tumor": 20_000, "Stroma": 5_000,
    }  # fmt: skip
