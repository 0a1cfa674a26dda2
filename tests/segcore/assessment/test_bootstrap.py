import numpy as np
import pytest

from segcore.assessment.bootstrap import CaseBootstrap, interval, mean_of_numbers


def test_the_first_row_is_the_sample_itself():
    found = CaseBootstrap(3).ratios(np.array([1, 0, 5]), np.array([2, 2, 8]))

    assert found[0] == 6 / 12


def test_as_many_cases_are_drawn_as_there_are_and_the_same_each_time():
    one, other = CaseBootstrap(7), CaseBootstrap(7)

    assert (one.counts.sum(axis=1) == 7).all()
    assert np.array_equal(one.counts, other.counts)
    assert not np.array_equal(one.counts, CaseBootstrap(7, seed=1).counts)


def test_the_mean_of_many_cases_scatters_as_its_standard_error_says():
    scores = np.random.default_rng(0).normal(0.7, 0.1, 400)

    low, high = interval(CaseBootstrap(400).ratios(scores, np.ones(400))[1:]) or (0, 0)

    error = 1.96 * scores.std() / 20  # closed form
    assert low == pytest.approx(scores.mean() - error, abs=0.1 * error)
    assert high == pytest.approx(scores.mean() + error, abs=0.1 * error)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        scores = rng.uniform(0, 1, 40)
        low, high = interval(CaseBootstrap(40, draws=400).ratios(scores, np.ones(40))[1:]) or (0, 0)
        held += low <= 0.5 <= high

    assert 0.89 <= held / 200 <= 0.985  # 95 % less what percentiles lose at 40 cases


def test_a_ratio_of_nothing_is_no_number_and_no_part_of_an_interval():
    found = CaseBootstrap(2).ratios(np.array([1, 0]), np.array([2, 0]))

    assert np.isnan(found).any()
    assert interval(found[1:]) == (0.5, 0.5)
    assert interval(np.full(3, np.nan)) is None


def test_means_leave_out_what_is_no_number():
    found = mean_of_numbers(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]))

    assert found[0] == 2
    assert np.isnan(found[1])
