"""What foreign data sets are made of: cases, each of which gives pictures of one form, one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from segcore.data.pictures import Codes, Rgb, read_codes, read_picture, resample, same_size
from segcore.errors import DataError

Remark = Callable[[str], None]
"""Takes a sentence about something that was left out."""

SAME = tuple(range(256))
"""The table of a mask whose values are class codes already."""


@dataclass(frozen=True)
class Cut:
    """What all pictures of the new data set have in common."""

    mpp: float | None = None
    """None: each picture keeps its own; slides need one."""
    tile: int | None = None
    """Side in pixels; None: pictures stay whole."""
    least_labelled: float = 0.05
    """Tiles of which less is labelled are left out; of smaller pictures, less of the picture."""
    tumor: tuple[float, float] | None = None
    """Tiles with a smaller or larger share of tumor are left out."""
    regularise: bool = False
    """Whether slides get the stains of the common reference."""


@dataclass(frozen=True, eq=False)
class Part:
    """One picture of the new data set; (x, y) is its corner in pixels of what it was cut from."""

    image: Rgb
    codes: Codes | None
    mpp: float
    x: float
    y: float
    label: str = ""


class Case(Protocol):
    """One picture or slide of a foreign data set, not read yet."""

    @property
    def name(self) -> str:
        """Return what files made from it are called; no two cases of a data set share it."""
        ...

    @property
    def title(self) -> str:
        """Return what people call it; shown, but never written, because it may name a patient."""
        ...

    @property
    def case(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def split(self) -> str: ...

    def parts(self, cut: Cut, remark: Remark) -> Iterator[Part]:
        """Yield the pictures; raises AcinusError where the case cannot be used."""
        ...


@dataclass(frozen=True)
class PictureCase:
    """A picture, with a mask, a label or both."""

    name: str
    case: str
    source: str
    image: Path
    mpp: float
    split: str = "train"
    mask: Path | None = None
    table: tuple[int, ...] = SAME
    """The class code of each mask value."""
    named: frozenset[int] | None = None
    """The mask values that there may be beside 0; None where all may be."""
    label: str = ""
    corner: tuple[float, float] = (0, 0)
    """Where the picture lies on its slide, in pixels of the picture."""

    @property
    def title(self) -> str:
        return self.image.name

    def parts(self, cut: Cut, remark: Remark) -> Iterator[Part]:  # noqa: ARG002 - has nothing to remark
        image, codes = self._read()
        mpp = cut.mpp or self.mpp
        factor = self.mpp / mpp
        image, codes = resample(image, codes, factor=factor)
        if self.mask and not codes.any():
            raise DataError("Nothing in it is labelled.")
        least = cut.least_labelled * min(codes.size, (cut.tile or 0) ** 2) if self.mask else 0
        for row, column in _corners(codes.shape, cut.tile):
            part, part_codes = _tile(image, codes, row, column, cut.tile)
            if np.count_nonzero(part_codes) < least:
                continue
            x, y = self.corner[0] + column / factor, self.corner[1] + row / factor
            yield Part(part, part_codes if self.mask else None, mpp, x, y, self.label)

    def _read(self) -> tuple[Rgb, Codes]:
        image = read_picture(self.image)
        if self.mask is None:
            return image, np.zeros(image.shape[:2], np.uint8)
        values = read_codes(self.mask)
        if self.named is not None and (strange := set(np.unique(values)) - self.named - {0}):
            value = min(strange)
            raise DataError(
                f"Its mask holds the value {value}, which has no class; say what it means with --codes {value}=CLASS or {value}=unlabelled."
            )
        codes = np.array(self.table, np.uint8)[values]
        same_size(self.image.name, image, codes)
        return image, codes


@dataclass(frozen=True)
class RefusedCase:
    """Something that was found and cannot be used, for a reason told when its turn comes."""

    name: str
    reason: str
    case: str = ""
    source: str = ""
    split: str = ""

    @property
    def title(self) -> str:
        return self.name

    def parts(self, cut: Cut, remark: Remark) -> Iterator[Part]:  # noqa: ARG002 - there are none
        """Raise DataError."""
        raise DataError(self.reason)


def _corners(shape: tuple[int, ...], tile: int | None) -> list[tuple[int, int]]:
    if tile is None:
        return [(0, 0)]
    return [
        (row, column) for row in range(0, shape[0], tile) for column in range(0, shape[1], tile)
    ]


def _tile(image: Rgb, codes: Codes, row: int, column: int, side: int | None) -> tuple[Rgb, Codes]:
    """Return a square tile; beyond the picture it is white and unlabelled."""
    if side is None:
        return image, codes
    part = image[row : row + side, column : column + side]
    missing = side - part.shape[0], side - part.shape[1]
    ends = ((0, missing[0]), (0, missing[1]))
    return (
        np.pad(part, (*ends, (0, 0)), constant_values=255),
        np.pad(codes[row : row + side, column : column + side], ends),
    )
