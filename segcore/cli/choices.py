"""Arguments that several commands share, and how they are read."""

import argparse
import math
from pathlib import Path

import shapely

from segcore.annotations import Annotation, read_annotations
from segcore.errors import PixelSizeMissingError, RegionError
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


def add_regions(parser: argparse.ArgumentParser) -> None:
    """Ask for regions, which `chosen_regions` then gives."""
    regions = parser.add_mutually_exclusive_group()
    regions.add_argument(
        "--roi",
        type=rectangle,
        action="append",
        metavar="X,Y,W,H",
        help="a rectangle in level-0 pixels",
    )
    regions.add_argument("--annotations", type=Path, metavar="FILE", help="regions drawn elsewhere")
    regions.add_argument("--tissue", action="store_true", help="all tissue of the slide")


def chosen_regions(arguments: argparse.Namespace, slide: Slide) -> list[Annotation]:
    """Return the regions that were asked for: rectangles, drawn areas, all tissue, or all that was scanned."""
    if arguments.annotations:
        drawn = read_annotations(arguments.annotations, slide=slide)
        areas = [each for each in drawn if each.geometry.area > 0]
        if not areas:
            name = arguments.annotations.name
            raise RegionError(f"{name} holds no areas; draw a region, or leave --annotations out.")
        return areas
    if arguments.roi:
        boxes = [shapely.box(x, y, x + width, y + height) for x, y, width, height in arguments.roi]
        return [Annotation(box, name=f"ROI {number}") for number, box in enumerate(boxes, 1)]
    if arguments.tissue:
        from segcore.inference import tissue_region

        return [Annotation(tissue_region(slide), name="Tissue")]
    x, y, width, height = slide.bounds
    return [Annotation(shapely.box(x, y, x + width, y + height), name="Slide")]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Ask for a bundle or package, for trust in it and for a device."""
    parser.add_argument(
        "--model",
        default="default",
        metavar="NAME|DIR|ZIP",
        help="a bundle, a bioimage.io package or a WSInfer folder; what a package leaves open, "
        "`segcore models import` takes",
    )
    parser.add_argument(
        "--trust-model",
        action="store_true",
        help="run the TorchScript, which is a program, of a package",
    )
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")


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
