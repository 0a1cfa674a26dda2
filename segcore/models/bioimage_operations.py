"""The pre- and post-processing that bioimage.io packages describe, on float32 arrays (N, C, H, W).

Formulas: https://bioimage-io.github.io/spec-bioimage-io, the same for 0.4 and 0.5 where both have them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from segcore.errors import ModelError

Array = npt.NDArray[np.float32]
AXES = {"b": 0, "batch": 0, "c": 1, "channel": 1, "y": 2, "x": 3}


def operation(name: str, arguments: Mapping[str, Any]) -> Callable[[Array], Array]:
    """Return the step called `name`; raises ModelError for one that this program does not know."""
    if name not in _MAKERS:
        raise ModelError(
            f"The package asks for the step {name[:60]!r}, which this program does not do."
        )
    wrong = f"The package describes its step {name!r} wrongly."
    try:
        step = _MAKERS[name](**arguments)
    except (TypeError, ValueError, KeyError) as error:
        raise ModelError(wrong) from error

    def run(x: Array) -> Array:
        try:
            return step(x)
        except ValueError as error:  # numbers for another count of channels
            raise ModelError(wrong) from error

    return run


def _axes(axes: Any) -> tuple[int, ...]:
    """Return the positions of axes given as "xy" (0.4) or ["x", "y"] (0.5); all but the batch if None.

    A tile is one sample: statistics over the batch would depend on its neighbours.
    """
    return tuple(sorted({AXES[each] for each in axes} - {0})) if axes is not None else (1, 2, 3)


def _per(axis: Any, values: Any) -> Array | np.float32:
    """Return numbers shaped so that they apply along `axis`, or one number for all."""
    numbers = np.asarray(values, np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError(values)
    if numbers.ndim == 0 or numbers.size == 1:
        return np.float32(numbers.item())
    shape = [1, 1, 1, 1]
    shape[AXES[axis or "c"]] = numbers.size
    return numbers.reshape(shape)


def _scale_linear(
    gain: Any = 1.0, offset: Any = 0.0, axis: Any = None, axes: Any = None
) -> Callable[[Array], Array]:
    del axes  # 0.4 lists the axes that share the numbers; the others are the channels
    factor, shift = _per(axis, gain), _per(axis, offset)
    return lambda x: x * factor + shift


def _fixed(mean: Any, std: Any, axis: Any = None) -> Callable[[Array], Array]:
    centre, spread = _per(axis, mean), _per(axis, std)
    if not np.all(np.greater(spread, 0)):
        raise ValueError(std)
    return lambda x: (x - centre) / spread


def _zero_mean_unit_variance(
    axes: Any = None, eps: float = 1e-6, mode: str = "per_sample", mean: Any = None, std: Any = None
) -> Callable[[Array], Array]:
    if mode == "fixed":
        return _fixed(mean, std)
    if mode != "per_sample":
        raise ValueError(mode)
    over, least = _axes(axes), float(eps)
    return lambda x: (x - x.mean(over, keepdims=True)) / (x.std(over, keepdims=True) + least)


def _scale_range(
    *,
    axes: Any = None,
    min_percentile: float = 0.0,
    max_percentile: float = 100.0,
    eps: float = 1e-6,
    mode: str = "per_sample",
    reference_tensor: Any = None,
) -> Callable[[Array], Array]:
    if mode != "per_sample" or reference_tensor is not None:
        raise ValueError(mode)
    over, least = _axes(axes), float(eps)
    ends = [float(min_percentile), float(max_percentile)]
    if not 0 <= ends[0] < ends[1] <= 100:
        raise ValueError(ends)

    def scale(x: Array) -> Array:
        low, high = np.percentile(x, ends, axis=over, keepdims=True).astype(np.float32)
        return (x - low) / (high - low + least)

    return scale


def _clip(min: Any = None, max: Any = None) -> Callable[[Array], Array]:  # noqa: A002 - the format's own names
    low, high = (None if each is None else float(each) for each in (min, max))
    return lambda x: np.clip(x, low, high)


def _ensure_dtype(dtype: str) -> Callable[[Array], Array]:
    kind = np.dtype(dtype)
    if kind.kind not in "fui":
        raise ValueError(dtype)
    return lambda x: x.astype(kind).astype(np.float32)


def _binarize(threshold: Any, axis: Any = None) -> Callable[[Array], Array]:
    least = _per(axis, threshold)
    return lambda x: (x > least).astype(np.float32)


def _softmax(axis: str = "channel") -> Callable[[Array], Array]:
    along = AXES[axis]
    return lambda x: softmax(x, axis=along)


_MAKERS: dict[str, Callable[..., Callable[[Array], Array]]] = {
    "scale_linear": _scale_linear,
    "fixed_zero_mean_unit_variance": _fixed,
    "zero_mean_unit_variance": _zero_mean_unit_variance,
    "scale_range": _scale_range,
    "clip": _clip,
    "ensure_dtype": _ensure_dtype,
    "binarize": _binarize,
    "sigmoid": lambda: expit,
    "softmax": _softmax,
}
