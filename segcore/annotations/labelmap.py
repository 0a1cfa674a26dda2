from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A class per pixel over a rectangle of a slide, on the slide-wide mask grid.

    The grid starts at level-0 (0, 0) with square pixels of `scale` level-0 pixels (`mpp` micrometres);
    `labels[r, c]` is grid pixel (column + c, row + r) and covers level-0
    [(column + c) * scale, (column + c + 1) * scale] and likewise in y.
    """

    labels: Labels
    """(h, w) uint8: class codes of the taxonomy, 0 = unlabelled (outside the region)."""
    column: int
    row: int
    scale: float
    mpp: float
    confidence: npt.NDArray[np.uint8] | None = None
    """(h, w) uint8: 255 x the probability of the chosen class, or None where it is not known."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in level-0 pixels."""
        height, width = self.labels.shape
        return (
            self.column * self.scale,
            self.row * self.scale,
            (self.column + width) * self.scale,
            (self.row + height) * self.scale,
        )


def values_at(
    values: npt.NDArray[T], rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> npt.NDArray[T]:
    """Return `values` at (rows) x (columns), 0 beyond them."""
    height, width = values.shape
    down, across = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    found = np.zeros((len(rows), len(columns)), values.dtype)
    found[np.ix_(down, across)] = values[np.ix_(rows[down], columns[across])]
    return found
