"""The interface every reader implements, and `open_slide`, which picks the reader."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from segcore.errors import SlideError
from segcore.progress import Report, silent

Rgb = npt.NDArray[np.uint8]

SOURCE_BUDGET = 1 << 24
"""The most level pixels that `read_scaled` holds at once; more are read in parts."""


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a slide; `downsample` level-0 pixels make one of its pixels."""

    width: int
    height: int
    downsample: float


class Glass(NamedTuple):
    """Where the picture lies on its glass slide (Hamamatsu)."""

    x: float
    """Nanometres from the centre of the glass to the centre of the picture."""
    y: float
    mpp_x: float
    """Micrometres per level-0 pixel, by the scanner's own word."""
    mpp_y: float


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
    icc_profile: bytes | None = None
    """The colour profile of the pixels that `read` gives raw; `colour_management.to_srgb` takes both."""
    associated_names: tuple[str, ...] = ()
    """Which further pictures the file carries: "label", "macro", "thumbnail"."""
    glass: Glass | None = None
    """Where the file says: the frame of the annotations that the scanner's own viewer makes."""

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

    def associated(self, name: str) -> Rgb:
        """Read one of `associated_names`, (height, width, 3), where the user has asked for it.

        Label and macro may show the patient's name: nothing reads, shows or exports them by itself.
        """
        known = ", ".join(self.associated_names) or "none"
        raise SlideError(f"{self.name} has no picture {name!r}; it has {known}.")

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

    def thumbnail(self, max_size: int) -> Rgb:
        """Return the whole slide, its longer side at most `max_size` pixels; never magnified."""
        width, height = self.dimensions
        scale = max(1.0, max(width, height) / max_size)
        return read_scaled(
            self,
            left=0,
            top=0,
            scale=scale,
            width=max(1, round(width / scale)),
            height=max(1, round(height / scale)),
        )


def read_scaled(
    slide: Slide, *, left: float, top: float, scale: float, width: int, height: int
) -> Rgb:
    """Read (height, width, 3) pixels, each covering `scale` x `scale` level-0 pixels from (left, top).

    Reads the coarsest level that is fine enough and reduces with a box-like filter; magnifies bilinearly.
    (left, top) may be fractional and outside the slide (white). Neighbouring reads fit without a seam.
    """
    level = slide.level_for(scale)
    downsample = slide.levels[level].downsample
    ratio = scale / downsample
    if width * height * ratio**2 > SOURCE_BUDGET:
        return _read_in_parts(slide, left=left, top=top, scale=scale, width=width, height=height)
    column, row = left / downsample, top / downsample
    whole = max(1, round(ratio))
    if _on_grid(column, row) and abs(ratio - whole) * max(width, height) < 0.25:
        x, y = round(round(column) * downsample), round(round(row) * downsample)
        pixels = slide.read(x, y, level, width * whole, height * whole)
        return pixels if whole == 1 else _reduced(pixels, whole)
    box = (column, row, column + width * ratio, row + height * ratio)
    return _resampled(slide, level, box, width=width, height=height)


def _on_grid(column: float, row: float) -> bool:
    return abs(column - round(column)) < 0.05 and abs(row - round(row)) < 0.05


def _reduced(pixels: Rgb, factor: int) -> Rgb:
    return np.array(Image.fromarray(pixels).reduce(factor))


def _resampled(
    slide: Slide, level: int, box: tuple[float, float, float, float], *, width: int, height: int
) -> Rgb:
    """Resample `box` = (left, top, right, bottom) in pixels of `level` to (height, width, 3)."""
    left, top, right, bottom = box
    ratio = (right - left) / width
    # Pillow's filters look beyond the box where the image has more, so a margin hides the seams.
    margin = math.ceil(ratio) + 2
    downsample = slide.levels[level].downsample
    x = round((math.floor(left) - margin) * downsample)
    y = round((math.floor(top) - margin) * downsample)
    # What was read starts at a whole level-0 pixel, which may lie between pixels of the level.
    inset_x, inset_y = left - x / downsample, top - y / downsample
    inner = (inset_x, inset_y, inset_x + right - left, inset_y + bottom - top)
    across, down = math.ceil(inner[2]) + margin, math.ceil(inner[3]) + margin
    pixels = slide.read(x, y, level, across, down)
    # A plain box jitters where the ratio is no whole number; Hamming is as narrow and does not.
    kind = Image.Resampling.HAMMING if ratio > 1 else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(pixels).resize((width, height), kind, inner))


def _read_in_parts(
    slide: Slide, *, left: float, top: float, scale: float, width: int, height: int
) -> Rgb:
    if width == height == 1:
        fine = read_scaled(slide, left=left, top=top, scale=scale / 16, width=16, height=16)
        return _reduced(fine, 16)
    if width >= height:
        half = width // 2
        sizes = ((left, top, half, height), (left + half * scale, top, width - half, height))
    else:
        half = height // 2
        sizes = ((left, top, width, half), (left, top + half * scale, width, height - half))
    parts = [
        read_scaled(slide, left=x, top=y, scale=scale, width=w, height=h) for x, y, w, h in sizes
    ]
    return np.concatenate(parts, axis=1 if width >= height else 0)


def open_slide(path: str | Path, *, report: Report = silent, pyramid: bool = False) -> Slide:
    """Open a slide (whatever OpenSlide or tifffile read) or a plain image (whatever Pillow reads).

    A picture of more than 100 million pixels without regions that can be read alone is first copied as a
    pyramid into the user's cache folder, which `report` follows and may cancel. With `pyramid` so is a
    slide whose coarsest level is larger than that, which could be read but hardly be looked at.

    Raises SlideError where it is neither. A file from elsewhere goes through
    `segcore.slides.preflight.check_slide` first: malformed ones can abort the process inside the reader.
    """
    from segcore.slides.opening import open_with_some_reader  # noqa: PLC0415 - readers import this module

    return open_with_some_reader(Path(path), report, pyramid=pyramid)
