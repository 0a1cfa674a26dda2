"""QuPath's own data files, against its own export of the same objects, and a small one made by hand."""

import numpy as np
import pytest
import shapely

from segcore.annotations import read_annotations_report
from segcore.annotations.java_objects import DamagedStreamError, JavaObject, objects_of
from segcore.errors import AnnotationError
from tests.segcore.annotations import marks
from tests.segcore.annotations.java_streams import (
    NULL,
    array,
    block,
    external,
    hierarchy,
    item,
    qpdata,
    roi,
    stream,
    string,
)


def save(folder, data):
    (folder / "data.qpdata").write_bytes(data)
    return folder / "data.qpdata"


def test_a_real_file_holds_what_qupath_exported_from_it(shared_data):
    """131 objects, their ids, classes, kinds and 126 measurements each; QuPath's ellipses have 100 corners, ours 128."""
    folder = shared_data / "annotations"
    ours, report = read_annotations_report(folder / "qupath-project" / "data" / "1" / "data.qpdata")
    theirs = {
        each.id: each
        for each in read_annotations_report(folder / "geojson" / "Single_cells.geojson")[0]
    }
    assert (len(ours), report.skipped) == (131, ())
    assert {each.id for each in ours} == theirs.keys()
    for each in ours:
        other = theirs[each.id]
        assert (each.class_name, each.kind, each.colour) == (
            other.class_name,
            other.kind,
            other.colour,
        )
        assert (each.name, each.locked, each.ellipse) == (other.name, other.locked, other.ellipse)
        assert each.geometry.hausdorff_distance(other.geometry) < (0.1 if each.ellipse else 0.0072)
        assert each.measurements.keys() == other.measurements.keys()
        for name, value in each.measurements.items():
            assert value == pytest.approx(other.measurements[name], rel=1e-3, abs=1e-4, nan_ok=True)


def test_every_kind_of_outline_is_read_in_qupaths_frame(tmp_path):
    slide = marks.slide(bounds=(100, 50, 300, 250))
    found, report = read_annotations_report(save(tmp_path, qpdata()), slide=slide)
    box, cell, ellipse, holed, line, polyline, points = found
    assert box.geometry.bounds == (101, 52, 141, 82)
    assert (box.name, box.locked, box.kind, box.metadata) == ("R", True, "annotation", {"k": "v"})
    assert (cell.kind, cell.class_name, cell.geometry.area) == ("cell", "Tumor: Positive", 200)
    assert cell.id == "00000000-0000-4000-8000-000000000002"
    nucleus = cell.extra["feature"]["nucleusGeometry"]["coordinates"][0]
    assert nucleus[0] == [112, 62]
    assert ellipse.ellipse
    assert ellipse.geometry.area == pytest.approx(np.pi * 10 * 5, rel=1e-3)
    assert holed.geometry.area == 1500
    assert (line.geometry.length, polyline.geometry.length) == (5, 7)
    assert points.geometry.equals(shapely.MultiPoint([(105, 57), (106, 58)]))
    assert report.skipped == ("Feature 8 was left out: it has no geometry.",)


def test_primitive_arrays_texts_and_references_are_read_as_the_specification_says():
    text, again = string("ä"), b"\x71\x00\x7e\x00\x00"
    found = objects_of(stream(text, again, NULL, block(b"ab"), array("[F", [1.5, -2.0])))
    assert found == ["ä", "ä", None, b"ab", (1.5, -2.0)]
    [outer] = objects_of(stream(external("A", block(b"x"), external("B", NULL))))
    assert outer.class_name == "A"
    assert outer.contents[0] == b"x"
    assert isinstance(outer.contents[1], JavaObject)


def test_an_object_within_itself_is_read_once(tmp_path):
    """The cell's child is a reference to a handle that is the cell's own parent."""
    outline = roi("RectangleROI", x=1.0, y=2.0, x2=41.0, y2=32.0)
    twice = item("PathAnnotationObject", outline)
    good = stream(hierarchy(twice))
    handles = [b"\x71" + (0x7E0000 + at).to_bytes(4, "big") for at in range(12)]
    for reference in handles:
        data = stream(hierarchy(item("PathAnnotationObject", outline, children=[reference])))
        found, _ = read_annotations_report(save(tmp_path, data))
        assert len(found) == 1
    assert len(read_annotations_report(save(tmp_path, good))[0]) == 1


@pytest.mark.parametrize(
    "data",
    [
        stream(),
        stream(string("no hierarchy")),
        qpdata()[:-300],
        stream(b"\x73" * 5000),
        stream(external("A", *[b"\x73\x72\x00\x01A" + bytes(8) + b"\x0c\x00\x00\x78\x70"] * 400)),
        stream(b"\x75\x72\x00\x02[F" + bytes(8) + b"\x02\x00\x00\x78\x70\x7f\xff\xff\xff"),
        stream(b"\x71\x00\x7e\x00\x09"),
        stream(b"\x71\x80\x00\x00\x00"),
        stream(b"\x01"),
    ],
)
def test_a_damaged_stream_is_refused_in_a_sentence(tmp_path, data):
    with pytest.raises(AnnotationError, match=r"^data\.qpdata cannot be read: [^\n]*\.$"):
        read_annotations_report(save(tmp_path, data))


def test_what_is_no_stream_is_told():
    with pytest.raises(DamagedStreamError, match="does not begin"):
        objects_of(b"hello")
