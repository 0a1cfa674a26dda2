"""QuPath's projects: images that moved, classes, and what cannot be read."""

import json

import pytest
import shapely.geometry

from segcore.annotations import (
    annotations_from_text,
    read_project,
    read_project_annotations,
    text_from_annotations,
)
from segcore.annotations.model import Annotation
from segcore.errors import AnnotationError
from tests.segcore.annotations import marks
from tests.segcore.annotations.java_streams import qpdata

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]}


def project(folder, *uris, uri="file:/old/place/project/project.qpproj"):
    folder.mkdir(parents=True, exist_ok=True)
    images = [
        {
            "serverBuilder": {"builderType": "uri", "uri": each},
            "entryID": number,
            "imageName": each.rpartition("/")[2],
        }
        for number, each in enumerate(uris, 1)
    ]
    (folder / "project.qpproj").write_text(json.dumps({"uri": uri, "images": images}))
    return folder


def test_a_real_project_gives_its_image_its_classes_and_its_annotations(shared_data):
    folder = shared_data / "annotations" / "qupath-project"
    for place in (folder, folder / "project.qpproj"):
        found = read_project(place)
        [image] = found.images
        assert (image.name, image.path) == ("TD_01_verysmall_mIF.ome.tif", None)
        assert (
            image.tried[0] == "/Volumes/RD_Coscia/Jose/__TestDatasets/TD_01_verysmall_mIF.ome.tif"
        )
        assert len(found.classes) == 126
        assert (found.classes[0].name, found.classes[0].colour) == (
            "single_cells_demo",
            (255, 0, 255),
        )
        [sentence] = found.unread
        assert sentence.startswith("The image TD_01_verysmall_mIF.ome.tif is in none of the places")
    summary = json.loads((folder / "data" / "1" / "summary.json").read_text())["hierarchy"]
    annotations, report = read_project_annotations(image)
    assert len(annotations) == summary["nObjects"] - 1 == 131  # less the root
    counts = summary["objectTypeCounts"]
    assert sum(each.kind == "annotation" for each in annotations) == counts["Annotations"] == 10
    assert sum(each.kind == "cell" for each in annotations) == counts["Cells"] == 121
    assert report.skipped == ()


def test_an_image_that_moved_with_its_project_is_found(tmp_path):
    folder = project(tmp_path / "new" / "project", "file:/old/place/slides/my%20slide.svs")
    (tmp_path / "new" / "slides").mkdir()
    (tmp_path / "new" / "slides" / "my slide.svs").touch()
    [image] = read_project(folder).images
    assert image.path == (tmp_path / "new" / "slides" / "my slide.svs")


@pytest.mark.parametrize(
    "uri", ["file:/C:/slides/a.svs", "file://server/share/a.svs", "file:/elsewhere/a.svs"]
)
def test_an_image_beside_the_project_is_found_whatever_system_wrote_it(tmp_path, uri):
    folder = project(tmp_path / "p", uri)
    (folder / "a.svs").touch()
    [image] = read_project(folder).images
    assert image.path == folder / "a.svs"


def test_an_image_within_another_builder_is_found(tmp_path):
    folder = project(tmp_path / "p", "x")
    (tmp_path / "a.svs").touch()
    builder = {"builderType": "rotated", "builder": {"uri": (tmp_path / "a.svs").as_uri()}}
    (folder / "project.qpproj").write_text(json.dumps({"images": [{"serverBuilder": builder}]}))
    [image] = read_project(folder).images
    assert image.path == tmp_path / "a.svs"


def test_exports_beside_the_project_and_in_its_entry_are_its_annotations(tmp_path):
    folder = project(tmp_path / "p", "file:/x/a.ome.tif")
    places = [
        folder / "data" / "1" / "objects.geojson",
        folder / "a.geojson",
        folder / "export" / "a.ome.tif.geojson",
    ]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(SQUARE))
    data = folder / "data" / "1" / "data.qpdata"
    data.write_bytes(qpdata())
    [image] = read_project(folder).images
    assert image.annotation_files[0] == data
    assert set(image.annotation_files) == {data, *places}
    assert len(read_project_annotations(image)[0]) == 7
    data.write_bytes(
        b"damaged"
    )  # then the export in the entry's folder is taken, and the damage told
    found, report = read_project_annotations(image)
    assert len(found) == 1
    assert report.skipped[0].startswith("data.qpdata cannot be read")


def test_where_nothing_can_be_read_the_way_out_is_told(tmp_path):
    folder = project(tmp_path / "p", "file:/x/a.ome.tif")
    [image] = read_project(folder).images
    assert read_project_annotations(image)[0] == []
    (folder / "data" / "1").mkdir(parents=True)
    (folder / "data" / "1" / "data.qpdata").touch()
    [image] = read_project(folder).images
    with pytest.raises(
        AnnotationError, match=r"in QuPath, export them as GeoJSON to a\.ome\.geojson beside"
    ):
        read_project_annotations(image)


@pytest.mark.parametrize("name", ["../../secret", "..", "/etc/passwd", "a\0b", "C:\\x\\secret"])
def test_names_do_not_lead_out_of_the_project(tmp_path, name):
    folder = project(tmp_path / "p", "x")
    entry = {"imageName": name, "entryID": "../..", "serverBuilder": {"uri": f"file:/{name}"}}
    (folder / "project.qpproj").write_text(json.dumps({"uri": 5, "images": [entry, 7]}))
    (tmp_path / "secret.geojson").write_text("{}")
    found = read_project(folder)
    assert found.images[0].annotation_files == ()
    assert "Entry 2 of the project is no image." in found.unread


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": 5}', "[" * 100_000])
def test_what_is_no_project_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "project.qpproj").write_text(text)
    with pytest.raises(AnnotationError, match=r"^project\.qpproj [^\n]*\.$"):
        read_project(tmp_path)
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_project(tmp_path / "nowhere.qpproj")


def test_damaged_classes_are_told_and_the_images_read(tmp_path):
    folder = project(tmp_path / "p", "file:/x/a.svs")
    (folder / "classifiers").mkdir()
    (folder / "classifiers" / "classes.json").write_text("{")
    found = read_project(folder)
    assert len(found.images) == 1
    assert "The classes of the project were left out" in found.unread[-1]


def test_what_is_copied_is_pasted_in_its_place():
    slide = marks.slide(bounds=(7, 11, 380, 280))
    [first], _ = annotations_from_text(json.dumps(SQUARE), slide=slide)
    assert first.geometry.bounds == (7, 11, 16, 20)
    text = text_from_annotations([Annotation(first.geometry, "Tumor", "N")], slide=slide)
    [copied] = json.loads(text)["features"]
    assert shapely.geometry.shape(copied["geometry"]).bounds == (0, 0, 9, 9)  # QuPath's frame
    [again], report = annotations_from_text(text, slide=slide)
    assert (again.geometry.bounds, again.class_name, again.name) == ((7, 11, 16, 20), "Tumor", "N")
    assert report.doubts == ()


@pytest.mark.parametrize("text", ["", "hello", "{}", "5"])
def test_what_is_pasted_and_no_annotation_is_refused_in_a_sentence(text):
    with pytest.raises(AnnotationError, match=r"^The clipboard cannot be read: .*\.$"):
        annotations_from_text(text)
