"""ASAP's and ImageScope's XML."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely

from segcore.annotations import read_annotations
from segcore.annotations.formats.asap import read_asap
from segcore.annotations.formats.holes import cut_out
from segcore.annotations.formats.imagescope import read_imagescope
from segcore.errors import AnnotationError

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]
INNER = [(2, 2), (6, 2), (6, 6), (2, 6)]


def asap(*annotations: str, groups: str = "") -> str:
    marks = "".join(annotations)
    return (
        f"<ASAP_Annotations><Annotations>{marks}</Annotations>"
        f"<AnnotationGroups>{groups}</AnnotationGroups></ASAP_Annotations>"
    )


def mark(points, kind="Polygon", group="Tumor", name="a"):
    places = "".join(
        f'<Coordinate Order="{at}" X="{x}" Y="{y}" />' for at, (x, y) in enumerate(points)
    )
    return (
        f'<Annotation Name="{name}" Type="{kind}" PartOfGroup="{group}" Color="#F4FA58">'
        f"<Coordinates>{places}</Coordinates></Annotation>"
    )


def read(folder: Path, text: str):
    (folder / "a.xml").write_text(text)
    return read_asap(folder / "a.xml")


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        ("Polygon", SQUARE, shapely.Polygon(SQUARE)),
        ("Rectangle", SQUARE, shapely.Polygon(SQUARE)),
        ("Spline", SQUARE, shapely.Polygon(SQUARE)),
        ("Dot", [(3, 4)], shapely.Point(3, 4)),
        ("PointSet", [(3, 4), (5, 6)], shapely.MultiPoint([(3, 4), (5, 6)])),
        ("Measurement", [(3, 4), (5, 6)], shapely.LineString([(3, 4), (5, 6)])),
    ],
)
def test_every_type_has_its_geometry(tmp_path, kind, points, expected):
    [annotation], _ = read(tmp_path, asap(mark(points, kind)))
    assert annotation.geometry.equals(expected)


def test_points_are_taken_in_their_order(tmp_path):
    text = asap(mark([(0, 0), (10, 10), (10, 0), (0, 10)]))
    text = text.replace('Order="1"', 'Order="x"').replace('Order="2"', 'Order="1"')
    [annotation], _ = read(tmp_path, text.replace('Order="x"', 'Order="2"'))
    assert annotation.geometry.equals(shapely.Polygon(SQUARE))


def test_the_group_is_the_class_and_a_group_around_it_helps(tmp_path):
    groups = '<Group Name="dcis" PartOfGroup="tumor" /><Group Name="tumor" PartOfGroup="None" />'
    marks = [mark(SQUARE, group=each) for each in ("tumor", "dcis", "odd", "None")]
    found, _ = read(tmp_path, asap(*marks, groups=groups))
    assert [each.class_name for each in found] == ["Tumor", "Tumor", "odd", None]
    assert [each.colour for each in found] == [None, None, (244, 250, 88), (244, 250, 88)]


def test_a_group_within_itself_ends(tmp_path):
    groups = '<Group Name="a" PartOfGroup="b" /><Group Name="b" PartOfGroup="a" />'
    [annotation], _ = read(tmp_path, asap(mark(SQUARE, group="a"), groups=groups))
    assert annotation.class_name == "a"


def test_holes_are_cut_out_of_what_they_lie_in(tmp_path):
    far = [(x + 100, y) for x, y in SQUARE]
    found, _ = read(
        tmp_path, asap(mark(SQUARE), mark(INNER, group="Exclusion"), mark(far), mark(INNER))
    )
    left = cut_out(found, {"Exclusion"})
    assert [each.geometry.area for each in left] == [100 - 16, 100]
    assert len(left[0].geometry.interiors) == 1


def test_a_crossing_outline_is_repaired_and_an_unsound_one_is_listed(tmp_path):
    bow = [(0, 0), (10, 10), (10, 0), (0, 10)]
    found, report = read(
        tmp_path,
        asap(mark(bow), mark([(0, 0), (1, 1)]), mark(SQUARE, kind="Blob"), mark([("nan", 1)] * 4)),
    )
    assert found[0].geometry.area == 50
    assert (report.features, report.repaired, len(report.skipped)) == (4, 1, 3)
    assert "fewer than three corners" in report.skipped[0]
    assert "'Blob'" in report.skipped[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<ASAP_Annotations>",
        "{}",
        "<Annotations />",
        '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><ASAP_Annotations>&c;</ASAP_Annotations>',
    ],
)
def test_what_is_no_file_of_asap_gets_a_sentence(tmp_path, text):
    with pytest.raises(AnnotationError, match=r"^a\.xml is no .*\.$"):
        read(tmp_path, text)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(AnnotationError, match=r"gone\.xml cannot be read"):
        read_asap(tmp_path / "gone.xml")


def test_every_real_file_is_read_whole(shared_data):
    files = sorted((shared_data / "annotations" / "asap").glob("*.xml"))
    assert len(files) > 10
    for file in files:
        found, report = read_asap(file)
        elements = ET.parse(file).getroot().findall("Annotations/Annotation")  # noqa: S314
        assert len(found) + len(report.skipped) == len(elements) == report.features
        assert not report.skipped, file
        for annotation, element in zip(found, elements, strict=True):
            places = [(float(c.get("X")), float(c.get("Y"))) for c in element.iter("Coordinate")]
            low, high = np.min(places, axis=0), np.max(places, axis=0)
            left, top, right, bottom = annotation.geometry.bounds
            # A repair may drop a spike, but what is left is no larger.
            assert low[0] <= left < right <= high[0], file
            assert low[1] <= top < bottom <= high[1], file


def test_the_pair_of_files_agrees(shared_data):
    folder = shared_data / "annotations" / "asap"
    ours = {each.class_name: each.geometry for each in read_asap(folder / "xml_example.xml")[0]}
    theirs = {
        each.class_name: each.geometry
        for each in read_annotations(folder / "geojson_example.geojson")
    }
    assert ours["unsure"].equals(theirs["unsure"])


def imagescope(*regions: str, layer: str = "") -> str:
    return (
        f'<Annotations MicronsPerPixel="0.467"><Annotation Id="1" Name="{layer}"><Regions>'
        f"<RegionAttributeHeaders />{''.join(regions)}</Regions></Annotation></Annotations>"
    )


def region(points, *, value="", text="", kind="0", negative="0"):
    places = "".join(f'<Vertex X="{x}" Y="{y}" Z="0" />' for x, y in points)
    return (
        f'<Region Id="1" Type="{kind}" Text="{text}" NegativeROA="{negative}">'
        f'<Attributes><Attribute Id="1" Name="d" Value="{value}" /></Attributes>'
        f"<Vertices>{places}</Vertices></Region>"
    )


def test_regions_of_imagescope_have_the_class_that_is_said_nearest(tmp_path):
    file = tmp_path / "a.xml"
    regions = [region(SQUARE, value="Benign"), region(SQUARE, text="tumor"), region(SQUARE)]
    file.write_text(imagescope(*regions, layer="Stroma"))
    found, _ = read_imagescope(file)
    assert [each.class_name for each in found] == ["Benign", "Tumor", "Stroma"]


def test_negative_regions_are_holes_and_two_corners_a_box(tmp_path):
    file = tmp_path / "a.xml"
    box = region([(2, 2), (6, 6)], kind="1", negative="1")
    file.write_text(imagescope(region(SQUARE), box, region([(0, 0), (5, 5)], kind="4")))
    (annotation, ruler), report = read_imagescope(file)
    assert annotation.geometry.area == 100 - 16
    assert ruler.geometry.equals(shapely.LineString([(0, 0), (5, 5)]))
    assert report.skipped == ()


def test_an_ellipse_fills_its_box(tmp_path):
    (tmp_path / "a.xml").write_text(imagescope(region([(0, 0), (20, 10)], kind="2")))
    [annotation], _ = read_imagescope(tmp_path / "a.xml")
    assert annotation.geometry.area == pytest.approx(np.pi * 10 * 5, rel=1e-3)


def test_real_files_of_imagescope_are_read_whole(shared_data):
    for name in ("TCGA-EJ-5518.xml", "monuseg-TCGA-XS-A8TJ-01Z-00-DX1.xml"):
        file = shared_data / "annotations" / "imagescope" / name
        found, report = read_imagescope(file)
        holes = file.read_text().count('NegativeROA="1"')
        assert len(found) + holes == report.features > 0, file
        assert not report.skipped
