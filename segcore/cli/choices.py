"""Arguments that several commands share, and how they are read."""

import argparse
import math
from pathlib import Path

from segcore.errors import PixelSizeMissingError
from segcore.slides import Slide, open_slide, propose_mpp
from segcore.slides.pixelsize import SANE
from segcore.slides.preflight import check_slide


def pixel_size(text: str) -> float:
    """Read micrometres per pixel."""
    try:
        mpp = float(text)
    except ValueError:
        mpp = math.nan
    if not SANE[0] <= mpp <= SANE[1]:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no pixel size; give micrometres per pixel from {SANE[0]} to {SANE[1]:.0f}"
        )
    return mpp


def rectangle(text: str) -> tuple[float, float, float, float]:
    """Read X,Y,W,H in level-0 pixels."""
    try:
        x, y, width, height = (float(each) for each in text.split(","))
    except ValueError:
        x = y = width = height = math.nan
    if not (width > 0 and height > 0 and all(map(math.isfinite, (x, y, width, height)))):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no rectangle; give X,Y,W,H in level-0 pixels"
        )
    return x, y, width, height


def add_mpp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mpp",
        type=pixel_size,
        metavar="F",
        help="micrometres per level-0 pixel, over what the slide says",
    )


def checked_slide(path: Path, mpp: float | None) -> Slide:
    """Open a slide that has passed the check in a child process; `mpp` overrides its pixel size."""
    check_slide(path)
    slide = open_slide(path)
    slide.mpp = mpp or slide.mpp
    return slide


def require_mpp(slide: Slide) -> float:
    """Return the slide's pixel size, or raise PixelSizeMissingError with a proposal."""
    if slide.mpp is not None:
        return slide.mpp
    proposal = propose_mpp(slide)
    hint = (
        f"--mpp {proposal:g} fits its objective"
        if proposal
        else "--mpp 0.25 is usual at 40x, 0.5 at 20x"
    )
    raise PixelSizeMissingError(f"{slide.path.name} does not say its pixel size; give it: {hint}.")
