"""Each step of the bioimage.io specification on numbers worked out by hand."""

import numpy as np
import pytest

from segcore.errors import ModelError
from segcore.models.bioimage_operations import operation

IMAGE = np.array([0, 10, 20, 30], np.float32).reshape(1, 1, 2, 2)
COLOURS = np.array([10, 20, 30], np.float32).reshape(1, 3, 1, 1)


def done(name, x, **arguments):
    return operation(name, arguments)(x).ravel().tolist()


@pytest.mark.parametrize(
    ("name", "x", "arguments", "expected"),
    [
        ("scale_linear", COLOURS, {"gain": 2, "offset": 1}, [21, 41, 61]),
        ("scale_linear", COLOURS, {"gain": [1, 2, 3], "offset": [0, 0, -90], "axis": "channel"}, [10, 40, 0]),
        ("scale_linear", COLOURS, {"gain": [1, 2, 3], "axes": "xy"}, [10, 40, 90]),
        ("fixed_zero_mean_unit_variance", COLOURS, {"mean": 10, "std": 5}, [0, 2, 4]),
        ("fixed_zero_mean_unit_variance", COLOURS, {"mean": [10, 10, 10], "std": [1, 2, 4], "axis": "channel"}, [0, 5, 5]),
        ("zero_mean_unit_variance", COLOURS, {"mode": "fixed", "axes": "xy", "mean": [10, 10, 10], "std": [1, 2, 4]}, [0, 5, 5]),
        # mean 15, variance (225 + 25 + 25 + 225) / 4 = 125
        ("zero_mean_unit_variance", IMAGE, {"axes": "xy"}, [-15 / 125**0.5, -5 / 125**0.5, 5 / 125**0.5, 15 / 125**0.5]),
        ("zero_mean_unit_variance", IMAGE, {"axes": ["channel", "x"]}, [-1, 1, -1, 1]),
        ("scale_range", IMAGE, {}, [0, 1 / 3, 2 / 3, 1]),
        ("scale_range", IMAGE, {"axes": "xy", "mode": "per_sample", "min_percentile": 50, "max_percentile": 100}, [-1, -1 / 3, 1 / 3, 1]),
        ("clip", IMAGE, {"min": 5, "max": 25}, [5, 10, 20, 25]),
        ("clip", IMAGE, {"min": 5}, [5, 10, 20, 30]),
        ("ensure_dtype", IMAGE / 4, {"dtype": "uint8"}, [0, 2, 5, 7]),
        ("binarize", IMAGE / 4, {"threshold": 5}, [0, 0, 0, 1]),
        ("sigmoid", np.log(np.array([1, 3], np.float32)).reshape(1, 1, 1, 2), {}, [0.5, 0.75]),
        ("softmax", np.log(np.array([1, 2, 5], np.float32)).reshape(1, 3, 1, 1), {"axis": "channel"}, [0.125, 0.25, 0.625]),
    ],
)  # fmt: skip
def test_a_step_gives_what_the_specification_says(name, x, arguments, expected):
    assert done(name, x, **arguments) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_statistics_are_each_tiles_own():
    both = np.concatenate([IMAGE, 7 * IMAGE + 3])
    found = operation("zero_mean_unit_variance", {"axes": ["batch", "x", "y"]})(both)
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("custom", {}),
        ("__class__", {}),
        ("clip", {"surprise": 1}),
        ("clip", {"min": "low"}),
        ("scale_linear", {"gain": [1, 2, 3], "axis": "time"}),
        ("scale_linear", {"gain": float("nan")}),
        ("scale_linear", {"gain": [[1, 2], [3]]}),
        ("fixed_zero_mean_unit_variance", {"mean": 0, "std": 0}),
        ("fixed_zero_mean_unit_variance", {"mean": 0}),
        ("zero_mean_unit_variance", {"mode": "per_dataset"}),
        ("scale_range", {"min_percentile": 90, "max_percentile": 10}),
        ("scale_range", {"reference_tensor": "raw"}),
        ("ensure_dtype", {"dtype": "object"}),
        ("ensure_dtype", {"dtype": "O"}),
        ("softmax", {"axis": "nowhere"}),
        ("scale_linear", {"gain": [1, 2], "axis": "channel"}),
        ("fixed_zero_mean_unit_variance", {"mean": [], "std": 1}),
    ],
)
def test_a_step_that_is_unknown_or_makes_no_sense_is_refused(name, arguments):
    with pytest.raises(ModelError):
        operation(name, arguments)(COLOURS)
