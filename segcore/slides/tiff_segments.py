"""The tiles or strips of one TIFF page, and how one is decoded.

Considered: imagecodecs behind tifffile, which knows every compression; it unpacks to 82 MB. Pillow brings
libtiff, libjpeg and OpenJPEG anyway, so a tile of 8 bits is given to it as a TIFF of one strip.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from segcore.errors import SlideError
from segcore.slides.base import Rgb
from segcore.slides.raster import rgb_of, to_rgb

MOST_BYTES = 256 << 20
"""A larger segment is not decoded: a tile is one megabyte, a strip a few."""
_ROWS = 256
_UNCOMPRESSED, _OLD_JPEG = 1, 6
_JPEG2000, _YCBCR_JPEG2000 = {33003, 33004, 33005, 34712}, 33003
_SEPARATE = 2
_COPIED = (258, 259, 262, 266, 277, 284, 317, 320, 338, 339, 347, 530)
"""Tags that say how a segment is decoded: all but sizes and places."""
_SHORT, _LONG, _UNDEFINED = 3, 4, 7


@dataclass(frozen=True)
class Segment:
    """Where one tile or strip lies in the file, one part for each plane, and its rows of pixels."""

    indices: tuple[int, ...]
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    rows: int


class Segments:
    """One page as a grid of segments of `width` x `height`; those of the last column and row may be cut."""

    def __init__(self, path: Path, page: Any) -> None:
        """Take a tifffile page; raises SlideError where its segments cannot be decoded one by one."""
        self._path, self._page = path, page
        self.page_width, self.page_height = int(page.imagewidth), int(page.imagelength)
        self.tiled = bool(page.is_tiled)
        self.width = int(page.tilewidth) if self.tiled else self.page_width
        rows = int(page.tilelength if self.tiled else page.rowsperstrip or self.page_height)
        self._stored = rows if self.tiled else min(rows, self.page_height)
        # Uncompressed strips, which may hold the whole picture, are cut where it suits us.
        split = page.compression == _UNCOMPRESSED and page.bitspersample in {1, 8, 16}
        self._split = split and not self.tiled and page.planarconfig != _SEPARATE
        self.height = min(_ROWS, self._stored) if self._split else self._stored
        self._check()
        self._parts = -(-self._stored // self.height)
        self.across = -(-self.page_width // self.width)
        self.down = -(-self.page_height // self._stored) * self._parts
        self._planes = page.samplesperpixel if page.planarconfig == _SEPARATE else 1
        if min(len(page.dataoffsets), len(page.databytecounts)) < self._per_plane * self._planes:
            raise self._refused("its list of tiles is incomplete")

    @property
    def _per_plane(self) -> int:
        return self.across * self.down // self._parts

    def _check(self) -> None:
        page = self._page
        size = self.width * self.height * page.samplesperpixel * max(page.bitspersample, 8) // 8
        if page.compression == _OLD_JPEG:
            raise self._refused("its tiles are JPEGs of the old kind")
        if min(self.width, self.height) < 1 or page.imagedepth != 1:
            raise self._refused("its sizes make no sense")
        if size > MOST_BYTES:
            raise self._refused("its strips are too large to be read one by one")

    def _refused(self, reason: str) -> SlideError:
        return SlideError(
            f"{self._path.name} cannot be opened: {reason}; convert it to a tiled pyramidal TIFF."
        )

    def at(self, column: int, row: int) -> Segment:
        """Return the segment at (column, row) of the grid."""
        page = self._page
        stored, part = divmod(row, self._parts)
        index = stored * self.across + column
        rows = self._stored
        if not self.tiled:
            rows = min(rows, self.page_height - stored * rows)
        if self._split:
            stride = -(-self.width * page.samplesperpixel * page.bitspersample // 8)
            skipped = part * self.height
            rows = max(0, min(self.height, rows - skipped))
            return Segment(
                (index,), (page.dataoffsets[index] + skipped * stride,), (rows * stride,), rows
            )
        indices = tuple(index + plane * self._per_plane for plane in range(self._planes))
        offsets = tuple(page.dataoffsets[each] for each in indices)
        return Segment(indices, offsets, tuple(page.databytecounts[each] for each in indices), rows)

    def decode(self, segment: Segment, parts: Sequence[bytes], *, bits: int) -> Rgb:
        """Return (rows, width, 3) of `segment` from its bytes; deep pixels are said to have `bits`.

        Raises SlideError where the bytes are damaged.
        """
        try:
            if self.deep:
                return to_rgb(self._path, self.decode_deep(segment, parts), bits=bits)
            if self._page.compression in _JPEG2000:
                return self._jpeg2000(parts[0])[: segment.rows]
            content = one_strip_tiff(self._tags, parts, width=self.width, rows=segment.rows)
            with Image.open(BytesIO(content), formats=("TIFF",)) as image:
                return rgb_of(self._path, image)
        except SlideError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise SlideError(
                f"{self._path.name} cannot be read: a tile is damaged ({reason}); copy or export it again."
            ) from error

    @property
    def deep(self) -> bool:
        """Tell whether the pixels have more bits or channels than Pillow shows."""
        return self._page.bitspersample > 8 or self._page.samplesperpixel > 4

    @cached_property
    def _tags(self) -> dict[int, Any]:
        tags = {tag.code: tag.value for tag in self._page.tags if tag.code in _COPIED}
        return {code: value for code, value in tags.items() if value is not None}

    def _jpeg2000(self, codestream: bytes) -> Rgb:
        with Image.open(BytesIO(codestream), formats=("JPEG2000",)) as image:
            is_ycbcr = self._page.compression == _YCBCR_JPEG2000 and image.mode == "RGB"
            return rgb_of(self._path, Image.merge("YCbCr", image.split()) if is_ycbcr else image)

    def decode_deep(self, segment: Segment, parts: Sequence[bytes]) -> npt.NDArray[np.generic]:
        """Return (rows, width, channels) as stored; raises whatever tifffile raises."""
        page, shape = self._page, (segment.rows, self.width, -1)
        if self._split:
            stored = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
            pixels = np.frombuffer(parts[0], stored).reshape(shape)
        else:
            decoded = (
                page.decode(part, index, _fullsize=True)[0]
                for index, part in zip(segment.indices, parts, strict=True)
            )
            pixels = np.concatenate([each[0, : segment.rows] for each in decoded], axis=2)
        is_inverted = page.photometric == 0 and pixels.dtype.kind == "u"
        return np.iinfo(pixels.dtype).max - pixels if is_inverted else pixels


def one_strip_tiff(
    tags: Mapping[int, Any], parts: Sequence[bytes], *, width: int, rows: int
) -> bytes:
    """Return a TIFF of one strip, or of one for each plane, whose compressed bytes are `parts`.

    `tags` say how they are compressed; their values are numbers, sequences of numbers, or bytes.
    """
    entries = {code: _entry(value) for code, value in tags.items()}
    entries |= {code: (_LONG, (value,)) for code, value in ((256, width), (257, rows), (278, rows))}
    counts = tuple(len(part) for part in parts)
    entries |= {273: (_LONG, counts), 279: (_LONG, counts)}  # offsets are as long, and follow
    start = 14 + sum(12 + len(_padded(_packed(*each))) for each in entries.values())
    entries[273] = (_LONG, tuple(start + sum(counts[:n]) for n in range(len(counts))))
    directory, values = struct.pack("<H", len(entries)), b""
    place = 14 + 12 * len(entries)
    for code, (kind, numbers) in sorted(entries.items()):
        packed = _packed(kind, numbers)
        outside = _padded(packed)
        inline = struct.pack("<I", place + len(values)) if outside else packed.ljust(4, b"\0")
        directory += struct.pack("<HHI", code, kind, len(numbers)) + inline
        values += outside
    return b"II*\0\x08\0\0\0" + directory + bytes(4) + values + b"".join(parts)


def _entry(value: Any) -> tuple[int, Sequence[int]]:
    if isinstance(value, bytes):
        return _UNDEFINED, value
    return _SHORT, tuple(int(each) for each in value) if np.iterable(value) else (int(value),)


def _packed(kind: int, numbers: Sequence[int]) -> bytes:
    letter = {_SHORT: "H", _LONG: "I", _UNDEFINED: "B"}[kind]
    return struct.pack(f"<{len(numbers)}{letter}", *numbers)


def _padded(packed: bytes) -> bytes:
    """Return what lies outside the directory: nothing up to 4 bytes, an even number otherwise."""
    return b"" if len(packed) <= 4 else packed + bytes(len(packed) % 2)
