"""Slides that OpenSlide reads: SVS, NDPI, MRXS, SCN, BIF, CZI, DICOM, tiled TIFF."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes import POINTER, c_uint32
from pathlib import Path
from threading import local

import numpy as np
import numpy.typing as npt
import openslide
from openslide import lowlevel
from PIL import ImageCms

from segcore.slides.base import Glass, Level, Rgb, Slide
from segcore.slides.pixelsize import SANE, SANE_TAG, mpp_from_description, plausible
from segcore.slides.raster import rgb_of
from segcore.slides.reopening import Reopening, Unusable

CACHE_BYTES = 64 << 20
_KEPT = 1 << 20  # pixels of the buffer that each thread keeps
_OPAQUE = 0xFF000000

log = logging.getLogger(__name__)
_of_thread = local()


class OpenSlideSlide(Slide):
    """A slide behind an OpenSlide handle."""

    def __init__(
        self, path: Path, *, pixels: Path | None = None, cache_bytes: int = CACHE_BYTES
    ) -> None:
        """Open `path`; its pixels may lie in another file, a copy as a pyramid."""
        self.path = path
        self._file = pixels or path
        self._cache = openslide.OpenSlideCache(cache_bytes)
        self._shape: tuple[object, ...] | None = None
        self._handle = Reopening(self.path.name, self._open, (openslide.OpenSlideError, OSError))
        self._describe(self._handle.get())

    def _open(self) -> openslide.OpenSlide:
        handle = openslide.OpenSlide(self._file)
        shape = handle.level_dimensions
        if self._shape not in {None, shape}:
            raise Unusable("the file is not the one that was opened")
        self._shape = shape
        handle.set_cache(self._cache)
        return handle

    def _describe(self, handle: openslide.OpenSlide) -> None:
        properties = handle.properties
        sizes = zip(handle.level_dimensions, handle.level_downsamples, strict=True)
        self.levels = tuple(Level(width, height, down) for (width, height), down in sizes)
        self.vendor = properties.get("openslide.vendor", "unknown")
        self.mpp = _mpp(properties, self.vendor)
        self.magnification = _number(properties.get("openslide.objective-power")) or None
        self.bounds = _bounds(properties) or (0, 0, *self.dimensions)
        self.associated_names = tuple(handle.associated_images)
        self.glass = _glass(properties)
        self.icc_profile = self._profile(handle)

    def _profile(self, handle: openslide.OpenSlide) -> bytes | None:
        try:
            profile = handle.color_profile
        except (ImageCms.PyCMSError, OSError) as error:
            log.warning("The colour profile of %s is left out: %s.", self.path.name, error)
            return None
        return None if profile is None else profile.tobytes()

    def associated(self, name: str) -> Rgb:
        with self._reading() as handle:
            images = handle.associated_images
            return rgb_of(self.path, images[name]) if name in images else super().associated(name)

    def read(self, x: int, y: int, level: int, width: int, height: int) -> Rgb:
        with self._reading() as handle:
            if not width * height:
                return np.empty((height, width, 3), np.uint8)
            return _on_white(_read_argb(handle, x, y, level, width=width, height=height))

    @contextmanager
    def _reading(self) -> Iterator[openslide.OpenSlide]:
        handle = self._handle.get()
        try:
            yield handle
        except openslide.OpenSlideError as error:
            raise self._handle.failed(handle, str(error)) from error
        self._handle.succeeded()

    def close(self) -> None:
        self._handle.close()


def _read_argb(
    handle: openslide.OpenSlide, x: int, y: int, level: int, *, width: int, height: int
) -> npt.NDArray[np.uint32]:
    """Return (height, width) premultiplied ARGB that the next read of this thread overwrites.

    The public `read_region` makes an RGBA picture in new memory, which costs a quarter of the whole read.
    """
    count = width * height
    buffer = getattr(_of_thread, "argb", None)
    if buffer is None or buffer.size < count:
        buffer = np.empty(count, np.uint32)
        if count <= _KEPT:
            _of_thread.argb = buffer
    argb = buffer[:count]
    target = argb.ctypes.data_as(POINTER(c_uint32))
    lowlevel._read_region(handle._osr, target, x, y, level, width, height)  # noqa: SLF001 - see above
    return argb.reshape(height, width)


def _on_white(argb: npt.NDArray[np.uint32]) -> Rgb:
    """Return (h, w) premultiplied ARGB as (h, w, 3) over white."""
    pixels = np.empty((*argb.shape, 3), np.uint8)
    bgra = argb.astype("<u4", copy=False).view(np.uint8).reshape(*argb.shape, 4)
    for channel in range(3):  # one after the other takes a third of the time of all at once
        pixels[..., channel] = bgra[..., 2 - channel]
    if argb.size and argb.min() < _OPAQUE:
        pixels += 255 - bgra[..., 3:]
    return pixels


def _mpp(properties: Mapping[str, str], vendor: str) -> float | None:
    sizes = [_number(properties.get(f"openslide.mpp-{axis}")) for axis in "xy"]
    known = [each for each in sizes if each]
    description = properties.get("tiff.ImageDescription", "")
    if vendor == "generic-tiff" and "<OME" in description:
        return mpp_from_description(description)
    within = SANE_TAG if vendor == "generic-tiff" else SANE
    return plausible(sum(known) / len(known), within) if known else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _bounds(properties: Mapping[str, str]) -> tuple[int, int, int, int] | None:
    names = ("x", "y", "width", "height")
    values = [_number(properties.get(f"openslide.bounds-{name}")) for name in names]
    if any(each is None for each in values):
        return None
    x, y, width, height = (int(each or 0) for each in values)
    return (x, y, width, height) if width > 0 and height > 0 else None


def _glass(properties: Mapping[str, str]) -> Glass | None:
    names = [
        *(f"hamamatsu.{axis}OffsetFromSlideCentre" for axis in "XY"),
        "openslide.mpp-x",
        "openslide.mpp-y",
    ]
    x, y, mpp_x, mpp_y = (_number(properties.get(name)) for name in names)
    if x is None or y is None or not mpp_x or not mpp_y:
        return None
    return Glass(x, y, mpp_x, mpp_y)
