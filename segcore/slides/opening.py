"""Which reader opens a file: OpenSlide first, then tifffile, then the plain image readers."""

import logging
from contextlib import closing
from pathlib import Path

import openslide
from PIL import Image

from segcore.errors import SlideError
from segcore.progress import Report
from segcore.slides.base import Rgb, Slide
from segcore.slides.openslide import OpenSlideSlide
from segcore.slides.raster import HELD, is_tiff, open_raster, orientation_of
from segcore.slides.rows import PictureRows, RowSource, SlideRows
from segcore.slides.tiff import TiffSlide

log = logging.getLogger(__name__)


def open_with_some_reader(path: Path, report: Report, *, pyramid: bool) -> Slide:
    """Open `path`; raises SlideError with one sentence."""
    found = find_reader(path)
    if isinstance(found, RowSource):
        with closing(found):
            return _as_pyramid(found, report)
    coarsest = found.levels[-1]
    if pyramid and coarsest.width * coarsest.height > HELD:
        try:
            copy = _as_pyramid(SlideRows(found), report)
        except SlideError as error:
            log.warning("It is shown without a pyramid, slowly: %s", error)
        else:
            found.close()
            return copy
    return found


def _as_pyramid(source: RowSource, report: Report) -> Slide:
    from segcore.slides.pyramid_copy import pyramid_of  # noqa: PLC0415 - its child imports this module

    file = pyramid_of(source.path, source.width * source.height, report)
    return CopiedSlide(source, file)


class CopiedSlide(OpenSlideSlide):
    """A picture whose pixels lie in its copy as a pyramid; whatever else is known is the original's."""

    def __init__(self, source: RowSource, pixels: Path) -> None:
        super().__init__(source.path, pixels=pixels)
        self.mpp, self.icc_profile = source.mpp, source.icc_profile
        self.vendor = f"{source.vendor}, copied as a pyramid"
        original = source.original
        if original is not None:
            self.bounds, self.glass = original.bounds, original.glass
            self.magnification = original.magnification
            self.associated_names = original.associated_names

    def associated(self, name: str) -> Rgb:
        with closing(find_reader(self.path)) as found:
            original = found if isinstance(found, Slide) else found.original
            return (original or super()).associated(name)


def row_source(path: Path) -> RowSource:
    """Return what a pyramid of `path` is made from; raises SlideError."""
    found = find_reader(path)
    return found if isinstance(found, RowSource) else SlideRows(found)


def find_reader(path: Path) -> Slide | RowSource:
    """Open `path`, or return its rows where it must first be copied as a pyramid; raises SlideError."""
    _check_file(path)
    if openslide.OpenSlide.detect_format(path) is None:
        return _tiff(path) if is_tiff(path) else _plain(path)
    try:
        slide = OpenSlideSlide(path)
    except (openslide.OpenSlideError, OSError) as error:
        return _second_try(path, error)
    return _better(slide) if slide.vendor == "generic-tiff" else slide


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


def _better(slide: OpenSlideSlide) -> Slide | RowSource:
    """Return `slide`, or another reader of a TIFF that OpenSlide does not show as it is meant."""
    path = slide.path
    if orientation_of(path) != 1:
        # libtiff mirrors each tile in its place for such a tag, which is neither stored nor upright.
        slide.close()
        return _plain(path)
    if len(slide.levels) > 1:
        return slide
    try:
        other = TiffSlide(path)  # its levels may be sub-directories, as OME wants them
    except SlideError:
        return slide
    # OpenSlide shows the first picture, which may be a label: a secret, and not the slide.
    knows_more = len(other.levels) > 1 or other.associated_names
    better, worse = (other, slide) if knows_more else (slide, other)
    worse.close()
    return better


def _second_try(path: Path, error: Exception) -> Slide | RowSource:
    """Open what OpenSlide knows but refuses with the other readers, which know more compressions."""
    refused = SlideError(
        f"{path.name} cannot be opened: OpenSlide says '{error}'; convert it to a pyramidal TIFF or export it again."
    )
    if not is_tiff(path):
        raise refused from error
    try:
        return _tiff(path)
    except SlideError:
        raise refused from error


def _tiff(path: Path) -> Slide | RowSource:
    """Open a TIFF by tiles or strips; one of a single level and moderate size as a plain image."""
    try:
        slide = TiffSlide(path)
    except SlideError:
        return _plain(path)
    width, height = slide.dimensions
    single = len(slide.levels) == 1
    if slide.orientation == 1 and single and width * height > HELD:
        return slide if slide.tiled else SlideRows(slide)
    if slide.orientation == 1 and (not single or slide.associated_names):
        return slide
    slide.close()
    return _plain(path)


def _plain(path: Path) -> Slide | RowSource:
    """Open a picture: held in memory up to HELD pixels, by its rows beyond."""
    try:
        with Image.open(path) as image:
            large, kind = image.width * image.height > HELD, image.format
    except Exception:  # noqa: BLE001 - what Pillow raises has no end; `open_raster` says it in a sentence
        return open_raster(path)
    if not large:
        return open_raster(path)
    if kind == "PNG":
        from segcore.slides.png import PngRows  # noqa: PLC0415 - needed by few files

        return PngRows(path)
    return PictureRows(path)
