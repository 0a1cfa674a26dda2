"""A comparison: a reference mask and a foreground map of one shape, over the pixels that count."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
ForegroundMap = npt.NDArray[np.floating] | Mask
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """(H, W) `reference`, `predicted` in [0, 1] and `known`; outside `known` the other two are 0."""

    reference: Mask
    predicted: Values
    known: Mask

    @property
    def size(self) -> int:
        """Return the number of known pixels."""
        return int(np.count_nonzero(self.known))

    @property
    def positives(self) -> int:
        """Return the number of foreground pixels in the reference."""
        return int(np.count_nonzero(self.reference))

    @property
    def foreground(self) -> Values:
        """Return the predictions where the reference is foreground, (n,)."""
        return self.predicted[self.reference]

    @property
    def background(self) -> Values:
        """Return the predictions where the reference is known background, (n,)."""
        return self.predicted[self.known & ~self.reference]


def compare(reference: Mask, predicted: ForegroundMap, known: Mask | None) -> Comparison:
    """Put the two side by side; without `known` every pixel counts.

    Raises ValueError for shapes that differ, a reference that is no mask, and known predictions outside [0, 1].
    """
    known = np.ones(reference.shape, np.bool_) if known is None else known
    check_masks(reference, known)
    if not reference.shape == predicted.shape == known.shape:
        raise ValueError(
            f"the shapes differ: {reference.shape}, {predicted.shape} and {known.shape}"
        )
    values = np.where(known, predicted, 0).astype(np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a foreground map must lie between 0 and 1")
    return Comparison(reference & known, values, known)


def check_masks(*masks: npt.NDArray[np.generic]) -> None:
    """Raise ValueError unless all are two-dimensional and boolean: a code image would pass for a mask."""
    for mask in masks:
        if mask.dtype != np.bool_ or mask.ndim != 2:
            raise ValueError(
                f"a mask is boolean (H, W), not {mask.dtype} {mask.shape}; compare one class, as in `codes == 1`"
            )
