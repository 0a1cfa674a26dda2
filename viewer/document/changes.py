"""A change is a value: what was, and what is instead. Undo applies the inverse."""

from dataclasses import dataclass
from typing import Self

from segcore.annotations import Annotation
from segcore.annotations.labelmap import Labels
from viewer.document.grid import MASK_TILE, MaskGrid


@dataclass(frozen=True, slots=True)
class Change:
    """One annotation added (`before` is None), deleted (`after` is None) or replaced under its id."""

    before: Annotation | None
    after: Annotation | None

    def __post_init__(self) -> None:
        one, other = self.before or self.after, self.after or self.before
        if one is None or other is None or one.id != other.id:
            raise ValueError("A change is about exactly one annotation.")

    @property
    def id(self) -> str:
        one = self.after if self.before is None else self.before
        assert one is not None  # noqa: S101 (checked on construction; this tells pyright)
        return one.id

    def inverse(self) -> Self:
        return type(self)(self.after, self.before)


@dataclass(frozen=True, slots=True, eq=False)
class TileChange:
    """One mask tile changed; `key` is (tile column, tile row), None an absent tile (all 0).

    Tiles are (256, 256) uint8 and read-only; a writeable array is copied.
    """

    key: tuple[int, int]
    before: Labels | None
    after: Labels | None

    def __post_init__(self) -> None:
        if min(self.key) < 0:
            raise ValueError(f"Mask tile {self.key} lies outside the slide.")
        object.__setattr__(self, "before", _read_only(self.before))
        object.__setattr__(self, "after", _read_only(self.after))

    def inverse(self) -> Self:
        return type(self)(self.key, self.after, self.before)


@dataclass(frozen=True, slots=True)
class GridChange:
    """The mask's grid set, changed or taken away."""

    before: MaskGrid | None
    after: MaskGrid | None

    def inverse(self) -> Self:
        return type(self)(self.after, self.before)


@dataclass(frozen=True, slots=True)
class Edit:
    """What one gesture or command does to a document, under the name the Undo menu shows."""

    name: str
    changes: tuple[Change, ...] = ()
    tiles: tuple[TileChange, ...] = ()
    grid: GridChange | None = None

    def inverse(self) -> Self:
        return type(self)(
            self.name,
            tuple(each.inverse() for each in reversed(self.changes)),
            tuple(each.inverse() for each in reversed(self.tiles)),
            self.grid and self.grid.inverse(),
        )

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.tiles and self.grid is None


def _read_only(labels: Labels | None) -> Labels | None:
    if labels is None:
        return None
    if labels.shape != (MASK_TILE, MASK_TILE) or labels.dtype != "uint8":
        raise ValueError(f"A mask tile is (256, 256) uint8, not {labels.shape} {labels.dtype}.")
    if labels.flags.writeable:
        labels = labels.copy()
        labels.flags.writeable = False
    return labels
