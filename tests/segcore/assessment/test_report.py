import json
import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from PIL import Image

from segcore.annotations import load_taxonomy
from segcore.assessment import FILES, assess, check_card, describe, read_report, write_report
from segcore.assessment.charts import draw_confusion, draw_reliability
from segcore.assessment.document import Document
from segcore.assessment.drawing import laid_over
from segcore.assessment.markdown import markdown
from segcore.assessment.worst_sheet import draw_worst
from segcore.errors import DataError
from segcore.evaluation import Calibration, confusion
from segcore.models import Metric
from segcore.refinement import Refinement
from tests.segcore.assessment.answers import STROMA, TUMOR, AnswerBundle, answered


def samples():
    reference = np.full((40, 50), TUMOR)
    reference[:, 25:] = STROMA
    reference[:3] = 0
    for case, edge in (("a", 20), ("b", 27), ("c", 25)):
        predicted = np.zeros((40, 50))
        predicted[:, edge:] = 1
        yield answered(reference, predicted, case=case, source="A" if case == "a" else "B")


@pytest.fixture(scope="module")
def assessed():
    bundle = AnswerBundle(tile=32)
    plain, refined = assess(bundle, list(samples()), refinements=(None, Refinement()))
    other = assess(bundle, list(samples()))[0]
    check = check_card([Metric("IoU", "Tumor", 0.5, "validation, A", 1)], [])
    document = describe(
        bundle, plain, data="tests", refined=refined, against=("other", other), card=check
    )
    return plain, document


def test_the_report_is_read_back_as_it_was_written(assessed, tmp_path):
    plain, document = assessed

    write_report(tmp_path, document, plain)

    assert {file.name for file in tmp_path.iterdir()} == set(FILES)
    assert read_report(tmp_path / "report.json") == document
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["format"] == "acinus-assessment-1"
    assert content["overall"]["confusion"] == plain.confusion.counts[:, :-1].tolist()
    assert content["overall"]["pixels"] == 3 * 37 * 50
    for name in FILES[2:]:
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 200


def test_sources_are_told_apart(assessed):
    _, document = assessed

    assert [(s.source, s.cases) for s in document.sources] == [("A", 1), ("B", 2)]
    assert document.sources[0].overlap["pixels"]["IoU"]["Tumor"].value == 20 / 25
    assert [(row.case, row.iou["Tumor"]) for row in document.cases] == [
        ("a", 20 / 25),
        ("b", 25 / 27),
        ("c", 1.0),
    ]


def test_the_markdown_says_what_the_document_holds(assessed):
    _, document = assessed

    text = markdown(document)

    overall = document.overall.overlap["case"]["IoU"]["Tumor"]
    assert f"| Tumor | {overall.value:.3f} [{overall.low:.3f}, {overall.high:.3f}]" in text
    assert "| A | 1 | 1 | 0.800 |" in text
    assert "Does not match the card" in text
    assert "## Against other" in text
    assert "the same in every case" in text
    assert "nan" not in text
    for before, line in pairwise(text.splitlines()):
        if line.startswith("| ---"):
            assert line.count("|") == before.count("|")


def test_one_case_is_said_to_be_one(assessed):
    bundle = AnswerBundle()
    one = assess(bundle, [next(samples())])[0]

    text = markdown(describe(bundle, one, data="a test"))

    assert "0.800 (one case)" in text
    assert "Against" not in text


def test_the_numbers_of_a_document_are_numbers(assessed):
    _, document = assessed

    def leaves(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list | tuple):
            return [leaf for each in value for leaf in leaves(each)]
        return [value]

    found = leaves(msgspec.to_builtins(document))
    assert all(math.isfinite(each) for each in found if isinstance(each, float))
    assert msgspec.convert(msgspec.to_builtins(document), Document) == document


def test_a_file_that_is_no_report_is_refused(tmp_path):
    (tmp_path / "report.json").write_text("{}")

    with pytest.raises(DataError, match="no report"):
        read_report(tmp_path / "report.json")


def test_the_confusion_chart_shows_right_green_and_wrong_red():
    reference = np.array([1] * 10 + [2] * 10, np.uint8)[None]
    predicted = np.array([1] * 10 + [1] * 10, np.uint8)[None]

    picture = draw_confusion(confusion(reference, predicted, [1, 2]), ("Tumor", "Stroma"), title="")

    right, wrong = picture.getpixel((270, 190)), picture.getpixel((270, 320))
    assert right[1] > right[0] + 50
    assert wrong[0] > wrong[1] + 50


def test_the_reliability_chart_stands_as_high_as_the_accuracy():
    # One bin of two: half of its pixels right, said with 0.75.
    found = Calibration(np.array([0, 8]), np.array([0, 4]), np.array([0.0, 6.0]))

    picture = draw_reliability(found, title="")

    x, top = 120 + 465, 120  # the middle of the upper bin
    column = [picture.getpixel((x, y)) for y in range(top, top + 620)]
    red = [y for y, (r, g, _) in enumerate(column) if r > g + 50]
    green = [y for y, (r, g, _) in enumerate(column) if g > r + 50]
    assert (min(red), max(red)) == pytest.approx((155, 310), abs=6)
    assert (min(green), max(green)) == pytest.approx((310, 620), abs=6)


def test_classes_are_laid_over_in_their_colours_and_the_unlabelled_is_grey():
    image = np.full((30, 30, 3), (200, 120, 180), np.uint8)
    codes = np.zeros((30, 30), np.uint8)
    codes[:, :15] = TUMOR

    found = laid_over(image, codes, load_taxonomy()).astype(int)

    assert found[10, 5].tolist() == [206, 107, 90]  # half tissue, half #D55E00
    assert (found[:, 16:].max(axis=2) == found[:, 16:].min(axis=2)).all()


def test_a_perfect_bundle_has_no_worst_tile():
    found = assess(AnswerBundle(), [answered(np.ones((20, 20)), np.zeros((20, 20)))])[0]

    assert found.worst == ()
    assert draw_worst(found.worst, title="").height > 100
