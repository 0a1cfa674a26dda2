"""Pictures that are read from top to bottom, because no region of them can be read alone."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from segcore.errors import SlideError
from segcore.slides.base import Rgb, Slide
from segcore.slides.raster import DEEP_GREY, bits_of, check_size, mpp_of_picture, rgb_of, to_rgb

BAND = 512
"""Rows that are handed on at once."""


class RowSource(ABC):
    """A picture too large to be held in memory, whose rows come one band after the other."""

    path: Path
    width: int
    height: int
    mpp: float | None
    vendor: str
    icc_profile: bytes | None
    original: Slide | None = None
    """The slide whose rows they are, which knows more than a picture does."""

    def close(self) -> None:  # noqa: B027 - most sources keep nothing open between bands
        """Close what stays open between bands."""

    @abstractmethod
    def bands(self) -> Iterator[Rgb]:
        """Give (BAND, width, 3) pixels from top to bottom, the last band lower; raises SlideError."""


class SlideRows(RowSource):
    """The finest level of a slide."""

    def __init__(self, slide: Slide) -> None:
        self._slide = self.original = slide
        self.path, self.vendor = slide.path, slide.vendor
        self.mpp, self.icc_profile = slide.mpp, slide.icc_profile
        self.width, self.height = slide.dimensions

    def bands(self) -> Iterator[Rgb]:
        for top in range(0, self.height, BAND):
            yield self._slide.read(0, top, 0, self.width, min(BAND, self.height - top))

    def close(self) -> None:
        self._slide.close()


class PictureRows(RowSource):
    """A picture that Pillow can only decode whole, which is done when the first band is asked for."""

    def __init__(self, path: Path) -> None:
        """Read the header; raises SlideError where the picture is larger than can be decoded whole."""
        self.path = path
        with Image.open(path) as image:
            check_size(path, *image.size)
            # Of a TIFF Pillow says the size after turning, of others that before.
            turned = image.format != "TIFF" and image.getexif().get(274, 1) > 4
            self.width, self.height = image.size[::-1] if turned else image.size
            self.mpp, self.icc_profile = mpp_of_picture(image), image.info.get("icc_profile")
            self.vendor = (image.format or "image").lower()

    def bands(self) -> Iterator[Rgb]:
        try:
            with Image.open(self.path) as image:
                ImageOps.exif_transpose(image, in_place=True)
                yield from self._bands(image)
        except (OSError, ValueError, SyntaxError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise SlideError(
                f"{self.path.name} cannot be opened: it is damaged ({reason}); copy or export it again."
            ) from error

    def _bands(self, image: Image.Image) -> Iterator[Rgb]:
        deep = image.mode in DEEP_GREY
        bits = bits_of(self.path, np.array(image.getextrema())) if deep else None
        for top in range(0, image.height, BAND):
            strip = image.crop((0, top, image.width, min(top + BAND, image.height)))
            if deep:
                yield to_rgb(self.path, np.array(strip), bits=bits)
            else:
                yield rgb_of(self.path, strip)
