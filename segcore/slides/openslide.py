"""Slides that OpenSlide reads: SVS, NDPI, MRXS, SCN, BIF, CZI, DICOM, tiled TIFF."""

import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

import numpy as np
import openslide
from PIL import Image

from segcore.errors import SlideError
from segcore.slides.base import Level, Rgb, Slide
from segcore.slides.pixelsize import SANE, SANE_TAG, plausible

CACHE_BYTES = 64 << 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class OpenSlideSlide(Slide):
    """A slide behind an OpenSlide handle, which is opened anew after it failed.

    A handle that failed once fails for ever, even when the file comes back: the next read opens a new
    one. Where that fails too, later reads are refused at once for 0.1 s, then for a pause that doubles
    up to 2 s, so that one damaged tile does not hide its neighbours and a lost drive costs no time.
    """

    def __init__(self, path: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.path = path
        self._cache = openslide.OpenSlideCache(cache_bytes)
        self._lock = Lock()
        self._closed = False
        self._failures, self._retry_at, self._reason = 0, 0.0, ""
        self._handle: openslide.OpenSlide | None = self._open()
        self._describe(self._handle)

    def _open(self) -> openslide.OpenSlide:
        handle = openslide.OpenSlide(self.path)
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

    def read(self, x: int, y: int, level: int, width: int, height: int) -> Rgb:
        handle = self._ready()
        try:
            pixels = _on_white(handle.read_region((x, y), level, (width, height)))
        except openslide.OpenSlideError as error:
            self._failed(handle, str(error))
            raise self._unreadable() from error
        self._failures = 0
        return pixels

    def _ready(self) -> openslide.OpenSlide:
        handle = self._handle
        if handle is not None:
            return handle
        with self._lock:
            if self._closed:
                raise SlideError(f"{self.path.name} is closed; open it again.")
            if self._handle is None:
                self._handle = self._reopened()
            return self._handle

    def _reopened(self) -> openslide.OpenSlide:
        if time.monotonic() < self._retry_at:
            raise self._unreadable()
        try:
            handle = self._open()
        except (openslide.OpenSlideError, OSError) as error:
            self._wait_longer(str(error))
            raise self._unreadable() from error
        if handle.dimensions != self.dimensions or handle.level_count != len(self.levels):
            self._wait_longer("the file is not the one that was opened")
            raise self._unreadable()
        return handle

    def _failed(self, handle: openslide.OpenSlide, reason: str) -> None:
        with self._lock:
            if self._handle is handle:
                # Not closed here: another thread may be inside it. It goes with its last reader.
                self._handle = None
                self._wait_longer(reason)

    def _wait_longer(self, reason: str) -> None:
        self._reason = reason
        pause = (
            min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE) if self._failures else 0
        )
        self._retry_at = time.monotonic() + pause
        self._failures = min(self._failures + 1, 10)

    def _unreadable(self) -> SlideError:
        return SlideError(
            f"{self.path.name} cannot be read: {self._reason or 'the file failed'}; "
            "check that it is still in its place and undamaged."
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._handle = None


def _on_white(image: Image.Image) -> Rgb:
    """Return RGBA as RGB over white, in the quickest of the ways that were measured (0.07 ms of 256 x 256)."""
    width, height = image.size
    if not width * height:
        return np.empty((height, width, 3), np.uint8)
    alpha_is_high_byte = np.asarray(image).view("<u4")
    if alpha_is_high_byte.min() < 0xFF000000:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    opaque = bytearray(image.convert("RGB").tobytes())
    return np.frombuffer(opaque, np.uint8).reshape(height, width, 3)


def _mpp(properties: Mapping[str, str], vendor: str) -> float | None:
    sizes = [_number(properties.get(f"openslide.mpp-{axis}")) for axis in "xy"]
    known = [each for each in sizes if each]
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
