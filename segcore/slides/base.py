"""The interface every reader implements, and `open_slide`, which picks the reader."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a slide; `downsample` level-0 pixels make one of its pixels."""

    width: int
    height: int
    downsample: float


class Slide(ABC):
    """A slide open for reading, from any number of threads at once."""

    path: Path
    levels: tuple[Level, ...]
    """From finest to coarsest."""
    mpp: float | None
    """Micrometres per level-0 pixel (mean of x and y), None where the file does not say or says nonsense."""
    bounds: tuple[int, int, int, int]
    """(x, y, width, height) of the non-empty region in level-0 pixels; the whole slide where not given."""
    magnification: float | None
    """Objective power where the file says."""
    vendor: str

    @property
    def dimensions(self) -> tuple[int, int]:
        """Return (width, height) of level 0."""
        return self.levels[0].width, self.levels[0].height

    @property
    def name(self) -> str:
        return self.path.stem

    @abstractmethod
    def read(self, x: int, y: int, level: int, width: int, height: int) -> Rgb:
        """Read (height, width, 3) pixels of `level`; (x, y) is the top left corner in level-0 pixels.

        Outside the slide is white. Raises SlideError where the file cannot be read.
        """

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def level_for(self, downsample: float) -> int:
        """Return the coarsest level that is at least as fine as `downsample`."""
        fine = [i for i, each in enumerate(self.levels) if each.downsample <= downsample * 1.01]
        return fine[-1] if fine else 0


def read_scaled(
    slide: Slide, *, left: float, top: float, scale: float, width: int, height: int
) -> Rgb:
    """Read (height, width, 3) pixels, each covering `scale` x `scale` level-0 pixels from (left, top).

    Reads the coarsest level that is fine enough and reduces with a box-like filter; magnifies bilinearly.
    (left, top) may be fractional and outside the slide (white).
    """
    raise NotImplementedError


def open_slide(path: str | Path) -> Slide:
    raise NotImplementedError
