"""A project of QuPath becomes a study with all its slides; what moved away is found again or asked for."""

import json
import uuid

import pytest
from PySide6.QtCore import Qt
from shapely.geometry import box, mapping

from segcore.annotations import Annotation
from tests.builders import three_field_pixels, write_slide
from viewer.actions.projects import open_file
from viewer.document import Study, edits
from viewer.widgets.study_slides import StudySlides


def slide_called(folder, name, shade=0):
    """Write a slide that differs from others by a corner of its own shade."""
    pixels = three_field_pixels()
    pixels[:50, :50] = shade
    return write_slide(folder / name, pixels)


def write_project(folder, *names):
    folder.mkdir()
    images = [
        {
            "serverBuilder": {"builderType": "uri", "uri": (folder / name).absolute().as_uri()},
            "entryID": number,
            "imageName": name,
        }
        for number, name in enumerate(names, 1)
    ]
    (folder / "project.qpproj").write_text(json.dumps({"version": "0.6.0", "images": images}))
    (folder / "classifiers").mkdir()
    classes = {"pathClasses": [{"name": "Nerve", "color": -16776961}]}
    (folder / "classifiers" / "classes.json").write_text(json.dumps(classes))
    return folder / "project.qpproj"


def annotate(project, number, shape, **properties):
    entry = project.parent / "data" / str(number)
    entry.mkdir(parents=True)
    feature = {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": mapping(shape),
        "properties": {"objectType": "annotation", **properties},
    }
    (entry / "marks.geojson").write_text(json.dumps([feature]))


@pytest.fixture
def project(tmp_path):
    file = write_project(tmp_path / "lab", "one.tif", "gone.tif", "two.tif")
    slide_called(file.parent, "one.tif", 10)
    slide_called(file.parent, "two.tif", 200)
    annotate(file, 3, box(100, 100, 300, 200), name="of two", classification={"name": "Vessel", "color": [9, 8, 7]})  # fmt: skip
    return file


def opens(person, file):
    open_file(person.session, file)
    person.waits()  # each job begins when the one before has ended
    return person


def slides_list(person):
    return person.window.findChild(StudySlides)


def names(person):
    return [each.name for each in person.session.workspace.document.annotations.values()]


def test_a_project_opens_as_a_study_with_classes_and_annotations(open_window, project):
    person = opens(open_window(), project)

    assert person.session.workspace.slide.name == "one"
    listed = slides_list(person)
    assert listed.isVisible()
    assert [listed.item(row).text() for row in range(listed.count())] == ["one.tif", "two.tif"]
    assert person.session.taxonomy.find("Nerve").colour == (0, 0, 255)
    assert person.session.taxonomy.find("Vessel").colour == (9, 8, 7)
    assert "2 slides and 1 annotation of the project lab" in person.messages()[-1]
    assert "not everything" in person.messages()[-1]  # gone.tif


def test_the_slides_of_a_study_are_opened_by_key_or_from_the_list(open_window, project):
    person = opens(open_window(), project)

    person.key(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    person.waits()
    assert person.session.workspace.slide.name == "two"
    assert names(person) == ["of two"]
    listed = slides_list(person)
    assert listed.currentItem().text() == "two.tif"

    listed.itemClicked.emit(listed.item(0))
    person.waits()
    assert person.session.workspace.slide.name == "one"
    assert names(person) == []


def test_a_project_that_was_opened_before_goes_on_in_its_study(open_window, project):
    person = opens(open_window(), project)
    person.session.apply(edits.add([Annotation(box(0, 0, 50, 50), name="mine")]))
    person.session.close()

    opens(person, project)

    assert names(person) == ["mine"]
    assert "was opened before" in person.messages()[-1]


def test_a_project_without_any_image_gives_one_sentence_and_leaves_no_study(
    open_window, project, own_home
):
    (project.parent / "one.tif").write_text("no slide")
    (project.parent / "two.tif").write_text("no slide")

    person = opens(open_window(), project)

    assert len(person.messages()) == 1
    assert person.session.workspace is None
    assert not list((own_home / "studies").glob("*.acinus"))


@pytest.fixture
def study(tmp_path):
    """Return a study of two slides that have moved to another folder."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    path = tmp_path / "a.acinus"
    from segcore.slides.fingerprint import fingerprint

    with Study.open(path, create=True) as made:
        for shade, name in enumerate(("one.tif", "two.tif")):
            slide = slide_called(old, name, shade * 100)
            made.add_slide(slide, fingerprint(slide), 1200, 800, 0.5)
            slide.rename(new / name)
    return path


def test_a_slide_that_moved_is_asked_for_and_the_others_are_found_beside_it(
    open_window, study, tmp_path
):
    person = open_window(open_path=tmp_path / "new" / "one.tif")

    opens(person, study)

    assert "one.tif is not in" in person.session.ask.asked[0]
    assert person.session.workspace.slide.path == tmp_path / "new" / "one.tif"
    asked = len(person.session.ask.asked)
    person.does("file.next_slide")
    person.waits()
    assert person.session.workspace.slide.path == tmp_path / "new" / "two.tif"
    assert len(person.session.ask.asked) == asked


def test_another_slide_in_its_place_is_refused(open_window, study, tmp_path):
    person = open_window(open_path=tmp_path / "new" / "two.tif")

    opens(person, study)

    assert person.session.workspace is None
    assert "two.tif is another slide than the one.tif" in person.messages()[0]
    with Study.open(study) as kept:
        assert kept.locate(1) is None


def test_who_does_not_know_where_a_slide_is_is_left_in_peace(open_window, study):
    person = opens(open_window(confirm=False), study)

    assert person.session.workspace is None
    assert person.messages() == []
