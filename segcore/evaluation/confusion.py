from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Confusion:
    """`counts[i, j]`: pixels whose reference is `codes[i]` and whose prediction is `codes[j]`.

    The last column counts predictions that are none of `codes` (unlabelled, say): misses for every class.
    """

    codes: tuple[int, ...]
    counts: Counts

    def __add__(self, other: "Confusion") -> "Confusion":
        if self.codes != other.codes:
            raise ValueError("confusions of different classes cannot be added")
        return Confusion(self.codes, self.counts + other.counts)

    @property
    def reference(self) -> Counts:
        """Return the pixels of each class in the reference."""
        return self.counts.sum(axis=1)

    @property
    def predicted(self) -> Counts:
        """Return the labelled pixels predicted as each class."""
        return self.counts[:, :-1].sum(axis=0)

    @property
    def agreed(self) -> Counts:
        return np.diagonal(self.counts).astype(np.int64)

    @property
    def iou(self) -> Scores:
        """Return intersection over union per class; NaN where neither side has the class."""
        return _ratio(self.agreed, self.reference + self.predicted - self.agreed)

    @property
    def dice(self) -> Scores:
        """Return the Dice coefficient per class; NaN where neither side has the class."""
        return _ratio(2 * self.agreed, self.reference + self.predicted)

    @property
    def accuracy(self) -> float:
        """Return the share of labelled pixels that agree; NaN where none is labelled."""
        return float(_ratio(self.agreed.sum(), self.counts.sum()))


def confusion(
    reference: Codes, predicted: Codes, codes: Sequence[int], *, ignore: int = 0
) -> Confusion:
    """Count the class pairs of two code images of one shape; `ignore` in the reference counts nothing."""
    if reference.shape != predicted.shape:
        raise ValueError(f"the shapes differ: {reference.shape} and {predicted.shape}")
    size = len(codes)
    row = np.full(256, size, np.intp)
    row[list(codes)] = np.arange(size)
    labelled = (reference != ignore) & (row[reference] < size)
    pairs = row[reference[labelled]] * (size + 1) + row[predicted[labelled]]
    counts = np.bincount(pairs, minlength=size * (size + 1)).reshape(size, size + 1)
    return Confusion(tuple(codes), counts.astype(np.int64))


def _ratio(part: Counts | np.int64, whole: Counts | np.int64) -> Scores:
    """Divide; NaN where there is nothing to divide by."""
    over, under = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(over, under, out=np.full_like(under, np.nan), where=under > 0)
