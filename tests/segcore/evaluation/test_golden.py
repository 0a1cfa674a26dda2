"""Agreement with pysodmetrics and MONAI, whose scores of the same pictures golden.json keeps (make_golden.py)."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from segcore.evaluation import (
    boundary_f1,
    calibration,
    confusion,
    dice,
    iou,
    mean_absolute_error,
    mean_e_measure,
    per_class,
    s_measure,
    sensitivity,
    weighted_f_measure,
)
from segcore.training.losses import dice_loss
from tests.segcore.evaluation import make_golden

golden = json.loads(make_golden.GOLDEN.read_text(encoding="utf-8"))
close = partial(pytest.approx, rel=1e-9, abs=1e-12)
single = partial(
    pytest.approx, rel=1e-6, abs=1e-9
)  # MONAI computes some scores in single precision

foregrounds = pytest.mark.parametrize("name", make_golden.foreground_cases())
codes = pytest.mark.parametrize("name", make_golden.code_cases())
outlines = pytest.mark.parametrize("name", make_golden.outline_cases())


def test_the_pictures_are_those_that_were_scored():
    assert make_golden.digest() == golden["sha256"]


@foregrounds
def test_absolute_error_is_that_of_pysodmetrics(name):
    found = mean_absolute_error(*make_golden.foreground_cases()[name])

    assert found == close(golden["pysodmetrics"][name]["mae"])


@foregrounds
def test_s_measure_is_that_of_pysodmetrics(name):
    found = s_measure(*make_golden.foreground_cases()[name])

    assert found == close(golden["pysodmetrics"][name]["s"])


@foregrounds
def test_weighted_f_measure_is_that_of_pysodmetrics(name):
    found = weighted_f_measure(*make_golden.foreground_cases()[name])

    assert found == close(golden["pysodmetrics"][name]["weighted_f"])


@foregrounds
def test_mean_e_measure_is_that_of_pysodmetrics_which_divides_by_one_pixel_less(name):
    reference, predicted = make_golden.foreground_cases()[name]
    size = reference.size

    found = mean_e_measure(reference, predicted)

    assert found == close(golden["pysodmetrics"][name]["mean_e"] * (size - 1) / size)


@codes
@pytest.mark.parametrize("score", [dice, iou, sensitivity])
def test_overlap_of_each_class_is_that_of_monai(name, score):
    expected = golden["monai"]["overlap"][name][score.__name__]
    numbers = [np.nan if each is None else each for each in expected]

    found = per_class(score, *make_golden.code_cases()[name], make_golden.CODES)

    assert found == single(numbers, nan_ok=True)


@codes
def test_scores_read_from_counts_are_those_of_monai(name):
    expected = golden["monai"]["overlap"][name]

    found = confusion(*make_golden.code_cases()[name], make_golden.CODES)

    assert found.dice == single(expected["dice"])
    assert found.iou == single(expected["iou"])
    assert found.generalized_dice == single(expected["generalized_dice"])


@outlines
def test_boundary_f1_is_that_of_monai_s_surface_distances(name):
    masks = make_golden.outline_cases()[name]

    found = [boundary_f1(*masks, tolerance=t) for t in make_golden.TOLERANCES]

    assert found == single(golden["monai"]["boundary_f1"][name])


def test_calibration_error_is_that_of_monai_s_bins():
    found = calibration(*make_golden.confidence_case(), [1, 2, 3], bins=make_golden.BINS)

    assert found.expected_error == single(golden["monai"]["calibration_error"])


def test_soft_dice_loss_is_that_of_monai():
    logits, target = (torch.from_numpy(each) for each in make_golden.logits_case())

    found = dice_loss(logits, target, epsilon=1e-6)

    assert found.item() == close(golden["monai"]["dice_loss"])
