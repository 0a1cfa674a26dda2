import math

import pytest

from segcore.training.course import Course
from segcore.training.recipe import Second
from tests.segcore.training.builders import recipe


def hear(course, plan, *scores):
    return [course.hear(dice, step, plan) for step, dice in enumerate(scores, 1)]


def test_the_rate_warms_up_and_falls_as_half_a_cosine():
    plan, course = recipe(warmup=4, learning_rate=1.0), Course()

    assert course.learning_rate(plan, 0, 104) == 0.25
    assert course.learning_rate(plan, 4, 104) == 1
    assert course.learning_rate(plan, 54, 104) == pytest.approx(0.505)
    assert course.learning_rate(plan, 103, 104) == pytest.approx(0.01, abs=0.001)


def test_the_best_is_remembered_with_its_step():
    plan, course = recipe(), Course()

    assert hear(course, plan, 0.3, 0.5, 0.4) == [True, True, False]
    assert (course.best, course.best_step) == (0.5, 2)


def test_a_tenth_of_the_rate_at_each_plateau():
    plan = recipe(schedule="plateau", plateau=2, learning_rate=1.0, warmup=0)
    course = Course()
    rates = []
    for step, dice in enumerate([0.5, 0.5, 0.5, 0.6, 0.5, 0.5, 0.5, 0.5]):
        course.hear(dice, step, plan)
        rates.append(round(course.learning_rate(plan, step, 8), 6))

    assert rates == [1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001]


def test_the_second_optimiser_has_its_own_rate_and_its_own_patience():
    plan = recipe(
        schedule="constant", warmup=0, learning_rate=1.0, plateau=2, patience=3,
        second=Second("adam", 0.5),
    )  # fmt: skip
    course = Course()

    hear(course, plan, 0.5, 0.4, 0.4)
    assert course.second
    assert course.learning_rate(plan, 3, 10) == 0.5
    assert not course.is_over(plan)
    hear(course, plan, 0.4, 0.4)
    assert not course.is_over(plan)
    hear(course, plan, 0.4)
    assert course.is_over(plan)


def test_without_patience_training_is_never_over():
    course = Course()
    hear(course, recipe(), 0.5, *[0.1] * 99)

    assert not course.is_over(recipe())


def test_no_validation_says_nothing():
    course = Course()

    assert hear(course, recipe(patience=1), math.nan, math.nan) == [False, False]
    assert not course.is_over(recipe(patience=1))
