"""Which reader opens a file: OpenSlide first, then the plain image readers."""

from pathlib import Path

import openslide

from segcore.errors import SlideError
from segcore.slides.base import Slide
from segcore.slides.openslide import OpenSlideSlide
from segcore.slides.raster import is_tiff, open_raster, orientation_of


def open_with_some_reader(path: Path) -> Slide:
    """Open `path`; raises SlideError with one sentence."""
    _check_file(path)
    if openslide.OpenSlide.detect_format(path) is None:
        return open_raster(path)
    try:
        slide = OpenSlideSlide(path)
    except (openslide.OpenSlideError, OSError) as error:
        return _second_try(path, error)
    if slide.vendor == "generic-tiff" and orientation_of(path) != 1:
        # libtiff mirrors each tile in its place for such a tag, which is neither stored nor upright.
        slide.close()
        return open_raster(path)
    return slide


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except IsADirectoryError as error:
        raise SlideError(f"{path.name} is a folder; choose the slide file inside it.") from error
    except FileNotFoundError as error:
        raise SlideError(f"There is no file {path}; check the name.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SlideError(
            f"{path.name} cannot be opened: {reason}; check its permissions."
        ) from error
    if empty:
        raise SlideError(
            f"{path.name} cannot be opened: the file is empty; copy or export it again."
        )


def _second_try(path: Path, error: Exception) -> Slide:
    """Open what OpenSlide knows but refuses with the plain readers, which know other compressions."""
    refused = SlideError(
        f"{path.name} cannot be opened: OpenSlide says '{error}'; convert it to a pyramidal TIFF or export it again."
    )
    if not is_tiff(path):
        raise refused from error
    try:
        return open_raster(path)
    except SlideError:
        raise refused from error
