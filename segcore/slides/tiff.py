"""TIFFs that OpenSlide does not read, or reads without their levels: OME-TIFF, unusual tiles, strips."""

import logging
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from segcore.errors import SlideError
from segcore.slides.base import Level, Rgb, Slide
from segcore.slides.pixelsize import mpp_from_tags
from segcore.slides.raster import bits_of
from segcore.slides.reopening import Reopening, Unusable
from segcore.slides.tiff_segments import Segment, Segments

CACHE_BYTES = 64 << 20
_MOST_ASSOCIATED = 64_000_000
_PROBED = 16
_ICC_PROFILE = 34675

# What it says of damaged tags is for its developers; we say one sentence where it matters.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


class TiffSlide(Slide):
    """The largest picture of a TIFF, read tile by tile; its levels are sub-directories or pages.

    Of a stack of planes or channels the first is shown.
    """

    def __init__(self, path: Path, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Open; raises SlideError where the file is no TIFF or its tiles cannot be decoded."""
        self.path = path
        self._size = path.stat().st_size
        self._file = Reopening(path.name, self._open)
        self._cache = _SegmentCache(cache_bytes)
        self._bits = 8
        try:
            self._describe()
        except SlideError:
            self.close()
            raise
        except Exception as error:
            self.close()
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise SlideError(
                f"{path.name} cannot be opened: it is damaged or of an unknown kind ({reason}); "
                "copy or export it again."
            ) from error

    def _open(self) -> "_File":
        file = _File(self.path.open("rb"))
        if file.size != self._size:
            raise Unusable("the file is not the one that was opened")
        return file

    def _describe(self) -> None:
        import tifffile  # noqa: PLC0415 - 0.1 s, needed by few files

        # Other files that this one names stay closed.
        with tifffile.TiffFile(self.path, _multifile=False) as file:
            series = list(file.series)
            main = max(
                series, key=lambda each: each.keyframe.imagewidth * each.keyframe.imagelength
            )
            pages = [level.keyframe for level in main.levels]
            tags = {tag.code: tag.value for tag in pages[0].tags}
            if file.ome_metadata:
                tags[270] = _part_of_ome(file.ome_metadata, series.index(main))
            self._others = {
                name: each.keyframe for each in series if each is not main if (name := _role(each))
            }
            planes = len(main.pages)
        self._take_levels(pages)
        self.mpp = mpp_from_tags(tags | {296: int(tags.get(296, 2))})
        self.magnification = None
        kind = "ome-tiff" if "<OME" in str(tags.get(270)) else "tiff"
        self.vendor = kind if planes == 1 else f"{kind}, first of {planes} pictures"
        self.bounds = (0, 0, *self.dimensions)
        self.icc_profile = tags.get(_ICC_PROFILE) or None
        self.orientation = int(tags.get(274, 1))
        self.associated_names = tuple(self._others)
        self._bits = self._probe()

    def _take_levels(self, pages: list[Any]) -> None:
        width, height = pages[0].imagewidth, pages[0].imagelength
        levels, segments = [], []
        for page in pages:
            across, down = width / page.imagewidth, height / page.imagelength
            if abs(across - down) <= 0.05 * across and (
                not levels or across > levels[-1].downsample
            ):
                levels.append(Level(page.imagewidth, page.imagelength, (across + down) / 2))
                segments.append(Segments(self.path, page))
        self.levels, self._segments = tuple(levels), segments

    @property
    def tiled(self) -> bool:
        """Tell whether a region can be read without reading all that lies beside it."""
        return self._segments[0].tiled

    def _probe(self) -> int:
        """Decode something of the coarsest level; return how many bits its pixels have."""
        segments = self._segments[-1]
        every = max(1, segments.across * segments.down // _PROBED)
        found = [8]
        for index in range(0, segments.across * segments.down, every):
            segment = segments.at(index % segments.across, index // segments.across)
            if not segments.deep:
                self._tile(len(self.levels) - 1, index % segments.across, index // segments.across)
                break
            if all(segment.counts):
                pixels = segments.decode_deep(segment, self._bytes(segment))
                found.append(bits_of(self.path, pixels) if pixels.dtype.itemsize > 1 else 8)
        return max(found)

    def read(self, x: int, y: int, level: int, width: int, height: int) -> Rgb:
        grid, downsample = self._segments[level], self.levels[level].downsample
        left, top = round(x / downsample), round(y / downsample)
        canvas = np.full((height, width, 3), 255, np.uint8)
        right, bottom = min(left + width, grid.page_width), min(top + height, grid.page_height)
        for row in range(max(top, 0) // grid.height, -(-bottom // grid.height)):
            for column in range(max(left, 0) // grid.width, -(-right // grid.width)):
                tile = self._tile(level, column, row)
                at_x, at_y = column * grid.width, row * grid.height
                x0, y0 = max(left, at_x), max(top, at_y)
                x1, y1 = min(right, at_x + tile.shape[1]), min(bottom, at_y + tile.shape[0])
                canvas[y0 - top : y1 - top, x0 - left : x1 - left] = tile[
                    y0 - at_y : y1 - at_y, x0 - at_x : x1 - at_x
                ]
        return canvas

    def _tile(self, level: int, column: int, row: int) -> Rgb:
        key = (level, column, row)
        tile = self._cache.get(key)
        if tile is None:
            tile = self._decoded(self._segments[level], column, row)
            self._cache.put(key, tile)
        return tile

    def _decoded(self, segments: Segments, column: int, row: int) -> Rgb:
        segment = segments.at(column, row)
        if not all(segment.counts):  # a tile that was never written
            return np.full((segment.rows, segments.width, 3), 255, np.uint8)
        return segments.decode(segment, self._bytes(segment), bits=self._bits)

    def _bytes(self, segment: Segment) -> list[bytes]:
        file = self._file.get()
        try:
            parts = [
                file.read(*place) for place in zip(segment.offsets, segment.counts, strict=True)
            ]
        except OSError as error:
            raise self._file.failed(file, error.strerror or str(error)) from error
        self._file.succeeded()
        return parts

    def associated(self, name: str) -> Rgb:
        page = self._others.get(name)
        if page is None:
            return super().associated(name)
        segments = Segments(self.path, page)
        if segments.page_width * segments.page_height > _MOST_ASSOCIATED:
            raise SlideError(f"The picture {name!r} of {self.path.name} is too large to be shown.")
        rows = [
            np.hstack([self._decoded(segments, column, row) for column in range(segments.across)])
            for row in range(segments.down)
        ]
        return np.vstack(rows)[: segments.page_height, : segments.page_width]

    def close(self) -> None:
        self._file.close()
        self._cache.clear()


class _File:
    """An open file that any thread may read from; it is closed with its last reader."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = Lock()
        self.size = self._file.seek(0, 2)

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`; raises OSError where there are fewer."""
        if offset + count > self.size:
            raise OSError("a tile lies beyond its end")
        with self._lock:
            self._file.seek(offset)
            content = self._file.read(count)
        if len(content) < count:
            raise OSError("it has become shorter")
        return content

    def __del__(self) -> None:
        self._file.close()


class _SegmentCache:
    """The tiles used last, up to a budget in bytes, for any number of threads."""

    def __init__(self, budget: int) -> None:
        self._budget, self._bytes = budget, 0
        self._tiles: OrderedDict[tuple[int, int, int], Rgb] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[int, int, int]) -> Rgb | None:
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
            return self._tiles.get(key)

    def put(self, key: tuple[int, int, int], tile: Rgb) -> None:
        with self._lock:
            if key not in self._tiles:
                self._tiles[key] = tile
                self._bytes += tile.nbytes
            while self._bytes > self._budget and len(self._tiles) > 1:
                self._bytes -= self._tiles.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        with self._lock:
            self._tiles.clear()
            self._bytes = 0


def _role(series: Any) -> str | None:
    """Return "label", "macro" or "thumbnail" where the name of a series says that it is one."""
    name = str(series.name).lower()
    return next((role for role in ("label", "macro", "thumbnail") if role in name), None)


def _part_of_ome(text: str, index: int) -> str:
    """Return the beginning of the document and its image `index`: each has pixel sizes of its own."""
    head, *images = text.split("<Image ")
    return head + images[index] if index < len(images) else text
