"""Scores of masks, one for each class of a code image."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from segcore.evaluation.comparison import Mask
from segcore.evaluation.confusion import Codes, Scores


class Score(Protocol):
    """A measure of one mask or foreground map: dice, s_measure, a partial of boundary_f1."""

    def __call__(
        self, reference: Mask, predicted: npt.NDArray, /, *, known: Mask | None
    ) -> float: ...


def per_class(
    score: Score,
    reference: Codes,
    predicted: npt.NDArray,
    codes: Sequence[int],
    *,
    ignore: int = 0,
) -> Scores:
    """Score each of `codes` against the rest, (len(codes),); `ignore` in the reference counts nothing.

    `predicted` is a code image (H, W), or probabilities (C, H, W) whose channel i means `codes[i]`; raises
    ValueError where C is another number.
    """
    known = reference != ignore
    maps = predicted if predicted.ndim == 3 else [predicted == code for code in codes]
    if len(maps) != len(codes):
        raise ValueError(f"{len(maps)} probabilities cannot be those of {len(codes)} classes")
    return np.array(
        [score(reference == code, maps[i], known=known) for i, code in enumerate(codes)]
    )
