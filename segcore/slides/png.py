"""PNG row by row: Pillow holds the whole picture, which one of gigapixels does not allow."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from segcore.errors import SlideError
from segcore.slides.base import Rgb
from segcore.slides.pixelsize import mpp_from_resolution
from segcore.slides.raster import rgb_of
from segcore.slides.rows import BAND, RowSource

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGB_ALPHA: 4}
_DEPTHS = {_GREY: {1, 2, 4, 8, 16}, _PALETTE: {1, 2, 4, 8}}
_PIECE = 1 << 20


class PngRows(RowSource):
    """The rows of a PNG ("Portable Network Graphics Specification", third edition)."""

    def __init__(self, path: Path) -> None:
        """Read what comes before the pixels; raises SlideError where that is damaged or interlaced."""
        self.path, self.vendor = path, "png"
        found = dict(_chunks_before_pixels(path))
        header = found.get(b"IHDR", b"")
        if len(header) != 13:
            raise _damaged(path, "it has no header")
        self.width, self.height, self._depth, self._kind, _, _, interlaced = struct.unpack(
            ">IIBBBBB", header
        )
        sound = self._kind in _CHANNELS and self._depth in _DEPTHS.get(self._kind, {8, 16})
        if not sound or not self.width * self.height:
            raise _damaged(path, "its header makes no sense")
        if interlaced:
            raise SlideError(
                f"{path.name} cannot be opened: it is too large to be read interlaced; "
                "save it without interlacing, or convert it to a tiled pyramidal TIFF."
            )
        self._palette = found.get(b"PLTE", b"\0\0\0")
        self._transparency = found.get(b"tRNS", b"")
        self.mpp = _mpp(found.get(b"pHYs", b""))
        self.icc_profile = _profile(found.get(b"iCCP", b""))

    def bands(self) -> Iterator[Rgb]:
        from segcore.slides.png_filters import unfilter  # noqa: PLC0415 - compiles when imported

        bits = _CHANNELS[self._kind] * self._depth
        stride = -(-self.width * bits // 8)
        pixels, above = _Inflated(self.path), np.zeros(stride, np.uint8)
        for top in range(0, self.height, BAND):
            rows = min(BAND, self.height - top)
            content = pixels.read(rows * (1 + stride))
            band = np.frombuffer(bytearray(content), np.uint8).reshape(rows, 1 + stride)
            if band[:, 0].max() > 4:
                raise _damaged(self.path, "a row has no known filter")
            unfilter(band, above, max(1, bits // 8))
            above = band[-1, 1:].copy()
            if (self._kind, self._depth, self._transparency) == (_RGB, 8, b""):  # the usual case
                yield band[:, 1:].reshape(rows, self.width, 3)
            else:
                yield rgb_of(self.path, self._image(band[:, 1:]))

    def _image(self, rows: npt.NDArray[np.uint8]) -> Image.Image:
        """Return rows of bytes as a picture; of 16 bits the upper 8 are kept."""
        channels = _CHANNELS[self._kind]
        samples = _samples(rows, self._depth)[:, : self.width * channels]
        if self._kind == _GREY and self._depth < 8:
            samples = samples * np.uint8(255 // (2**self._depth - 1))
        shape = (len(rows), self.width) if channels == 1 else (len(rows), self.width, channels)
        image = Image.fromarray(np.ascontiguousarray(samples).reshape(shape))
        if self._kind == _PALETTE:
            image.putpalette(self._palette)
        if self._transparency:
            image.info["transparency"] = self._transparent_colour()
        return image

    def _transparent_colour(self) -> bytes | int | tuple[int, ...]:
        """Return the tRNS chunk as Pillow wants it: alphas of the palette, or the colour that is clear."""
        if self._kind == _PALETTE:
            return self._transparency
        values = struct.unpack(f">{len(self._transparency) // 2}H", self._transparency)
        if self._depth == 16:
            values = tuple(each >> 8 for each in values)
        elif self._depth < 8:
            values = tuple(each * 255 // (2**self._depth - 1) for each in values)
        return values[0] if self._kind == _GREY else values


def _samples(rows: npt.NDArray[np.uint8], depth: int) -> npt.NDArray[np.uint8]:
    """Return the samples of rows of bytes, one to a byte."""
    if depth == 16:
        return rows[:, ::2]
    if depth == 8:
        return rows
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    parts = (rows[..., np.newaxis] >> shifts) & np.uint8(2**depth - 1)
    return parts.reshape(len(rows), -1)


class _Inflated:
    """The pixel chunks of a PNG, unpacked as they are read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces = _pixel_pieces(path)
        self._inflate = zlib.decompressobj()

    def read(self, count: int) -> bytes:
        """Return `count` bytes; raises SlideError where there are fewer."""
        parts = []
        while count:
            packed = self._inflate.unconsumed_tail or next(self._pieces, b"")
            try:
                part = self._inflate.decompress(packed, count)
            except zlib.error as error:
                raise _damaged(self._path, str(error)) from error
            if not packed and not part:
                raise _damaged(self._path, "it is cut off")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _chunks_before_pixels(path: Path) -> Iterator[tuple[bytes, bytes]]:
    with path.open("rb") as file:
        for kind, length in _chunks(file):
            if kind == b"IDAT":
                return
            if length > _PIECE:
                file.seek(length, 1)
            else:
                yield kind, file.read(length)


def _pixel_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for kind, length in _chunks(file):
            while kind == b"IDAT" and length > 0:
                piece = file.read(min(length, _PIECE))
                if not piece:
                    return
                length -= len(piece)  # noqa: PLW2901 - counts down
                yield piece
            if kind != b"IDAT":
                file.seek(length, 1)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Give (kind, length) of each chunk, the file standing at its content; the caller moves to its end."""
    file.seek(len(SIGNATURE))
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        yield kind, length
        file.seek(4, 1)  # the checksum; the pixels have one of their own


def _damaged(path: Path, reason: str) -> SlideError:
    return SlideError(
        f"{path.name} cannot be opened: it is damaged ({reason}); copy or export it again."
    )


def _mpp(chunk: bytes) -> float | None:
    if len(chunk) != 9 or chunk[8] != 1:
        return None
    across, down, _ = struct.unpack(">IIB", chunk)
    return mpp_from_resolution(across / 100, down / 100, 3)


def _profile(chunk: bytes) -> bytes | None:
    packed = chunk.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, 16 << 20) or None if packed else None
    except zlib.error:
        return None  # colours are shown as they are stored
