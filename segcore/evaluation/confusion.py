import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Number = np.int64 | np.float64


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
        """Return the share of labelled pixels that agree (pixel accuracy); NaN where none is labelled."""
        return float(_ratio(self.agreed.sum(), self.counts.sum()))

    @property
    def sensitivity(self) -> Scores:
        """Return the share of each class's reference that is found; NaN where it has none."""
        return _ratio(self.agreed, self.reference)

    @property
    def mean_accuracy(self) -> float:
        """Return the mean sensitivity of the classes in the reference (Long et al., CVPR 2015, sec. 5)."""
        return _mean(self.sensitivity)

    @property
    def mean_iou(self) -> float:
        """Return the mean IoU of the classes that either side has (Long et al., CVPR 2015, sec. 5)."""
        return _mean(self.iou)

    @property
    def mean_dice(self) -> float:
        """Return the mean Dice coefficient of the classes that either side has."""
        return _mean(self.dice)

    @property
    def frequency_weighted_iou(self) -> float:
        """Return the sum of IoU_c g_c / sum(g), g_c pixels of the reference (Long et al., CVPR 2015, sec. 5).

        HI-Net's eq. 9 prints this without the weights g_c, which would not be an average.
        """
        weighed = np.where(self.reference > 0, self.iou, 0) * self.reference
        return float(_ratio(weighed.sum(), self.reference.sum()))

    @property
    def generalized_dice(self) -> float:
        """Return 2 sum(w_c n_c) / sum(w_c (g_c + p_c)) with w_c = 1 / g_c^2; NaN where there is no class.

        n_c, g_c, p_c: pixels agreed, in the reference, predicted. Crum et al., IEEE TMI 2006; Sudre et al.,
        DLMIA 2017. A class absent from the reference takes the rarest present class's weight, so
        that predicting it costs something finite.
        """
        present = self.reference > 0
        rarest = self.reference[present].min() if present.any() else 1
        weights = 1 / np.where(present, self.reference, rarest).astype(np.float64) ** 2
        total = (weights * (self.reference + self.predicted)).sum()
        return float(_ratio(2 * (weights * self.agreed).sum(), total))


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


def _mean(scores: Scores) -> float:
    """Return the mean of the scores that are numbers; NaN where none is."""
    numbers = scores[~np.isnan(scores)]
    return float(numbers.mean()) if numbers.size else math.nan


def _ratio(part: Counts | Number, whole: Counts | Number) -> Scores:
    """Divide; NaN where there is nothing to divide by."""
    over, under = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(over, under, out=np.full_like(under, np.nan), where=under > 0)
