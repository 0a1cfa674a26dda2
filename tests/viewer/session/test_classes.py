import json

import numpy as np
import pytest

from segcore.annotations import Annotation, LabelMap, load_taxonomy
from segcore.annotations.qupath_classes import (
    NamedColour,
    read_qupath_classes,
    write_qupath_classes,
)
from segcore.annotations.statistics import statistics
from segcore.errors import AnnotationError, StudyError
from viewer.document import MaskGrid, Study, edits
from viewer.session.classes import Classes, renamed


@pytest.fixture
def study(tmp_path):
    with Study.open(tmp_path / "study.acinus", create=True) as study:
        study.add_slide(tmp_path / "slide.svs", "f", 1, 1, 0.25)
        yield study


@pytest.fixture
def classes(study):
    classes = Classes()
    classes.follow(study)
    return classes


def names(classes):
    return [each.name for each in classes.taxonomy.classes]


BUILT_IN = ["Tumor", "Stroma", "Lymphocyte", "Necrosis", "Other"]


def test_a_study_begins_with_the_built_in_classes_which_have_the_keys_1_to_5(classes):
    assert names(classes) == BUILT_IN
    assert [getattr(classes.numbered(n), "name", None) for n in range(7)] == [None, *BUILT_IN, None]


def test_what_is_added_coloured_ordered_and_removed_is_there_when_the_study_is_opened_again(
    classes, study, tmp_path
):
    duct = classes.add("  DCIS\n high grade ", (1, 2, 3))
    classes.remove(classes.add("Gone"))
    classes.recolour(classes.taxonomy.named("Tumor"), (9, 8, 7))
    classes.move(duct, -5)
    study.close()

    with Study.open(tmp_path / "study.acinus") as again:
        found = Classes()
        found.follow(again)

        assert names(found) == ["DCIS high grade", *BUILT_IN]
        assert found.taxonomy.named("tumor").colour == (9, 8, 7)
        assert found.numbered(1).code == duct.code
        assert found.numbered(1).colour == (1, 2, 3)
        found.follow(None)
        assert found.taxonomy == load_taxonomy()


def test_pixel_values_of_own_classes_are_theirs_alone_and_end_at_255(classes):
    classes.adopt(NamedColour(f"Class {n}", (1, 2, 3)) for n in range(250))

    assert [each.code for each in classes.taxonomy.classes] == list(range(1, 256))
    with pytest.raises(AnnotationError, match="255 classes"):
        classes.add("One more")


@pytest.mark.parametrize("name", ["", "  ", "None", "tumor", "IMMUNE CELLS", ":"])
def test_a_name_that_is_none_or_taken_is_refused(classes, name):
    with pytest.raises(AnnotationError):
        classes.add(name)
    assert names(classes) == BUILT_IN


def test_a_derived_class_names_its_parent_and_has_the_colour_that_qupath_gives_it(classes):
    positive, kind = classes.add("Tumor:Positive"), classes.add("Tumor: In situ: Solid")

    assert (positive.name, positive.parent, positive.colour) == (
        "Tumor: Positive",
        "Tumor",
        (200, 50, 50),
    )
    assert kind.parent == "Tumor: In situ"
    assert classes.taxonomy.colour_of("Tumor: Unheard of") == (0xD5, 0x5E, 0x00)
    assert classes.taxonomy.colour_of("Unheard of") is None


def test_a_new_name_is_that_of_derived_classes_too(classes):
    classes.add("Duct")
    classes.add("Duct: In situ")
    classes.add("Ductule")

    classes.rename(classes.taxonomy.named("Duct"), "Gland")

    assert names(classes)[5:] == ["Gland", "Gland: In situ", "Ductule"]
    assert classes.taxonomy.named("Gland").qupath == "Gland"
    assert renamed("Duct", "Duct", "x") == "x"
    assert renamed("Ductule", "Duct", "x") is None


def test_what_models_find_keeps_its_name_and_stays(classes):
    tumor = classes.taxonomy.named("Tumor")

    with pytest.raises(AnnotationError, match="what models call it"):
        classes.rename(tumor, "Carcinoma")
    with pytest.raises(AnnotationError, match="models find"):
        classes.remove(tumor)


def test_a_class_that_mask_pixels_have_is_not_removed_until_they_are_gone(classes, study):
    duct, document = classes.add("Duct"), study.document(1)
    labels = np.zeros((4, 4), np.uint8)
    labels[2, 2] = duct.code
    document.apply(edits.paint(document.mask, labels, 0, 0, grid=MaskGrid(1.0, 0.5)))

    with pytest.raises(AnnotationError, match="The mask has pixels of Duct"):
        classes.remove(duct)
    document.undo()
    classes.remove(duct)

    assert names(classes) == BUILT_IN


def test_every_change_is_told_once_and_no_change_is_not_told(classes):
    told = []
    classes.changed.connect(lambda taxonomy: told.append(len(taxonomy.classes)))

    added = classes.add("Duct")
    classes.move(added, 1)
    classes.recolour(added, (1, 1, 1))

    assert told == [6, 6]


def test_a_study_that_is_only_read_refuses_and_the_list_stays(classes, study, tmp_path):
    with Study.open(tmp_path / "study.acinus") as reader:
        assert reader.read_only
        other = Classes()
        other.follow(reader)
        with pytest.raises(StudyError):
            other.add("Duct")
        assert names(other) == BUILT_IN


@pytest.mark.parametrize(
    "stored",
    [
        "no JSON",
        "[{}]",
        '[{"code":0,"name":"A","colour":[1,2,3],"hatch":"none","qupath":"A"}]',
        '[{"code":9,"name":"A","colour":[1,2,333],"hatch":"none","qupath":"A"}]',
    ],
)
def test_a_list_that_cannot_be_read_is_told_and_the_built_in_one_is_there(study, stored):
    study.set_setting("classes", stored)
    classes = Classes()

    classes.follow(study)

    assert names(classes) == BUILT_IN
    assert "cannot be read" in classes.damaged


def test_ignored_classes_are_neither_filled_nor_counted(classes):
    ignored = classes.add("Artefact*")
    labels = np.array([[1, 2, ignored.code, ignored.code]], np.uint8)

    found = statistics([LabelMap(labels, 0, 0, 1.0, mpp=1000)], classes.taxonomy)

    assert ignored.ignored
    assert ignored.emphasis == 0
    assert "Artefact*" not in found.area_mm2
    assert found.labelled_mm2 == 2.0


QUPATH = {  # as QuPath 0.5.1 writes classifiers/classes.json
    "pathClasses": [
        {"name": "Tumor", "color": -3670016},
        {"name": "Immune cells", "color": -6268256},
        {"name": "Region*", "color": -16777036},
        {"name": "Tumor: Positive", "color": -3657166},
        {"name": None, "color": -1},
        {"name": "Uncoloured"},
    ]
}


def test_qupaths_classes_come_in_with_their_colours_where_they_are_not_there_yet(classes, tmp_path):
    file = tmp_path / "classes.json"
    file.write_text(json.dumps(QUPATH))

    added = classes.adopt(read_qupath_classes(file))

    assert added == 3
    assert names(classes)[5:] == ["Region*", "Tumor: Positive", "Uncoloured"]
    assert classes.taxonomy.named("Region*").colour == (0, 0, 180)
    assert classes.taxonomy.named("Tumor: Positive").colour == (200, 50, 50)
    assert classes.taxonomy.named("Tumor").colour == (0xD5, 0x5E, 0x00)  # ours is kept
    assert classes.adopt(read_qupath_classes(file)) == 0


def test_classes_are_written_as_qupath_reads_them(classes, tmp_path):
    classes.add("Region*", (0, 0, 180))
    write_qupath_classes(tmp_path / "classes.json", classes.taxonomy.classes)

    written = json.loads((tmp_path / "classes.json").read_text())["pathClasses"]

    assert {"name": "Region*", "color": -16777036} in written
    assert {"name": "Immune cells", "color": 0xFFF0E442 - 2**32} in written


def test_entries_of_a_list_of_classes_that_are_none_are_left_out(tmp_path):
    file = tmp_path / "classes.json"
    entries = '[{"name": 1}, 7, {"name": "Duct", "colorRGB": -65536}, {"name": " duct "}, {"name": "None"}]'
    file.write_text(f'{{"pathClasses": {entries}}}', encoding="utf-8-sig")

    assert read_qupath_classes(file) == [("Duct", (255, 0, 0))]


@pytest.mark.parametrize("text", ["", "[]", '{"pathClasses": 1}'])
def test_a_file_that_is_no_list_of_classes_is_told(tmp_path, text):
    (tmp_path / "classes.json").write_text(text)
    with pytest.raises(AnnotationError, match="no list of classes"):
        read_qupath_classes(tmp_path / "classes.json")
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_qupath_classes(tmp_path / "absent.json")


def test_notes_are_kept_where_qupath_keeps_its_description():
    assert Annotation(None, metadata={"ANNOTATION_DESCRIPTION": "ask"}).notes == "ask"
    assert Annotation(None).notes == ""
