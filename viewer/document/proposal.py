"""What the program proposes for the mask: seen before it is true, accepted whole or in parts, or dropped."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from segcore.annotations.labelmap import Labels
from viewer.document import edits
from viewer.document.changes import Edit
from viewer.document.grid import MaskGrid
from viewer.document.masks import Key, MaskLayer


@dataclass(frozen=True, eq=False)
class Proposal:
    """A rectangle of the mask as it is and as it would be, from mask pixel (column, row)."""

    verb: str
    """What makes it true: the first word of the edit's name."""
    grid: MaskGrid
    column: int
    row: int
    before: Labels
    after: Labels

    @cached_property
    def changed(self) -> npt.NDArray[np.bool_]:
        return self.before != self.after

    @cached_property
    def counts(self) -> Mapping[int, int]:
        """The number of pixels that would get each class, 0 for unlabelled; the largest first."""
        codes, numbers = np.unique(self.after[self.changed], return_counts=True)
        largest = np.argsort(-numbers, kind="stable")
        return {int(codes[at]): int(numbers[at]) for at in largest}

    @property
    def pixels(self) -> int:
        """How many pixels would change."""
        return sum(self.counts.values())

    def of_class(self, code: int) -> "Proposal":
        """Return the part that gives pixels this class."""
        return self._where(self.after == code)

    def at(self, x: float, y: float) -> "Proposal":
        """Return the part that hangs together (8 neighbours, one class) at level-0 (x, y); empty beside it."""
        column, row = int(x // self.grid.scale) - self.column, int(y // self.grid.scale) - self.row
        height, width = self.after.shape
        if not (0 <= column < width and 0 <= row < height and self.changed[row, column]):
            return self._where(np.zeros_like(self.changed))
        from skimage.measure import label  # noqa: PLC0415 - keeps the start quick

        alike = self.changed & (self.after == self.after[row, column])
        regions = np.asarray(label(alike, connectivity=2))
        return self._where(regions == regions[row, column])

    def on(self, mask: MaskLayer) -> "Proposal":
        """Return it for the mask as it is by now: what has changed meanwhile is left as it is."""
        height, width = self.before.shape
        now = mask.read(self.column, self.row, width, height)
        return replace(self, before=now, after=np.where(now == self.before, self.after, now))

    def tiles(self, mask: MaskLayer) -> dict[Key, Labels | None]:
        """Return the mask tiles that would change, as they would be; None where nothing is left."""
        changes = mask.paste(self.after, self.column, self.row, where=self.changed)
        return {each.key: each.after for each in changes}

    def edit(self, mask: MaskLayer, what: str) -> Edit:
        """Return the edit that makes it true, named by `what` the pixels become."""
        return edits.paint(
            mask,
            self.after,
            self.column,
            self.row,
            where=self.changed,
            name=f"{self.verb} {what}, {self.pixels:,} px",
            grid=self.grid,
        )

    def _where(self, part: npt.NDArray[np.bool_]) -> "Proposal":
        return replace(self, after=np.where(part, self.after, self.before))
