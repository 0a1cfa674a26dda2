"""Files of other programs: real ones, and small ones with numbers worked out by hand."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import openslide
import pytest
import shapely
from PIL import Image

from segcore.annotations import Annotation, read_annotations_report, write_annotations
from segcore.annotations.formats.coco import without_holes
from segcore.annotations.formats.run_lengths import counts_from, mask_from
from segcore.errors import AnnotationError, PixelSizeMissingError
from segcore.slides import open_slide
from tests.segcore.annotations import marks


def shoelace(points):
    """Return the area that the vertices enclose."""
    x, y = np.array(points, float).T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


# ASAP


def test_areas_of_real_asap_files_are_those_of_their_coordinates(shared_data):
    for name in ("BACH-A01.xml", "008_087_HE.xml", "normal_042.xml"):
        file = shared_data / "annotations" / "asap" / name
        found, report = read_annotations_report(file)
        elements = ET.parse(file).getroot().findall("Annotations/Annotation")  # noqa: S314
        areas = [
            shoelace([(c.get("X"), c.get("Y")) for c in each.iter("Coordinate")])
            for each in elements
        ]
        assert report.repaired == 0
        assert [each.geometry.area for each in found] == pytest.approx(areas)


def test_a_group_called_exclusion_is_cut_out_and_none_is_no_class(tmp_path):
    def mark(group, kind, *points):
        places = "".join(
            f'<Coordinate Order="{n}" X="{x}" Y="{y}"/>' for n, (x, y) in enumerate(points)
        )
        return (
            f'<Annotation Name="x" Type="{kind}" PartOfGroup="{group}" Color="#ff0000">'
            f"<Coordinates>{places}</Coordinates></Annotation>"
        )

    box = [(0, 0), (10, 0), (10, 10), (0, 10)]
    inner = [(2, 2), (6, 2), (6, 6), (2, 6)]
    text = (
        mark("Tumor", "Polygon", *box)
        + mark("exclude", "Spline", *inner)
        + mark("none", "Dot", (3, 4))
    )
    (tmp_path / "a.xml").write_text(
        f"<ASAP_Annotations><Annotations>{text}</Annotations></ASAP_Annotations>"
    )
    (ring, dot), _ = read_annotations_report(tmp_path / "a.xml")
    assert (ring.class_name, ring.geometry.area) == ("Tumor", 84)
    assert (dot.class_name, dot.geometry) == (None, shapely.Point(3, 4))


def test_asap_is_written_as_asap_writes_it(tmp_path):
    drawn = [
        Annotation(shapely.box(0, 0, 9, 9), "Tumor"),
        Annotation(shapely.MultiPoint([(1, 2), (3, 4)]), "Nerve", "P"),
        Annotation(shapely.LineString([(1, 2), (3, 4)])),
        Annotation(shapely.Point(5, 6)),
    ]
    write_annotations(tmp_path / "a.xml", drawn)
    root = ET.parse(tmp_path / "a.xml").getroot()  # noqa: S314
    assert root.tag == "ASAP_Annotations"
    written = root.findall("Annotations/Annotation")
    assert [each.get("Type") for each in written] == ["Rectangle", "PointSet", "Measurement", "Dot"]
    assert [each.get("PartOfGroup") for each in written] == ["Tumor", "Nerve", "None", "None"]
    orders = [each.get("Order") for each in written[0].iter("Coordinate")]
    assert orders == ["0", "1", "2", "3"]
    groups = root.findall("AnnotationGroups/Group")
    assert [(each.get("Name"), each.get("PartOfGroup")) for each in groups] == [
        ("Tumor", "None"), ("Nerve", "None"),
    ]  # fmt: skip
    assert groups[0].get("Color") == "#d55e00"


# ImageScope


def test_areas_of_real_nuclei_are_those_that_imagescope_wrote(shared_data):
    file = shared_data / "annotations" / "imagescope" / "monuseg-TCGA-UZ-A9PN-01Z-00-DX1.xml"
    found, report = read_annotations_report(file)
    regions = list(ET.parse(file).getroot().iter("Region"))  # noqa: S314
    assert len(found) == len(regions) == 1207
    told = np.array([float(each.get("Area")) for each in regions])
    ours = np.array([each.geometry.area for each in found])
    assert np.median(np.abs(ours - told)) < 0.06  # it wrote one decimal
    assert (np.abs(ours - told) < 0.06).mean() > 0.97  # the others crossed themselves
    assert report.repaired == 22
    assert {each.colour for each in found} == {
        (0, 255, 0)
    }  # LineColor 65280: no red, green 255, no blue


def test_imagescope_writes_blue_first(tmp_path):
    write_annotations(
        tmp_path / "a.imagescope.xml",
        [Annotation(shapely.box(0, 0, 9, 9), "Nerve", colour=(1, 2, 3))],
    )
    root = ET.parse(tmp_path / "a.imagescope.xml").getroot()  # noqa: S314
    layer = root.find("Annotation")
    assert layer is not None
    assert layer.get("LineColor") == str(3 * 65536 + 2 * 256 + 1)


# HistomicsUI


def test_the_real_sample_of_histomicsui_is_read(shared_data):
    (point, outline), report = read_annotations_report(
        shared_data / "annotations" / "dsa" / "sample.anot"
    )
    assert point.geometry == shapely.Point(1033, 363)
    corners = [(1029, 408), (1012, 449), (1055, 458), (1060, 414)]
    assert outline.geometry.area == shoelace(corners) == 1655
    assert (outline.colour, report.format) == ((0, 0, 0), "HistomicsUI (DSA)")


def test_every_shape_of_histomicsui_is_read(tmp_path):
    elements = [
        {"type": "rectangle", "center": [50, 60, 0], "width": 20, "height": 10, "rotation": np.pi / 2},
        {"type": "circle", "center": [50, 60, 0], "radius": 10},
        {"type": "ellipse", "center": [50, 60, 0], "width": 20, "height": 10},
        {"type": "arrow", "points": [[1, 2, 0], [3, 4, 0]]},
        {"type": "polyline", "closed": False, "points": [[1, 2, 0], [3, 4, 0], [5, 5, 0]]},
        {"type": "polyline", "closed": True, "points": [[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]],
         "holes": [[[1, 1, 0], [2, 1, 0], [2, 2, 0], [1, 2, 0]]], "group": "Tumor", "label": {"value": "N"}},
        {"type": "heatmap", "points": []},
    ]  # fmt: skip
    record = [{"_id": "5", "annotation": {"name": "x", "elements": elements}}]
    (tmp_path / "a.json").write_text(json.dumps(record))
    found, report = read_annotations_report(tmp_path / "a.json")
    box, circle, ellipse, arrow, line, holed = found
    assert box.geometry.bounds == pytest.approx((45, 50, 55, 70))  # turned by a right angle
    assert circle.geometry.area == pytest.approx(np.pi * 100, rel=1e-3)
    assert ellipse.geometry.area == pytest.approx(np.pi * 50, rel=1e-3)
    assert (circle.ellipse, box.ellipse) == (True, False)
    assert arrow.geometry.length == pytest.approx(8**0.5)
    assert line.geometry.geom_type == "LineString"
    assert (holed.geometry.area, holed.class_name, holed.name) == (80, "Tumor", "N")
    assert report.skipped == ("Element 7 was left out: it is a picture.",)


# NDPA


def view(shape, title="Tumor"):
    return (
        f'<ndpviewstate id="1"><title>{title}</title><details/><coordformat>nanometers</coordformat>{shape}'
        "</ndpviewstate>"
    )


def test_ndpa_measures_from_the_centre_of_the_glass(tmp_path):
    """x_px = (x - XOffset) / (mpp * 1000) + W / 2, for a slide of 400 x 300 pixels."""
    slide = marks.slide()
    points = "".join(f"<point><x>{12_538_720 + x}</x><y>{-96_063 + y}</y></point>" for x, y in (
        (0, 0), (22_810, 0), (22_810, 22_790), (0, 22_790)))  # fmt: skip
    freehand = f'<annotation type="freehand" color="#ff0000"><closed>1</closed><pointlist>{points}</pointlist></annotation>'
    pin = '<annotation type="pin" color="#000000"><x>12538720</x><y>-96063</y></annotation>'
    circle = '<annotation type="circle" color="#0000ff"><x>12538720</x><y>-96063</y><radius>2281</radius></annotation>'
    ruler = '<annotation type="linearmeasure"><x1>12538720</x1><y1>-96063</y1><x2>12561530</x2><y2>-96063</y2></annotation>'
    text = (
        view(freehand)
        + view(pin, "note")
        + view(circle, "")
        + view(ruler)
        + view('<annotation type="blob"/>')
    )
    (tmp_path / "a.ndpa").write_text(f"<annotations>{text}</annotations>")
    (area, point, disc, line), report = read_annotations_report(tmp_path / "a.ndpa", slide=slide)
    assert area.geometry.bounds == pytest.approx((200, 150, 300, 250))
    assert area.class_name == "Tumor"
    assert (point.class_name, point.geometry) == ("note", shapely.Point(200, 150))
    assert disc.geometry.bounds == pytest.approx((190, 140, 210, 160), abs=0.02)
    assert line.geometry.length == pytest.approx(100)
    assert report.skipped == ("Annotation 5 was left out: its type is 'blob'.",)


def test_a_real_ndpi_says_where_it_lies_and_takes_its_annotations_back(shared_data, tmp_path):
    path = shared_data / "slides" / "test3-DAPI-2-(387).ndpi"
    with open_slide(path) as slide, openslide.OpenSlide(path) as other:
        write_annotations(tmp_path / "a.ndpa", [Annotation(shapely.Point(0, 0))], slide=slide)
        [again], _ = read_annotations_report(tmp_path / "a.ndpa", slide=slide)
        mpp = float(other.properties["openslide.mpp-x"])
        centre = float(other.properties["hamamatsu.XOffsetFromSlideCentre"])
        width = other.dimensions[0]
    text = ET.parse(tmp_path / "a.ndpa").findtext("ndpviewstate/annotation/x")  # noqa: S314
    assert float(text or "nan") == pytest.approx(centre - width / 2 * mpp * 1000, abs=1)
    assert again.geometry.distance(shapely.Point(0, 0)) < 0.01


def test_ndpa_without_its_slide_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "a.ndpa").write_text("<annotations/>")
    with pytest.raises(
        AnnotationError, match="centre of its glass slide; open or name the NDPI slide too"
    ):
        read_annotations_report(tmp_path / "a.ndpa")
    other = marks.slide()
    other.glass = None
    with pytest.raises(AnnotationError, match="does not say where it lies on its glass"):
        read_annotations_report(tmp_path / "a.ndpa", slide=other)


# COCO


RUNS = [  # made with pycocotools 2.0: height, width, packed counts, area, box
    (7, 9, "022O030M000021M0000O200023LM70I", 25, (0, 0, 9, 7)),
    (10, 20, "21106000K11OO1O12NO42NNNO0010O70I001107OH02001NO2130KO010O001020O2NO0O110O12NN40M01020O0M22ONO10", 74, (0, 0, 20, 10)),
    (40, 33, "c2R160000000000UO4:LF4:LF4:LF4:LF4:LF4:LF4:LF4:La00000000000000000000000000000]2", 906, (2, 3, 29, 34)),
]  # fmt: skip


@pytest.mark.parametrize(("height", "width", "text", "area", "box"), RUNS)
def test_run_lengths_are_unpacked_as_their_own_library_does(height, width, text, area, box):
    counts = counts_from(text)
    assert counts.sum() == height * width
    mask, left, top = mask_from(counts, width=width, height=height)
    assert mask.sum() == area
    assert (left, top, mask.shape[1], mask.shape[0]) == box


def coco(
    tmp_path,
    annotations,
    images=({"id": 7, "file_name": "case 1.png", "width": 400, "height": 300},),
):
    categories = [{"id": 1, "name": "tumor"}, {"id": 2, "name": "Nerve", "color": [1, 2, 3]}]
    document = {"images": list(images), "categories": categories, "annotations": annotations}
    (tmp_path / "a.json").write_text(json.dumps(document))
    return tmp_path / "a.json"


def test_every_segmentation_of_coco_is_read(tmp_path):
    common = {"image_id": 7, "category_id": 2}
    file = coco(tmp_path, [
        {**common, "segmentation": [[0, 0, 10, 0, 10, 10, 0, 10], [20, 0, 25, 0, 25, 5, 20, 5]]},
        {**common, "segmentation": {"size": [10, 20], "counts": [12, 4, 6, 4, 174]}},
        {**common, "category_id": 1, "bbox": [5, 6, 7, 8]},
        {**common, "image_id": 8, "bbox": [5, 6, 7, 8]},
    ])  # fmt: skip
    (two, runs, box), report = read_annotations_report(file, slide=marks.slide())
    assert (two.geometry.area, two.class_name, two.colour) == (125, "Nerve", (1, 2, 3))
    # Columns of 10: pixels 12 to 15 are rows 2 to 5 of column 1, 22 to 25 the same of column 2.
    assert runs.geometry.equals(shapely.box(1, 2, 3, 6))
    assert (box.geometry, box.class_name) == (shapely.box(5, 6, 12, 14), "Tumor")
    assert (report.features, report.doubts) == (3, ())


def test_of_several_pictures_the_one_called_as_the_slide_is_read(tmp_path):
    images = [
        {"id": at, "file_name": f"../x/case {at}.png", "width": 400, "height": 300} for at in (1, 2)
    ]
    file = coco(tmp_path, [{"image_id": at, "bbox": [at, 1, 5, 5]} for at in (1, 2)], images)
    [found], _ = read_annotations_report(file, slide=marks.slide(name="CASE 2.svs"))
    assert found.geometry.bounds[0] == 2
    with pytest.raises(AnnotationError, match=r"about 2 pictures.*none of which is this slide"):
        read_annotations_report(file, slide=marks.slide(name="other.svs"))
    with pytest.raises(AnnotationError, match="about 2 pictures; open or name the slide"):
        read_annotations_report(file)


def test_a_smaller_picture_of_coco_is_enlarged_and_another_name_doubted(tmp_path):
    images = [{"id": 7, "file_name": "thumb.png", "width": 100, "height": 75}]
    file = coco(tmp_path, [{"image_id": 7, "bbox": [1, 1, 5, 5]}], images)
    [found], report = read_annotations_report(file, slide=marks.slide())
    assert found.geometry.bounds == (4, 4, 24, 24)
    assert len(report.doubts) == 2
    assert "'thumb.png', not about 'case 1.ndpi'" in report.doubts[0]
    assert "4 times smaller" in report.doubts[1]


def test_coco_is_written_with_boxes_areas_and_no_holes(tmp_path):
    ring = shapely.box(10, 10, 50, 50).difference(shapely.box(20, 20, 30, 30))
    drawn = [Annotation(ring, "Tumor"), Annotation(shapely.Point(1, 1), "Tumor")]
    written = write_annotations(tmp_path / "a.coco.json", drawn, slide=marks.slide())
    document = json.loads((tmp_path / "a.coco.json").read_text())
    [image], [category], [member] = (
        document[key] for key in ("images", "categories", "annotations")
    )
    assert (image["file_name"], image["width"], image["height"]) == ("case 1.ndpi", 400, 300)
    assert (category["name"], member["category_id"]) == ("Tumor", category["id"])
    assert (member["area"], member["bbox"]) == (1500, [10, 10, 40, 40])
    parts = [shapely.Polygon(np.reshape(each, (-1, 2))) for each in member["segmentation"]]
    assert sum(each.area for each in parts) == 1500
    assert shapely.union_all(parts).equals(ring)
    assert written.dropped == (drawn[1].id,)
    assert written.lost == ("A point was left out: COCO holds areas only.",)


def test_many_holes_are_all_cut_open():
    grid = [shapely.box(x, y, x + 5, y + 5) for x in range(5, 95, 10) for y in range(5, 95, 10)]
    sieve = shapely.box(0, 0, 100, 100).difference(shapely.union_all(grid))
    parts = without_holes(sieve)
    assert not any(each.interiors for each in parts)
    assert shapely.union_all(parts).symmetric_difference(sieve).area < 1e-6


# Masks


def test_a_mask_is_exact_in_both_formats(tmp_path):
    """One pixel of 0.5 um covers 2 x 2 level-0 pixels of 0.25 um; the later annotation wins."""
    drawn = [
        Annotation(shapely.box(20, 20, 60, 60), "Tumor"),
        Annotation(shapely.box(40, 40, 80, 80), "Stroma"),
    ]
    for name in ("m.png", "m.ome.tif"):
        write_annotations(tmp_path / name, drawn, slide=marks.slide(), mask_mpp=0.5)
        found, _ = read_annotations_report(tmp_path / name, slide=marks.slide())
        assert marks.areas(found) == {"Tumor": 1600 - 400, "Stroma": 1600}
    with Image.open(tmp_path / "m.png") as picture:
        assert (picture.size, picture.mode) == ((200, 150), "P")
        pixels = np.asarray(picture)
        shown = np.asarray(picture.convert("RGB"))[15, 15].tolist()
    assert np.bincount(pixels.ravel()).tolist() == [200 * 150 - 700, 300, 400]
    assert (pixels[10:30, 10:20] == 1).all()
    assert shown == [0xD5, 0x5E, 0x00]


def test_a_foreign_png_covers_the_slide_and_unknown_values_become_classes(tmp_path):
    pixels = np.zeros((75, 100), np.uint8)
    pixels[10:20, 30:50] = 255
    Image.fromarray(pixels).save(tmp_path / "m.png")
    [found], report = read_annotations_report(tmp_path / "m.png", slide=marks.slide())
    assert found.geometry.equals(shapely.box(120, 40, 200, 80))  # four times finer
    assert found.class_name == "Class 255"
    assert found.locked
    assert "The values 255 are no classes" in report.doubts[0]


def test_pixels_that_touch_at_a_corner_are_two_areas_and_holes_are_holes(tmp_path):
    pixels = np.zeros((300, 400), np.uint8)
    pixels[10:13, 10:13] = 1
    pixels[11, 11] = 0
    pixels[13:15, 13:15] = 1
    Image.fromarray(pixels).save(tmp_path / "m.png")
    found, _ = read_annotations_report(tmp_path / "m.png", slide=marks.slide())
    assert sorted(each.geometry.area for each in found) == [4, 8]
    assert sum(len(each.geometry.interiors) for each in found) == 1


def test_what_is_no_mask_is_refused(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "m.png")
    with pytest.raises(AnnotationError, match="is no mask: its pixels are RGB"):
        read_annotations_report(tmp_path / "m.png", slide=marks.slide())
    Image.new("L", (40, 30)).save(tmp_path / "m.png")
    with pytest.raises(AnnotationError, match="name the slide too"):
        read_annotations_report(tmp_path / "m.png")
    unknown = marks.slide()
    unknown.mpp = None
    with pytest.raises(PixelSizeMissingError):
        write_annotations(
            tmp_path / "n.png", [Annotation(shapely.box(0, 0, 9, 9), "Tumor")], slide=unknown
        )
    with pytest.raises(AnnotationError, match="give them classes first"):
        write_annotations(
            tmp_path / "n.png", [Annotation(shapely.Point(0, 0))], slide=marks.slide()
        )
