import numpy as np
import pytest
from scipy import stats

from segcore.assessment import assess, paired_tests
from segcore.assessment.paired import FEWEST, paired_test
from tests.segcore.assessment.answers import STROMA, TUMOR, AnswerBundle, answered

FIRST = np.array([0.61, 0.72, 0.55, 0.80, 0.67, 0.74, 0.59, 0.70])
SECOND = FIRST + np.array([0.05, 0.02, 0.07, 0.01, 0.04, -0.03, 0.06, 0.08])


def test_p_is_that_of_scipy_and_of_the_table():
    found = paired_test("Tumor", "IoU", FIRST, SECOND)

    assert found.p_value == stats.wilcoxon(SECOND, FIRST).pvalue
    # The one loss has rank 3 of 8, so W = 3: five of 2^8 sign patterns are as far out, on either side.
    assert found.p_value == pytest.approx(2 * 5 / 2**8)
    assert found.conclusion == "the second is better"
    assert found.difference == pytest.approx(0.0375)
    assert found.low < found.difference < found.high


def test_the_interval_is_near_that_of_scipys_bootstrap():
    found = paired_test("Tumor", "IoU", FIRST, SECOND)

    theirs = stats.bootstrap(
        (SECOND - FIRST,), np.mean, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_order_decides_the_sign_alone():
    one, other = paired_test("a", "IoU", FIRST, SECOND), paired_test("a", "IoU", SECOND, FIRST)

    assert one.difference == pytest.approx(-other.difference)
    assert one.p_value == other.p_value
    assert other.conclusion == "the first is better"


def test_five_cases_are_too_few_whatever_they_say():
    found = paired_test("Tumor", "IoU", [0.1] * 5, [0.9, 0.8, 0.7, 0.6, 0.5])

    assert FEWEST == 6
    assert found.p_value == 2 / 2**5
    assert "too few" in found.conclusion


def test_cases_that_do_not_differ_prove_nothing():
    same = paired_test("Tumor", "IoU", FIRST, FIRST)
    tied = paired_test("Tumor", "IoU", [0.5] * 8, [0.5, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])

    assert (same.p_value, same.conclusion) == (None, "the same in every case")
    assert "5 differ" in tied.conclusion


def test_cases_without_the_class_are_left_out():
    found = paired_test("Tumor", "IoU", [np.nan, 0.5, 0.5], [0.9, np.nan, 0.75])

    assert (found.cases, found.difference, found.low) == (1, 0.25, None)
    assert paired_test("Tumor", "IoU", [np.nan], [0.1]).conclusion == "no case shows it"


def halves(case, wrong):
    predicted = np.zeros((8, 20))
    predicted[:, :wrong] = 1
    return answered(np.full((8, 20), TUMOR), predicted, case=case)


def test_assessments_are_paired_by_case():
    before = assess(AnswerBundle(), [halves("a", 10), halves("b", 5)])[0]
    after = assess(AnswerBundle(), [halves("b", 0), halves("a", 5)])[0]

    tumor, stroma, mean = paired_tests(before, after)

    assert (tumor.first, tumor.second, tumor.difference) == (0.625, 0.875, 0.25)
    assert (tumor.low, tumor.high) == (0.25, 0.25)
    assert stroma.cases == 0
    assert (mean.class_name, mean.difference) == ("Mean", 0.25)


def test_a_one_class_bundle_is_compared_by_its_class_alone():
    several = AnswerBundle(("Tumor", "Stroma", "Other"), (1, 2, 5))
    one = AnswerBundle(("Tumor",), (1,))
    reference = [[TUMOR, TUMOR, STROMA, 5]]
    many = assess(several, [answered(reference, [[0, 1, 1, 2]])])[0]
    few = assess(one, [answered(reference, [[0, 0, 1, 1]])])[0]

    assert [test.class_name for test in paired_tests(many, few)] == ["Tumor", "Mean"]
    assert [test.difference for test in paired_tests(many, few)] == [0.5, 0.5]


def test_different_cases_cannot_be_paired():
    one, other = (assess(AnswerBundle(), [halves(case, 1)])[0] for case in "ab")

    with pytest.raises(ValueError, match="different cases"):
        paired_tests(one, other)
