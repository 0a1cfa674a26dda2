import msgspec
import numpy as np

from segcore.assessment import check_card, measure
from segcore.models import Metric
from tests.segcore.assessment.answers import STROMA, TUMOR, AnswerBundle, answered


def metric(value, *, name="IoU", class_name="Tumor", split="validation, A", cases=1):
    return Metric(name, class_name, value, split, cases)


def test_a_source_is_measured_over_its_pixels_and_the_cases_that_show_a_class():
    samples = [
        answered([[TUMOR, TUMOR, STROMA, 0]], [[0, 1, 1, 1]], case="a"),
        answered([[TUMOR]], [[0]], case="b"),
        answered([[STROMA]], [[0]], source="B", case="c"),
    ]

    found = measure(AnswerBundle(), samples, notes={"B": "weak"})

    assert [(m.name, m.class_name, m.value, m.split, m.cases, m.note) for m in found] == [
        ("IoU", "Tumor", 0.6667, "validation, A", 2, ""),
        ("IoU", "Stroma", 0.5, "validation, A", 1, ""),
        ("Dice", "Tumor", 0.8, "validation, A", 2, ""),
        ("Dice", "Stroma", 0.6667, "validation, A", 1, ""),
        ("IoU", "Stroma", 0.0, "validation, B", 1, "weak"),
        ("Dice", "Stroma", 0.0, "validation, B", 1, "weak"),
    ]


def test_pictures_are_predicted_whole():
    bundle = AnswerBundle(tile=64)

    measure(bundle, [answered(np.ones((100, 90)), np.zeros((100, 90)))])

    assert bundle.shapes == [(1, 100, 90, 3)]


def test_the_same_figures_match():
    found = check_card([metric(0.5)], [msgspec.structs.replace(metric(0.5), note="other words")])

    assert found.matches
    assert found.differences == ()
    assert found.sentence == "Matches the card: all 1 figures are the same."


def test_rounding_matches_and_is_listed():
    found = check_card(
        [metric(0.5), metric(0.7, name="Dice")], [metric(0.5002), metric(0.7, name="Dice")]
    )

    assert found.matches
    assert [(d.metric, d.card, d.measured) for d in found.differences] == [("IoU", 0.5, 0.5002)]
    assert found.sentence.startswith("Matches the card but for rounding")


def test_other_figures_and_missing_ones_do_not_match():
    changed = check_card([metric(0.5)], [metric(0.51)])
    missing = check_card([metric(0.5)], [])
    added = check_card([metric(0.5)], [metric(0.5), metric(0.5, split="validation, B")])
    cases = check_card([metric(0.5)], [metric(0.5, cases=2)])

    assert not any(found.matches for found in (changed, missing, added, cases))
    assert [d.measured for d in missing.differences] == [None]
    assert [d.card for d in added.differences] == [None]
    assert changed.sentence == "Does not match the card: 1 figure differs."


def test_a_card_without_figures_matches_nothing():
    found = check_card([], [metric(0.5)])

    assert not found.matches
    assert found.sentence == "The card gives no figures."
