"""The table of formats: known by name and content, and round trips of each."""

import gzip
import json
import zipfile

import pytest
import shapely
from hypothesis import given, settings

from segcore.annotations import (
    FORMATS,
    Annotation,
    check_written,
    format_for,
    format_named,
    format_of,
    read_annotations_report,
    write_annotations,
)
from segcore.errors import AnnotationError, ExportError
from segcore.progress import Cancelled
from tests.segcore.annotations import marks

WRITABLE = [each for each in FORMATS if each.can_write]
VECTORS = [each for each in WRITABLE if not each.is_picture]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("a.geojson", "geojson"), ("a.json", "geojson"), ("a.JSON.GZ", "geojson"), ("a.zip", "geojson"),
        ("a.xml", "asap"), ("a.imagescope.xml", "imagescope"), ("a.anot", "dsa"), ("a.ndpi.ndpa", "ndpa"),
        ("a.coco.json", "coco"), ("a.tif", "ometiff"), ("a.ome.tif", "ometiff"), ("a.png", "png"),
        ("a.coco.json.gz", "coco"),
    ],
)  # fmt: skip
def test_a_new_file_has_the_format_of_its_name(name, known):
    assert format_for(name) is format_named(known)


@pytest.mark.parametrize("name", ["a.doc", "a", "a.png.gz", "a.gz"])
def test_a_name_that_says_nothing_is_refused(name):
    with pytest.raises(AnnotationError, match=r"is known here; use one of \.geojson"):
        format_for(name)


@pytest.mark.parametrize("known", WRITABLE, ids=lambda each: each.name)
def test_a_file_is_known_by_its_content_whatever_its_name_says(tmp_path, known):
    """One .json may be of three formats, one .xml of two; a wrong ending of the same kind does not matter."""
    good = [Annotation(shapely.box(10, 10, 50, 60), class_name="Tumor")]
    for other in WRITABLE:
        if other.is_picture != known.is_picture:
            continue
        file = tmp_path / f"x{other.suffixes[-1]}"
        if file.suffix == ".zip":
            file = tmp_path / "x.geojson"
        write_annotations(file, good, slide=marks.slide(), format=known)
        assert format_of(file) is known
        found, report = read_annotations_report(file, slide=marks.slide())
        assert report.format == known.title
        assert [each.class_name for each in found] == ["Tumor"]
        assert found[0].geometry.area == pytest.approx(2000, rel=1e-3)


@pytest.mark.parametrize("known", VECTORS, ids=lambda each: each.name)
@settings(deadline=None, max_examples=15)
@given(drawn=marks.annotations())
def test_classes_and_areas_survive_every_format(tmp_path_factory, known, drawn):
    file = tmp_path_factory.mktemp("x") / f"x{known.suffixes[0]}"
    slide = marks.slide(bounds=(7, 11, 380, 280))
    written = write_annotations(file, drawn, slide=slide, format=known)
    found, report = read_annotations_report(file, slide=slide)
    kept = [each for each in drawn if each.id not in written.dropped]
    assert report.skipped == ()
    for name, area in marks.areas(kept).items():
        assert marks.areas(found)[name] == pytest.approx(area, abs=0.02 * 700, rel=1e-3)
    assert check_written(file, drawn, written, slide=slide, format=known).ok


@pytest.mark.parametrize("known", VECTORS, ids=lambda each: each.name)
def test_holes_stay_holes_even_where_another_class_fills_them(tmp_path, known):
    core = shapely.box(40, 40, 80, 80)
    ring = shapely.box(20, 20, 120, 120).difference(core)
    drawn = [Annotation(ring, class_name="Tumor"), Annotation(core, class_name="Stroma")]
    file = tmp_path / f"x{known.suffixes[0]}"
    write_annotations(file, drawn, slide=marks.slide(), format=known)
    found, _ = read_annotations_report(file, slide=marks.slide())
    by_class = {each.class_name: each.geometry for each in found}
    assert by_class.keys() == {"Tumor", "Stroma"}
    assert by_class["Tumor"].symmetric_difference(ring).area < 2
    assert by_class["Stroma"].symmetric_difference(core).area < 2


@pytest.mark.parametrize("known", VECTORS, ids=lambda each: each.name)
def test_names_and_colours_survive_where_the_format_says_so(tmp_path, known):
    drawn = [Annotation(shapely.box(9, 9, 20, 30), "Nerve", "N 1", colour=(1, 2, 200))]
    file = tmp_path / f"x{known.suffixes[0]}"
    written = write_annotations(file, drawn, slide=marks.slide(), format=known)
    [again], _ = read_annotations_report(file, slide=marks.slide())
    assert again.class_name == "Nerve"
    assert again.name == ("N 1" if "name" in known.keeps else None)
    assert again.colour == ((1, 2, 200) if "colour" in known.keeps else None)
    assert bool(written.lost) == ("name" not in known.keeps)


@pytest.mark.parametrize("known", VECTORS, ids=lambda each: each.name)
@pytest.mark.parametrize("origin", ["full", "bounds"])
def test_every_format_can_be_written_and_read_in_either_frame(tmp_path, known, origin):
    drawn = [Annotation(shapely.box(100, 90, 160, 150), class_name="Tumor")]
    slide = marks.slide(bounds=(7, 11, 380, 280))
    file = tmp_path / f"x{known.suffixes[0]}"
    written = write_annotations(file, drawn, slide=slide, origin=origin, format=known)
    [again], _ = read_annotations_report(file, slide=slide, origin=origin)
    assert again.geometry.bounds == pytest.approx((100, 90, 160, 150), abs=0.01)
    assert check_written(file, drawn, written, slide=slide, origin=origin, format=known).ok


def test_the_frame_is_that_of_the_coordinates_in_the_file(tmp_path):
    """Of the full slide by custom for all but GeoJSON, of the scanned region where that is asked for."""
    slide = marks.slide(bounds=(7, 11, 380, 280))
    for origin, x, y in ((None, 100, 90), ("full", 100, 90), ("bounds", 93, 79)):
        file = tmp_path / "a.anot"
        write_annotations(file, [Annotation(shapely.Point(100, 90))], slide=slide, origin=origin)
        assert json.loads(file.read_text())["elements"][0]["center"] == [x, y, 0]


def test_text_formats_are_read_and_written_packed(tmp_path):
    drawn = [Annotation(shapely.box(9, 9, 20, 30), class_name="Tumor")]
    write_annotations(tmp_path / "x.xml.gz", drawn)
    assert gzip.decompress((tmp_path / "x.xml.gz").read_bytes()).startswith(b"<?xml")
    assert len(read_annotations_report(tmp_path / "x.xml.gz")[0]) == 1
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number, known in enumerate(VECTORS):
            write_annotations(tmp_path / "y", drawn, slide=marks.slide(), format=known)
            archive.write(tmp_path / "y", f"folder/{number}{known.suffixes[0]}")
    found, report = read_annotations_report(tmp_path / "x.zip", slide=marks.slide())
    assert len(found) == len(VECTORS)
    assert report.format == ", ".join(each.title for each in VECTORS)


@pytest.mark.parametrize(
    "known", [each for each in FORMATS if each.needs_slide], ids=lambda e: e.name
)
def test_what_needs_the_slide_says_so(tmp_path, known):
    file = tmp_path / f"x{known.suffixes[0]}"
    with pytest.raises(AnnotationError, match="slide"):
        write_annotations(file, [Annotation(shapely.box(0, 0, 9, 9), "Tumor")], format=known)
    assert not file.exists()


def test_what_can_only_be_read_is_not_written(tmp_path):
    with pytest.raises(
        AnnotationError, match="QuPath data can only be read; choose another format"
    ):
        write_annotations(tmp_path / "a.qpdata", [])
    assert not list(tmp_path.iterdir())


def test_a_cancelled_export_leaves_the_old_file_and_a_cancelled_import_nothing(tmp_path):
    def stop(fraction, text=""):
        raise Cancelled

    file = tmp_path / "a.geojson"
    drawn = [Annotation(shapely.box(0, 0, 9, 9))]
    write_annotations(file, drawn)
    before = file.read_bytes()
    with pytest.raises(Cancelled):
        write_annotations(file, drawn * 2, report=stop)
    with pytest.raises(Cancelled):
        read_annotations_report(file, report=stop)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_for_a_file_is_refused(tmp_path):
    (tmp_path / "a.geojson").mkdir()
    with pytest.raises(ExportError):
        write_annotations(tmp_path / "a.geojson", [])
    with pytest.raises(AnnotationError):
        read_annotations_report(tmp_path / "a.geojson")


@pytest.mark.parametrize(
    ("x", "origin", "doubt"),
    [
        (60, "bounds", ""),  # lies where it should
        (160, "full", ""),  # likewise
        (5, "full", 'inside where the file counts from the corner of the scanned region: read it with the frame "bounds"'),
        (290, "bounds", 'inside where the file counts from the corner of the whole slide: read it with the frame "full"'),
        (9000, "bounds", "check that the file belongs to this slide"),
    ],
)  # fmt: skip
def test_a_wrong_frame_is_noticed(tmp_path, x, origin, doubt):
    """The scanned region is 100 to 300 across, and the middle of the annotation is at x."""
    (tmp_path / "a.json").write_text(
        json.dumps(shapely.geometry.mapping(shapely.box(x - 2, 60, x + 2, 64)))
    )
    slide = marks.slide(bounds=(100, 50, 200, 200))
    _, report = read_annotations_report(tmp_path / "a.json", slide=slide, origin=origin)
    x += 100 * (origin == "bounds")
    assert bool(report.doubts) == (not 100 <= x <= 300) == bool(doubt)
    assert doubt in "".join(report.doubts)


def test_a_receipt_notices_what_is_missing_and_what_is_changed(tmp_path):
    file = tmp_path / "a.geojson"
    drawn = [
        Annotation(shapely.box(0, 0, 9, 9), "Tumor"),
        Annotation(shapely.box(20, 0, 29, 9), "Nerve"),
    ]
    written = write_annotations(file, drawn)
    good = check_written(file, drawn, written)
    assert (good.ok, good.written, good.found) == (True, 2, 2)
    assert good.sentence == (
        "The file was read again and compared: 2 of 2 shapes, their classes and areas are as they should be."
    )
    text = file.read_text()
    file.write_text(text.replace("[29.0,9.0]", "[28.0,9.0]"))
    [difference] = check_written(file, drawn, written).differences
    assert (
        difference
        == "The class Nerve has an area of 76.5 pixels instead of an area of 81.0 pixels."
    )
    file.write_text(text.replace("Nerve", "Nerves"))
    assert len(check_written(file, drawn, written).differences) == 2
    write_annotations(file, drawn[:1])
    assert (
        check_written(file, drawn, written).differences[0]
        == "The number of shapes in it is 1 instead of 2."
    )
    file.write_text("{")
    assert "cannot be read" in check_written(file, drawn, written).differences[0]
