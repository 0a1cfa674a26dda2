import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from segcore.annotations import (
    Annotation,
    load_taxonomy,
    read_annotations,
    read_annotations_report,
    write_annotations,
)
from segcore.annotations.geojson_reading import annotations_from
from segcore.errors import AnnotationError
from segcore.slides import ArraySlide

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]}


def feature(geometry: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(document: Any) -> list[Annotation]:
    return annotations_from(document, load_taxonomy())[0]


def one(document: Any) -> Annotation:
    [annotation] = read(document)
    return annotation


def test_a_square_of_qupath_is_read() -> None:
    annotation = one(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": "eed9a4f6-c4f0-4185-9ccd-fbe220449d00",
                    "geometry": SQUARE,
                    "properties": {
                        "objectType": "detection",
                        "name": "Nest 1",
                        "color": [1, 2, 3],
                        "classification": {"name": "Tumor", "color": [200, 0, 0]},
                        "isLocked": True,
                        "measurements": {"Area": 100.0, "Odd": "NaN", "None": None, "Text": "x"},
                        "metadata": {"by": "me", "list": [1]},
                    },
                }
            ],
        }
    )
    assert annotation.geometry.equals(shapely.box(0, 0, 10, 10))
    assert annotation.id == "eed9a4f6-c4f0-4185-9ccd-fbe220449d00"
    assert (annotation.kind, annotation.name, annotation.class_name) == (
        "detection",
        "Nest 1",
        "Tumor",
    )
    assert annotation.colour == (1, 2, 3)
    assert annotation.locked
    assert set(annotation.measurements) == {"Area", "Odd"}
    assert np.isnan(annotation.measurements["Odd"])
    assert annotation.metadata == {"by": "me"}
    assert annotation.extra == {}


@pytest.mark.parametrize(
    "document",
    [
        SQUARE,
        feature(),
        [feature()],
        [[feature()]],
        {"type": "FeatureCollection", "features": [feature()]},
        {"type": "FeatureCollection", "features": [{"geometry": SQUARE}]},
        [{"type": "FeatureCollection", "features": [{**feature(), "type": "whatever"}]}],
        [feature(), {"type": "something else"}, 5, None],
        {"type": "Feature", "geometry": SQUARE, "properties": None},
    ],
)
def test_every_container_that_qupath_reads_is_read(document: Any) -> None:
    assert one(document).geometry.area == 100


def test_children_are_read_in_their_place() -> None:
    child = feature(objectType="cell")
    found = read(
        [feature(name="a", childObjects=[child, feature(children=[child])]), feature(name="b")]
    )
    assert [each.kind for each in found] == [
        "annotation",
        "cell",
        "annotation",
        "cell",
        "annotation",
    ]
    assert [each.name for each in found] == ["a", None, None, None, "b"]
    assert found[0].extra == {}


@pytest.mark.parametrize("value", [{"type": "FeatureCollection", "features": []}, []])
def test_an_empty_file_has_no_annotations(value: Any) -> None:
    assert read(value) == []


@pytest.mark.parametrize(
    "document", [{}, 5, "text", None, {"pathClasses": []}, [1, 2], {"type": "Topology"}]
)
def test_what_is_no_geojson_is_refused(document: Any) -> None:
    with pytest.raises(AnnotationError, match="no Feature, FeatureCollection or geometry"):
        read(document)


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"objectType": "annotation"}, "annotation"),
        ({"object_type": "detection"}, "detection"),
        ({"type": "PathDetectionObject"}, "detection"),
        ({"objectType": "TMACoreObject"}, "tmaCore"),
        ({"objectType": "tmaCore"}, "tmaCore"),
        ({"objectType": "PathCellObject"}, "cell"),
        ({"objectType": "unheard of"}, "annotation"),
        ({"objectType": None}, "annotation"),
        ({}, "annotation"),
    ],
)
def test_the_type_of_an_object_is_known_in_every_spelling(properties: Any, kind: str) -> None:
    assert one(feature(**properties)).kind == kind


def test_until_0_2_the_id_said_the_type() -> None:
    assert one({**feature(), "id": "PathCellObject"}).kind == "cell"


@pytest.mark.parametrize(
    ("value", "name", "colour"),
    [
        (None, None, None),
        ({}, None, None),
        ("Tumor: Positive", "Tumor: Positive", None),
        ("stroma", "Stroma", None),
        ({"name": "Immune cells", "color": [1, 2, 3]}, "Lymphocyte", None),
        ({"name": "Nerve", "colorRGB": -3670016}, "Nerve", (200, 0, 0)),
        ({"name": "Nerve", "color": "#0102ff"}, "Nerve", (1, 2, 255)),
        ({"name": "Nerve", "color": [0]}, "Nerve", None),
        ({"names": ["Nerve", "Big"], "color": [9, 8, 7, 255]}, "Nerve: Big", (9, 8, 7)),
        ({"parentClass": "Nerve"}, "Nerve", None),
        ([1], None, None),
        ({"name": 5}, None, None),
    ],
)
def test_classes_are_known_in_every_form(value: Any, name: str | None, colour: Any) -> None:
    annotation = one(feature(classification=value))
    assert (annotation.class_name, annotation.colour) == (name, colour)


@pytest.mark.parametrize(
    ("value", "colour"),
    [([1, 2, 3], (1, 2, 3)), (-3670016, (200, 0, 0)), ("#ff0000", (255, 0, 0)), ("rgb(0,255,0)", (0, 255, 0)),
     (None, None), ([1, 2], None), ([300, 0, 0], None), ("red-ish", None), (True, None), ([None] * 3, None)],
)  # fmt: skip
def test_colours_are_known_in_every_form(value: Any, colour: Any) -> None:
    assert one(feature(color=value)).colour == colour


def test_measurements_of_0_3_are_a_list() -> None:
    listed = [{"name": "Area", "value": 5}, {"name": "Odd", "value": "-Infinity"}, {"value": 3}, 7]
    assert one(feature(measurements=listed)).measurements == {"Area": 5.0, "Odd": float("-inf")}


@pytest.mark.parametrize(
    ("geometry", "kind"),
    [
        ({"type": "Point", "coordinates": [1, 2]}, "Point"),
        ({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}, "MultiPoint"),
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "LineString"),
        (
            {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[5, 5], [6, 6]]]},
            "MultiLineString",
        ),
        ({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}, "MultiPolygon"),
        ({"type": "GeometryCollection", "geometries": [SQUARE]}, "GeometryCollection"),
    ],
)
def test_every_type_of_geometry_is_read(geometry: Any, kind: str) -> None:
    assert one(geometry).geometry.geom_type == kind


def test_open_rings_are_closed_and_third_coordinates_dropped() -> None:
    ring = [[0, 0, 5], [10, 0, 5], [10, 10], [0, 10, 5]]
    annotation = one({"type": "Polygon", "coordinates": [ring]})
    assert annotation.geometry.equals(shapely.box(0, 0, 10, 10))
    assert not annotation.geometry.has_z


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (None, "it has no geometry"),
        ({}, "it has no geometry"),
        ({"type": "Circle"}, "'Circle'"),
        ({"type": "Polygon"}, "it is empty"),
        ({"type": "Polygon", "coordinates": []}, "it is empty"),
        ({"type": "Polygon", "coordinates": [[]]}, "it is empty"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "fewer than three corners"),
        ({"type": "Polygon", "coordinates": [[["a", 0], [1, 1], [2, 2]]]}, "no numbers"),
        ({"type": "Polygon", "coordinates": [[[None, 0], [1, 1], [2, 2]]]}, "no numbers"),
        ({"type": "Polygon", "coordinates": [[0, 1, 2]]}, "no numbers"),
        ({"type": "Polygon", "coordinates": 5}, "it is empty"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1e300, 1], [2, 2]]]}, "outside any slide"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [float("nan"), 1], [2, 2]]]},
            "outside any slide",
        ),
        ({"type": "Polygon", "coordinates": [[[0, 0], [5, 5], [9, 9]]]}, "encloses nothing"),
        ({"type": "Point", "coordinates": []}, "it is empty"),
        ({"type": "Point", "coordinates": [1]}, "outside any slide"),
        ({"type": "LineString", "coordinates": [[1, 1]]}, "line of one point"),
        (
            {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection"}]},
            "collection",
        ),
    ],
)
def test_a_bad_feature_is_left_out_and_listed_and_the_others_are_read(
    geometry: Any, reason: str
) -> None:
    found, report = annotations_from(
        [feature(name="a"), feature(geometry), feature(name="c")], load_taxonomy()
    )
    assert [each.name for each in found] == ["a", "c"]
    assert report.features == 3
    [sentence] = report.skipped
    assert sentence.startswith("Feature 2 was left out: ")
    assert reason in sentence


def test_a_bow_tie_is_repaired_and_counted() -> None:
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}
    found, report = annotations_from([feature(bow_tie), feature()], load_taxonomy())
    assert found[0].geometry.is_valid
    assert found[0].geometry.area == 50
    assert report.repaired == 1


def test_ids_are_unique_uuids_afterwards(tmp_path: Path) -> None:
    same = "eed9a4f6-c4f0-4185-9ccd-fbe220449d00"
    features = [{**feature(), "id": each} for each in (same, same, "cell-5", 7, None)]
    found = read_annotations(save(tmp_path / "a.json", json.dumps(features)))
    assert found[0].id == same
    assert len({each.id for each in found}) == 5
    assert all(len(each.id) == 36 for each in found)


def test_what_is_unknown_is_kept() -> None:
    geometry = {**SQUARE, "plane": {"c": -1, "z": 2, "t": 0}, "isEllipse": True}
    annotation = one({**feature(geometry, mine={"a": 1}), "bbox": [0, 0, 1, 1]})
    assert annotation.ellipse
    assert annotation.extra == {
        "feature": {"bbox": [0, 0, 1, 1]},
        "properties": {"mine": {"a": 1}},
        "plane": {"c": -1, "z": 2, "t": 0},
    }


def save(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


TEXT = json.dumps(feature(name="ä €"), ensure_ascii=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_unicode_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    [annotation] = read_annotations(save(tmp_path / "a.geojson", TEXT.encode(encoding)))
    assert annotation.name == "ä €"


def test_packed_files_are_read(tmp_path: Path) -> None:
    save(tmp_path / "a.GeoJSON.gz", gzip.compress(TEXT.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.geojson", TEXT)
        archive.writestr("folder/two.json", TEXT)
        archive.writestr("readme.txt", "hello")
    assert len(read_annotations(tmp_path / "a.GeoJSON.gz")) == 1
    assert len(read_annotations(tmp_path / "a.zip")) == 2


def test_a_bare_nan_and_a_double_key_of_qupath_are_read(tmp_path: Path) -> None:
    text = (
        '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},'
        '"properties":{"measurements":{"a":NaN},"metadata":{"x":"1"},"metadata":{"x":"2"}}}'
    )
    [annotation] = read_annotations(save(tmp_path / "a.json", text))
    assert np.isnan(annotation.measurements["a"])
    assert annotation.metadata == {"x": "2"}


def test_damaged_letters_are_replaced_and_can_be_written_again(tmp_path: Path) -> None:
    broken = json.dumps(feature(name="a?b")).encode()
    for bad in (b"\\ud800", b"\xff"):
        [annotation] = read_annotations(save(tmp_path / "a.json", broken.replace(b"?", bad)))
        write_annotations(tmp_path / "b.json", [annotation])
        [again] = read_annotations(tmp_path / "b.json")
        assert again.name == annotation.name
        assert again.name
        assert again.name[0] + again.name[-1] == "ab"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.geojson", b""),
        ("a.geojson", b"hello"),
        ("a.geojson", b'{"type": "Feat'),
        ("a.geojson", b"[" * 100_000),
        ("a.geojson", b"\xff\xfe\xff"),
        ("a.geojson", b'{"type": "Fe\xffature"}'),
        ("a.geojson", b'{"ROIs": []}'),
        ("a.geojson.gz", b"hello"),
        ("a.geojson.gz", gzip.compress(b"[]" * 1000)[:20]),
        ("a.zip", b"hello"),
        ("a.xml", b"<xml/>"),
        ("a.geojson", None),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        save(tmp_path / name, content)
    with pytest.raises(AnnotationError, match=r"^a\.[^\n]+\.$"):
        read_annotations(tmp_path / name)


def test_a_zip_without_annotations_says_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(AnnotationError, match=r"holds no annotation file"):
        read_annotations(tmp_path / "a.zip")


def scanned() -> ArraySlide:
    slide = ArraySlide(np.zeros((50, 50, 3), np.uint8))
    slide.bounds = (7, 11, 30, 30)
    return slide


def test_with_a_slide_the_frame_is_qupaths(tmp_path: Path) -> None:
    nucleus = {**feature(), "nucleusGeometry": SQUARE}
    file = save(tmp_path / "a.geojson", json.dumps(nucleus))
    [annotation] = read_annotations(file, slide=scanned())
    assert annotation.geometry.bounds == (7, 11, 17, 21)
    assert annotation.extra["feature"]["nucleusGeometry"]["coordinates"][0][2] == [17, 21]
    [annotation] = read_annotations(file, slide=scanned(), origin="full")
    assert annotation.geometry.bounds == (0, 0, 10, 10)


REAL = {  # name: (features, first class, geometry types)
    "Single_cells.geojson": (131, "class_1", {"Polygon", "Point"}),
    "TCGA-EJ-5519-qupath02.json": (3, "Tumor", {"Polygon", "MultiPolygon"}),
    "TD_01_verysmall_mIF.geojson": (9, "class_1", {"Polygon", "Point"}),
    "bare-polygon.geojson": (1, None, {"MultiPolygon"}),
    "holed.geojson": (1, None, {"Polygon"}),
    "not-qupath-sample.geojson": (10, None, {"Polygon"}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_whole(shared_data: Path, name: str) -> None:
    found, report = read_annotations_report(shared_data / "annotations" / "geojson" / name)
    count, class_name, kinds = REAL[name]
    assert (report.features, len(found), report.skipped) == (count, count, ())
    assert found[0].class_name == class_name
    assert {each.geometry.geom_type for each in found} == kinds


def test_the_area_of_a_real_holed_annotation_agrees_with_shapely(shared_data: Path) -> None:
    path = shared_data / "annotations" / "geojson" / "holed.geojson"
    oracle = shapely.geometry.shape(json.loads(path.read_text())["geometry"])
    [annotation] = read_annotations(path)
    assert annotation.geometry.equals(oracle)
    assert len(annotation.geometry.interiors) == len(oracle.interiors) > 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["type", "geometry", "coordinates", "properties", "features", "id", "name", "color",
                         "classification", "names", "measurements", "metadata", "childObjects", "isEllipse"]),
        inner | st.sampled_from(["Feature", "FeatureCollection", "Polygon", "Point", "MultiPolygon"]), max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(VALUES)
def test_no_document_is_worse_than_an_error(document: Any) -> None:
    try:
        found, report = annotations_from([feature(document), document], load_taxonomy())
    except AnnotationError:
        return
    assert len(found) + len(report.skipped) == report.features
    assert all(each.geometry.is_valid for each in found)
