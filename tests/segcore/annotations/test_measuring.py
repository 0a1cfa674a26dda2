import csv
import math

import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from segcore.annotations import Annotation, Class, LabelMap, Taxonomy
from segcore.annotations.measurement_table import write_csv
from segcore.annotations.measuring import class_areas, measure, measure_all
from segcore.annotations.model import NOTES
from segcore.errors import ExportError

TUMOR = Class(1, "Tumor", (200, 0, 0), "", "Tumor")
STROMA = Class(2, "Stroma", (0, 200, 0), "", "Stroma")
ARTEFACT = Class(3, "Fold*", (0, 0, 0), "", "Fold*")
CLASSES = Taxonomy("three", (TUMOR, STROMA, ARTEFACT))
RING = box(0, 0, 20, 10) - box(5, 5, 7, 7)


def test_an_area_is_measured_in_micrometres_under_the_names_of_qupath():
    assert measure(RING, 0.5) == pytest.approx(
        {
            "Centroid X µm": 0.5 * (200 * 10 - 4 * 6) / 196,
            "Centroid Y µm": 0.5 * (200 * 5 - 4 * 6) / 196,
            "Area µm^2": 196 / 4,
            "Perimeter µm": (60 + 8) / 2,
            "Circularity": 4 * math.pi * 196 / 68**2,
            "Num vertices": 8,
        }
    )


def test_without_a_pixel_size_pixels_are_the_unit():
    measured = measure(RING, None)

    assert measured["Area px^2"] == 196
    assert measured["Perimeter px"] == 68
    assert not any("µm" in name for name in measured)


def test_lines_have_a_length_and_points_a_number():
    line, points = LineString([(0, 0), (3, 4), (3, 10)]), MultiPoint([(0, 0), (1, 1), (2, 2)])

    assert measure(line, 0.5).items() >= {"Length µm": 5.5, "Num vertices": 3}.items()
    assert measure(points, 0.5)["Num points"] == 3
    assert not measure(line, 0.5).keys() & {"Area µm^2", "Circularity", "Num points"}
    assert not measure(points, 0.5).keys() & {"Length µm", "Num vertices"}


def test_only_a_disc_is_round():
    disc, square = Point(0, 0).buffer(10, quad_segs=500), box(0, 0, 10, 10)

    assert measure(disc, None)["Circularity"] == pytest.approx(1, abs=1e-5)
    assert measure(square, None)["Circularity"] == pytest.approx(math.pi / 4)


def test_parts_are_measured_together():
    both = MultiPolygon([box(0, 0, 10, 10), box(20, 0, 30, 10)])

    assert measure(both, None).items() >= {"Area px^2": 200, "Num vertices": 8}.items()


def test_what_is_empty_or_flat_has_no_measurements_that_mean_nothing():
    assert measure(Polygon(), 0.5) == {}
    assert measure(LineString([(1, 1), (1, 1)]), 1.0)["Length µm"] == 0


def test_many_are_measured_as_each_is():
    shapes = [RING, LineString([(0, 0), (3, 4)]), Point(1, 2), Polygon()]

    columns = measure_all(shapes, 0.25)

    for row, shape in enumerate(shapes):
        told = {name: values[row] for name, values in columns.items() if np.isfinite(values[row])}
        assert told == measure(shape, 0.25)


def test_class_areas_count_the_pixels_whose_centres_lie_inside():
    labels = np.zeros((10, 10), np.uint8)
    labels[:, :5], labels[:, 5:9], labels[0] = 1, 2, 3
    mask = LabelMap(labels, 100, 50, 2.0, 0.5)  # level-0 (200, 100) to (220, 120)

    measured = class_areas(box(204.9, 98, 217.1, 108.9), [mask], CLASSES)

    # Columns 2 to 8 (centres at 205 to 217), rows 0 to 3 (that of row 4 lies at 109); row 0 is ignored.
    assert measured == {
        "Tumor area µm^2": 9 * 0.25,
        "Stroma area µm^2": 12 * 0.25,
        "Tumor %": pytest.approx(100 * 9 / 21),
        "Stroma %": pytest.approx(100 * 12 / 21),
    }


def test_class_areas_of_what_lies_beside_the_mask_are_none():
    mask = LabelMap(np.ones((4, 4), np.uint8), 0, 0, 1.0, 0.5)

    assert class_areas(box(50, 50, 60, 60), [mask], CLASSES) == {}
    assert class_areas(Polygon(), [mask], CLASSES) == {}


def test_class_areas_of_all_are_those_of_the_mask():
    labels = np.random.default_rng(0).integers(0, 4, (30, 30), np.uint8)

    measured = class_areas(box(-5, -5, 100, 100), [LabelMap(labels, 0, 0, 1.5, 2.0)], CLASSES)

    assert measured["Tumor area µm^2"] == 4 * (labels == 1).sum()
    assert measured["Tumor %"] + measured["Stroma %"] == pytest.approx(100)


# -- the table --------------------------------------------------------------------------------------


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def written(tmp_path):
    region = Annotation(box(0, 0, 100, 100), name="ROI 1", id="a")
    tumor = Annotation(
        box(10, 10, 20, 20),
        class_name="Tumor",
        locked=True,
        metadata={NOTES: "=HYPERLINK(1)"},
        measurements={"Nucleus: Hue": -0.25, "Area µm^2": 1.0, "Broken": math.nan},
        id="b",
    )
    line = Annotation(LineString([(0, 0), (30, 40)]), name='two\nlines, and "marks"', id="c")
    mask = LabelMap(np.ones((50, 50), np.uint8), 0, 0, 2.0, 1.0)
    path = tmp_path / "table.csv"
    n = write_csv(
        path, [region, tumor, line], image="s.svs", mpp=0.5, masks=[mask], taxonomy=CLASSES
    )
    assert n == 3
    return path


def test_a_table_says_who_and_where_each_is_and_how_large(written):
    region, tumor, line = read(written)

    assert region["Name"] == "ROI 1"
    assert region["Area µm^2"] == "2500"
    assert region["Parent"] == ""
    assert tumor["Classification"] == "Tumor"
    assert (tumor["Parent"], tumor["Parent ID"]) == ("ROI 1", "a")
    assert (tumor["Locked"], region["Locked"]) == ("true", "false")
    assert tumor["Area µm^2"] == "25"
    assert tumor["Tumor %"] == "100"
    assert line["Length µm"] == "25"
    assert line["Area µm^2"] == ""
    assert line["Tumor %"] == ""
    assert {each["Image"] for each in (region, tumor, line)} == {"s.svs"}


def test_what_came_with_an_annotation_is_in_the_table_unless_it_is_measured_anew(written):
    region, tumor, _ = read(written)

    assert tumor["Nucleus: Hue"] == "-0.25"
    assert region["Nucleus: Hue"] == ""
    assert tumor["Broken"] == ""


def test_text_that_a_spreadsheet_would_run_is_defused_and_any_other_survives(written):
    _, tumor, line = read(written)

    assert tumor["Notes"] == "'=HYPERLINK(1)"
    assert line["Name"] == 'two\nlines, and "marks"'


@pytest.mark.parametrize("start", ["=1", "+1", "-1", "@A1", "\t=1", "\r=1"])
def test_every_way_to_begin_a_formula_is_defused(tmp_path, start):
    shape = Annotation(box(0, 0, 1, 1), name=start, class_name=start, measurements={start: 1.0})

    write_csv(tmp_path / "t.csv", [shape], image=start, mpp=None)

    (row,) = read(tmp_path / "t.csv")
    assert {row["Name"], row["Classification"], row["Image"]} == {f"'{start}"}
    assert row[f"'{start}"] == "1"


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path):
    with pytest.raises(ExportError):
        write_csv(tmp_path / "none" / "t.csv", [Annotation(Point(0, 0))], image="s", mpp=None)


def test_spreadsheets_learn_that_the_table_is_unicode(written):
    assert written.read_bytes().startswith(b"\xef\xbb\xbfImage,Object ID,")
    assert shapely.area(RING) == 196
