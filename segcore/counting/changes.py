"""What a person changed: two masks of one region compared, pixel by pixel."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap, Taxonomy, load_taxonomy
from segcore.counting.cutting import laid_together, within
from segcore.counting.table import Row, to_csv

UNLABELLED = "Unlabelled"


@dataclass(frozen=True)
class Changes:
    """How much of a mask is another class than before."""

    pixels: int
    area_mm2: float
    fraction: float
    """Of the area labelled before or after; 0 where nothing is."""
    of_class: dict[str, float | None]
    """Which share of each class's pixels before is another class, or none, now; None where it had none."""
    matrix_mm2: dict[str, dict[str, float]]
    """From each class before to each class after, "Unlabelled" among them; the diagonal is what stayed."""

    def to_json(self) -> dict[str, Any]:
        """Return the changes as a document."""
        return asdict(self)

    def rows(self) -> list[Row]:
        """Return the changes for a table: the sums, then each way that some area went."""
        ways = [
            Row(f"{before} to {after}", area, "mm²")
            for before, to in self.matrix_mm2.items()
            for after, area in to.items()
            if area and before != after
        ]
        shares = [
            Row(f"Changed of {name}", 100 * share, "%")
            for name, share in self.of_class.items()
            if share is not None
        ]
        return [
            Row("Changed pixels", self.pixels, ""),
            Row("Changed area", self.area_mm2, "mm²"),
            Row("Changed share", 100 * self.fraction, "%", "of what is labelled before or after"),
            *shares,
            *ways,
        ]

    def to_csv(self) -> str:
        """Return the rows as a CSV table."""
        return to_csv(self.rows())


def compare(
    before: LabelMap,
    after: LabelMap,
    taxonomy: Taxonomy | None = None,
    *,
    region: BaseGeometry | None = None,
) -> Changes:
    """Tell what changed between two masks on one grid; with `region` (level-0 pixels) only inside it.

    Classes that are ignored or unknown to the taxonomy count as unlabelled. Raises RegionError where the
    pixel sizes differ.
    """
    taxonomy = taxonomy or load_taxonomy()
    old, new = laid_together(within(before, region), within(after, region))
    classes = [each for each in taxonomy.classes if not each.ignored]
    place = np.zeros(256, np.uint8)  # a code's row and column in the matrix
    for number, each in enumerate(classes, 1):
        place[each.code] = number
    names = [UNLABELLED, *(each.name for each in classes)]
    pairs = place[old].astype(np.uint16) * len(names) + place[new]
    matrix = np.bincount(pairs.ravel(), minlength=len(names) ** 2).reshape(len(names), -1)
    matrix[0, 0] = 0  # what is unlabelled twice lies outside
    stayed = np.diag(matrix)
    total, changed = int(matrix.sum()), int(matrix.sum() - stayed.sum())
    had = matrix.sum(axis=1)
    pixel = (before.mpp / 1000) ** 2
    return Changes(
        pixels=changed,
        area_mm2=changed * pixel,
        fraction=changed / total if total else 0.0,
        of_class={
            name: float(1 - stayed[at] / had[at]) if had[at] else None
            for at, name in enumerate(names)
            if at
        },
        matrix_mm2={
            name: dict(zip(names, (matrix[at] * pixel).tolist(), strict=True))
            for at, name in enumerate(names)
        },
    )
