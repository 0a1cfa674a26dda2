"""Writing tiled pyramidal TIFF from tiles that are already compressed.

tifffile refuses JPEG without imagecodecs (80 MB), even for tiles that come compressed; a TIFF of tiles is
a header, the tiles and a table for each level (TIFF 6.0, section 15; TIFF Technical Note 2 for JPEG).
"""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from segcore.errors import SlideError

TILE = 256
"""Side of a tile in pixels."""
SHORT, LONG, RATIONAL, ASCII = 3, 4, 5, 2
JPEG, DEFLATE = 7, 8

Tag = tuple[int, int, tuple[int, ...] | bytes]


def encode_jpeg(tile: npt.NDArray[np.uint8], *, quality: int = 88) -> bytes:
    """Return (TILE, TILE, 3) as a JPEG of its own, YCbCr with chroma halved in both directions."""
    stream = io.BytesIO()
    Image.fromarray(tile).save(stream, "JPEG", quality=quality, subsampling="4:2:0")
    return stream.getvalue()


def encode_deflate(tile: npt.NDArray[np.uint8]) -> bytes:
    return zlib.compress(tile.tobytes(), 6)


def levels_of(size: int) -> list[int]:
    """Return the side of each level: halves until at most 512 pixels."""
    sides = [size]
    while sides[-1] > 512:
        sides.append((sides[-1] + 1) // 2)
    return sides


class TiffLevel:
    """One square level of a pyramid and where its tiles lie in the file."""

    def __init__(self, side: int, *, mpp: float, colour: bool, reduced: bool) -> None:
        self.side, self.mpp, self.colour, self.reduced = side, mpp, colour, reduced
        self.across = -(-side // TILE)
        self.offsets = [0] * self.across**2
        self.lengths = [0] * self.across**2

    def tags(self) -> list[Tag]:
        """Return the level's table, in the rising order that TIFF asks for."""
        samples = 3 if self.colour else 1
        per_centimetre = (round(10000 / self.mpp * 1000), 1000)
        tags: list[Tag] = [
            (254, LONG, (int(self.reduced),)),
            (256, LONG, (self.side,)),
            (257, LONG, (self.side,)),
            (258, SHORT, (8,) * samples),
            (259, SHORT, (JPEG if self.colour else DEFLATE,)),
            (262, SHORT, (6 if self.colour else 1,)),
            (277, SHORT, (samples,)),
            (282, RATIONAL, per_centimetre),
            (283, RATIONAL, per_centimetre),
            (284, SHORT, (1,)),
            (296, SHORT, (3,)),
            (305, ASCII, b"Acinus sample slide\0"),
            (322, LONG, (TILE,)),
            (323, LONG, (TILE,)),
            (324, LONG, tuple(self.offsets)),
            (325, LONG, tuple(self.lengths)),
        ]
        if self.colour:
            tags += [(530, SHORT, (2, 2)), (531, SHORT, (1,))]
        return tags


class TiffFile:
    """A classic little-endian TIFF being written: tiles in any order, then the tables."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        stream.write(struct.pack("<2sHI", b"II", 42, 0))

    def put(self, level: TiffLevel, index: int, tile: bytes) -> None:
        """Write a compressed tile; `index` counts along rows."""
        level.offsets[index], level.lengths[index] = self.stream.tell(), len(tile)
        self.stream.write(tile)

    def finish(self, levels: list[TiffLevel]) -> None:
        link = 4
        for level in levels:
            self.stream.write(b"\0" * (self.stream.tell() % 2))
            start = self.stream.tell()
            self.stream.seek(link)
            self.stream.write(struct.pack("<I", start))
            self.stream.seek(start)
            link = self._table(level.tags(), start)

    def _table(self, tags: list[Tag], start: int) -> int:
        """Write one table; return where the offset of the next one belongs."""
        spill = start + 2 + 12 * len(tags) + 4
        table, extra = struct.pack("<H", len(tags)), b""
        for tag, kind, values in tags:
            data, count = _packed(kind, values)
            if len(data) > 4:
                where, extra = (
                    struct.pack("<I", spill + len(extra)),
                    extra + data + b"\0" * (len(data) % 2),
                )
            else:
                where = data.ljust(4, b"\0")
            table += struct.pack("<HHI", tag, kind, count) + where
        self.stream.write(table + b"\0\0\0\0" + extra)
        return spill - 4


def _packed(kind: int, values: tuple[int, ...] | bytes) -> tuple[bytes, int]:
    if isinstance(values, bytes):
        return values, len(values)
    code = "H" if kind == SHORT else "I"
    return struct.pack(f"<{len(values)}{code}", *values), len(values) // (
        2 if kind == RATIONAL else 1
    )


@contextmanager
def written_aside(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its place when the block ends well, and goes when it does not.

    Raises SlideError where the disk refuses.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError as error:
        raise SlideError(
            f"The sample slide could not be written to {path}: {error.strerror or error}. "
            "Free some space or choose another folder."
        ) from error
    finally:
        aside.unlink(missing_ok=True)
