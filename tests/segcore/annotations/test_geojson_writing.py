import gzip
import json
import math
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

from segcore.annotations import (
    Annotation,
    LabelMap,
    load_taxonomy,
    read_annotations,
    write_annotations,
)
from segcore.annotations.geojson_writing import features_from
from segcore.annotations.polygons import polygons_from_labels
from segcore.annotations.raster import rasterize
from segcore.errors import AnnotationError, ExportError
from segcore.slides import ArraySlide


def refuse(value: str) -> None:
    raise ValueError(value)


def as_qupath_reads(text: str | bytes) -> list[dict[str, Any]]:
    """Parse and check by the rules that some QuPath from 0.4 to 0.7 enforces; any breach fails."""
    document = json.loads(text, parse_constant=refuse)
    assert document["type"] == "FeatureCollection"
    for feature in document["features"]:
        assert feature["type"] == "Feature"
        UUID(feature["id"])
        check_geometry(feature["geometry"])
        properties = feature["properties"]
        assert properties["objectType"] in {"annotation", "detection", "cell", "tile", "tmaCore"}
        assert None not in properties.values()
        if "classification" in properties:
            check_class(properties["classification"])
        for number in properties.get("measurements", {}).values():
            assert isinstance(number, float | int) or number in {"NaN", "Infinity", "-Infinity"}
        assert all(isinstance(each, str) for each in properties.get("metadata", {}).values())
    assert len({each["id"] for each in document["features"]}) == len(document["features"])
    return document["features"]


def check_class(value: dict[str, Any]) -> None:
    assert len(value["color"]) == 3
    for name in value.get("names", [value.get("name")]):
        assert name
        assert ":" not in name
        assert "\n" not in name


def check_geometry(value: dict[str, Any]) -> None:
    geometry = shapely.geometry.shape(value)
    assert value["type"] in {"Point", "MultiPoint", "LineString", "Polygon", "MultiPolygon"}
    assert not geometry.is_empty
    assert geometry.is_valid
    assert not shapely.set_precision(
        geometry, 0.01
    ).is_empty  # as 0.6 does, which throws where we would
    if value["type"].startswith("Multi"):
        assert len(value["coordinates"]) > 1 or value["type"] == "MultiPoint"
    points = shapely.get_coordinates(geometry)
    assert np.array_equal(points, points.round(2))


def written(annotations: list[Annotation], **options: Any) -> list[dict[str, Any]]:
    import msgspec

    features, _ = features_from(annotations, load_taxonomy(), **options)
    return as_qupath_reads(msgspec.json.encode({"type": "FeatureCollection", "features": features}))


def test_a_class_is_written_under_its_qupath_name_with_its_colour() -> None:
    [feature] = written([Annotation(box(0, 0, 2, 2), class_name="Lymphocyte")])
    assert feature["properties"] == {
        "objectType": "annotation",
        "classification": {"name": "Immune cells", "color": [0xF0, 0xE4, 0x42]},
    }


def test_everything_qupath_knows_is_written() -> None:
    annotation = Annotation(
        box(0, 0, 2, 2),
        class_name="Nerve: Big",
        name="N",
        locked=True,
        kind="detection",
        colour=(1, 2, 3),
        measurements={"a": 1.5, "b": math.nan, "c": math.inf, "d": -math.inf},
        metadata={"k": "v"},
    )
    [feature] = written([annotation])
    assert feature["id"] == annotation.id
    assert feature["properties"] == {
        "objectType": "detection",
        "name": "N",
        "classification": {"names": ["Nerve", "Big"], "color": [1, 2, 3]},
        "isLocked": True,
        "measurements": {"a": 1.5, "b": "NaN", "c": "Infinity", "d": "-Infinity"},
        "metadata": {"k": "v"},
    }


def test_an_own_colour_is_written_beside_the_class() -> None:
    [feature] = written([Annotation(box(0, 0, 2, 2), class_name="Tumor", colour=(1, 2, 3))])
    assert feature["properties"]["color"] == [1, 2, 3]
    assert feature["properties"]["classification"]["color"] == [0xD5, 0x5E, 0x00]


def test_an_ellipse_is_marked_and_a_plane_kept() -> None:
    disc = Annotation(
        Point(50, 50).buffer(10), ellipse=True, extra={"plane": {"c": -1, "z": 2, "t": 0}}
    )
    [feature] = written([disc])
    assert feature["geometry"]["isEllipse"] is True
    assert feature["geometry"]["plane"] == {"c": -1, "z": 2, "t": 0}


@pytest.mark.parametrize(
    ("geometry", "kind"),
    [
        (MultiPolygon([box(0, 0, 1, 1)]), "Polygon"),
        (Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), "MultiPolygon"),  # a bow tie
        (Polygon([(0, 0), (5, 0), (9, 0), (5, 0), (5, 5), (0, 5)]), "Polygon"),  # a spike
        (MultiPolygon([box(0, 0, 5, 5), box(3, 3, 8, 8)]), "Polygon"),  # overlapping parts
        (
            Polygon(box(0, 0, 5, 5).exterior, [box(8, 8, 9, 9).exterior]),
            "MultiPolygon",
        ),  # a hole outside
        (shapely.force_3d(box(0, 0, 5, 5), 7), "Polygon"),
        (MultiPoint([(1, 1)]), "Point"),
    ],
)
def test_what_some_qupath_refuses_is_made_sound(geometry: shapely.Geometry, kind: str) -> None:
    [feature] = written([Annotation(geometry)])
    assert feature["geometry"]["type"] == kind


def test_a_collection_becomes_several_features_of_which_one_keeps_the_id() -> None:
    mixed = GeometryCollection(
        [
            box(0, 0, 1, 1),
            GeometryCollection([box(5, 5, 6, 6)]),
            MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
            Point(4, 4),
        ]
    )
    annotation = Annotation(mixed, class_name="Tumor")
    features = written([annotation])
    kinds = [each["geometry"]["type"] for each in features]
    assert kinds == ["MultiPolygon", "LineString", "LineString", "Point"]
    assert [each["id"] == annotation.id for each in features] == [True, False, False, False]


def test_what_comes_to_nothing_is_left_out_and_told(tmp_path: Path) -> None:
    kept, tiny = Annotation(box(0, 0, 5, 5)), Annotation(box(0, 0, 0.001, 0.001))
    empty, sliver = Annotation(Polygon()), Annotation(Polygon([(0, 0.03), (5, 0), (6, 0)]))
    result = write_annotations(tmp_path / "a.geojson", [tiny, kept, empty, sliver])
    assert result.features == 1
    assert result.dropped == (tiny.id, empty.id, sliver.id)


def test_no_annotations_are_an_empty_collection(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a.geojson", [])
    assert as_qupath_reads((tmp_path / "a.geojson").read_bytes()) == []
    assert read_annotations(tmp_path / "a.geojson") == []


COORDINATES = st.floats(-1000, 100_000).map(lambda x: round(x, 3))
OUTLINES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9)


@settings(deadline=None, max_examples=100)
@given(st.lists(OUTLINES, min_size=1, max_size=4), st.text(max_size=8), st.floats())
def test_whatever_is_drawn_can_be_read_by_every_qupath(
    outlines: list[list[tuple[float, float]]], name: str, number: float
) -> None:
    polygons = [Polygon(each) for each in outlines]
    annotations = [
        *(
            Annotation(each, class_name=name or None, name=name, measurements={name: number})
            for each in polygons
        ),
        Annotation(MultiPolygon(polygons)),
        Annotation(LineString(outlines[0])),
    ]
    written(annotations)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([1.0, 0.5 / 0.499, 3.7]), st.booleans())
def test_a_mask_survives_the_way_through_a_file(seed: int, scale: float, merge: bool) -> None:  # noqa: FBT001 - given by hypothesis
    labels = np.random.default_rng(seed).integers(0, 4, (9, 11), np.uint8)
    label_map = LabelMap(labels, 41_234, 12_345, scale, 0.5)
    taxonomy = load_taxonomy()
    annotations = [
        Annotation(polygon, class_name=taxonomy.coded(code).name)
        for code, polygon in polygons_from_labels(label_map, merge=merge)
    ]
    features = written(annotations)
    shapes = [
        (
            taxonomy.named(each["properties"]["classification"]["name"]).code,
            shapely.geometry.shape(each["geometry"]),
        )
        for each in features
    ]
    assert np.array_equal(
        rasterize(shapes, shape=(9, 11), column=41_234, row=12_345, scale=scale), labels
    )


def slide_with_bounds() -> ArraySlide:
    slide = ArraySlide(np.zeros((50, 50, 3), np.uint8))
    slide.bounds = (7, 11, 30, 30)
    return slide


def test_the_default_frame_is_qupaths_and_the_file_remembers_it(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    annotation = Annotation(
        box(10, 20, 30, 40),
        extra={"feature": {"nucleusGeometry": shapely.geometry.mapping(box(10, 20, 12, 22))}},
    )
    write_annotations(file, [annotation], slide=slide_with_bounds())
    [feature] = as_qupath_reads(file.read_bytes())
    assert shapely.geometry.shape(feature["geometry"]).bounds == (3, 9, 23, 29)
    for slide in (None, slide_with_bounds()):
        [again] = read_annotations(file, slide=slide)
        assert again.geometry.equals(annotation.geometry)

    write_annotations(file, [annotation], slide=slide_with_bounds(), origin="full")
    [feature] = as_qupath_reads(file.read_bytes())
    assert shapely.geometry.shape(feature["geometry"]).bounds == (10, 20, 30, 40)


@pytest.mark.parametrize("name", ["a.geojson", "a.json", "a.geojson.gz", "a.json.gz", "a.zip"])
def test_every_format_comes_back(tmp_path: Path, name: str) -> None:
    annotation = Annotation(
        Point(50, 50).buffer(10).difference(box(48, 48, 52, 52)),
        class_name="Necrosis",
        name="ä €",
        locked=True,
        measurements={"a": 2.5},
        metadata={"b": "c"},
        extra={"properties": {"mine": [1, {"x": None}]}},
    )
    write_annotations(tmp_path / name, [annotation])
    [again] = read_annotations(tmp_path / name)
    assert again.with_(geometry=annotation.geometry) == annotation
    assert again.geometry.hausdorff_distance(annotation.geometry) < 0.01


def test_packed_files_are_what_they_say(tmp_path: Path) -> None:
    for name in ("a.geojson.gz", "a.zip"):
        write_annotations(tmp_path / name, [Annotation(box(0, 0, 1, 1))])
    assert len(as_qupath_reads(gzip.decompress((tmp_path / "a.geojson.gz").read_bytes()))) == 1
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["a.geojson"]


@pytest.mark.parametrize(
    "name",
    [
        "Single_cells.geojson",
        "TCGA-EJ-5519-qupath02.json",
        "TD_01_verysmall_mIF.geojson",
        "bare-polygon.geojson",
        "holed.geojson",
        "not-qupath-sample.geojson",
    ],
)
def test_real_files_come_back_as_they_were(shared_data: Path, tmp_path: Path, name: str) -> None:
    first = read_annotations(shared_data / "annotations" / "geojson" / name)
    write_annotations(tmp_path / "a.geojson", first)
    as_qupath_reads((tmp_path / "a.geojson").read_bytes())
    second = read_annotations(tmp_path / "a.geojson")
    assert len(second) == len(first)
    for one, other in zip(first, second, strict=True):
        assert one.geometry.symmetric_difference(other.geometry).area <= 1e-9 * max(
            one.geometry.area, 1
        )
        assert other.with_(geometry=one.geometry) == one


def test_an_unknown_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        AnnotationError,
        match=r"a\.doc is no annotation file that is known here; use one of \.geojson",
    ):
        write_annotations(tmp_path / "a.doc", [])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.geojson"
    write_annotations(file, [Annotation(box(0, 0, 1, 1))])
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(
        ExportError, match=r"^a\.geojson could not be written: No space left on device; .*\.$"
    ):
        write_annotations(file, [])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="could not be written: No such file or directory"):
        write_annotations(tmp_path / "none" / "a.geojson", [])
