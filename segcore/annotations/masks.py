"""Masks as OME-TIFF: tiled, with a pyramid, in the frame of the whole slide, never whole in memory."""

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from defusedxml import ElementTree

from segcore.annotations.atomic import replacing
from segcore.annotations.labelmap import LabelMap, Labels
from segcore.annotations.taxonomy import Taxonomy
from segcore.errors import AnnotationError, ExportError
from segcore.slides.base import Slide
from segcore.slides.pixelsize import mpp_from_description, mpp_from_tags

TILE = 512
_COARSEST = 512
_MOST_BYTES = 4 << 30
_EMPTY = zlib.compress(bytes(TILE * TILE))


def write_mask(
    path: str | Path, labels: LabelMap | Sequence[LabelMap], slide: Slide, taxonomy: Taxonomy
) -> None:
    """Write `labels` into a mask of the whole slide, 0 where there are none: one pixel per mask-grid pixel.

    Several label maps lie on one grid; where they overlap the later one's classes win. The size is
    ceil(slide size / scale), the values are class codes; coarser levels (SubIFDs) hold the most frequent of
    four. Class names, mpp and scale stand in the OME-XML. Raises ExportError.
    """
    path = Path(path)
    maps = [labels] if isinstance(labels, LabelMap) else list(labels)
    scale, mpp = maps[0].scale, maps[0].mpp
    if any((each.scale, each.mpp) != (scale, mpp) for each in maps):
        raise ExportError(
            f"{path.name} cannot hold masks of different pixel sizes; write one file for each."
        )
    with replacing(path) as temporary, temporary.open("wb") as file:
        write_levels(file, maps, slide, taxonomy)


def write_levels(
    stream: BinaryIO, maps: Sequence[LabelMap], slide: Slide, taxonomy: Taxonomy
) -> None:
    """Write label maps of one grid as `write_mask` does."""
    scale, mpp = maps[0].scale, maps[0].mpp
    width, height = (math.ceil(side / scale) for side in slide.dimensions)
    level = _Level([_Part.cut(each, width, height) for each in maps], width, height)
    halvings = max(0, math.ceil(math.log2(max(width, height) / _COARSEST)))
    with tifffile.TiffWriter(stream, ome=True) as file:
        for depth in range(halvings + 1):
            file.write(
                level.tiles(),
                shape=(level.height, level.width),
                dtype=np.uint8,
                subifds=0 if depth else halvings,
                subfiletype=int(depth > 0),
                tile=(TILE, TILE),
                compression="zlib",
                photometric="minisblack",
                resolution=(1e4 / (mpp * 2**depth),) * 2,
                resolutionunit="CENTIMETER",
                metadata=None if depth else _metadata(maps[0], taxonomy),
            )
            level = level.halved()


def _metadata(labels: LabelMap, taxonomy: Taxonomy) -> dict[str, Any]:
    classes = {f"class {each.code}": each.name for each in taxonomy.classes}
    frame = {"acinus.scale": repr(labels.scale), "acinus.mpp": repr(labels.mpp)}
    return {
        "axes": "YX",
        "Name": "mask",
        "PhysicalSizeX": labels.mpp,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": labels.mpp,
        "PhysicalSizeYUnit": "µm",
        "Channel": {"Name": "class"},
        "MapAnnotation": {
            **frame,
            "acinus.taxonomy": taxonomy.name,
            "class 0": "unlabelled",
            **classes,
        },
    }


@dataclass(frozen=True, eq=False)
class _Part:
    """Labels at (column, row) of an otherwise empty level."""

    labels: Labels
    column: int
    row: int

    @classmethod
    def cut(cls, whole: LabelMap, width: int, height: int) -> "_Part":
        """Return what of a label map lies within (width, height)."""
        top, left = max(-whole.row, 0), max(-whole.column, 0)
        labels = whole.labels[top : max(height - whole.row, 0), left : max(width - whole.column, 0)]
        return cls(labels, max(whole.column, 0), max(whole.row, 0))

    def paint(self, tile: Labels, left: int, top: int) -> None:
        """Lay the labels over the tile whose corner is (left, top)."""
        row, column = top - self.row, left - self.column
        part = self.labels[max(row, 0) : row + TILE, max(column, 0) : column + TILE]
        under = tile[max(-row, 0) :, max(-column, 0) :][: part.shape[0], : part.shape[1]]
        np.copyto(under, part, where=part > 0)

    def touches(self, left: int, top: int) -> bool:
        height, width = self.labels.shape
        row, column = top - self.row, left - self.column
        return -TILE < row < height and -TILE < column < width

    def halved(self) -> "_Part":
        """Return the next level, each pixel the most frequent of four, the upper left where all differ."""
        ahead = (self.row % 2, self.column % 2)
        sizes = zip(ahead, self.labels.shape, strict=True)
        labels = np.pad(self.labels, [(before, (size + before) % 2) for before, size in sizes])
        a, b, c, d = labels[::2, ::2], labels[::2, 1::2], labels[1::2, ::2], labels[1::2, 1::2]
        first = (a == b) | (a == c) | (a == d) | ~((b == c) | (b == d) | (c == d))
        most = np.where(first, a, np.where((b == c) | (b == d), b, c))
        return _Part(most, self.column // 2, self.row // 2)


@dataclass(frozen=True, eq=False)
class _Level:
    """One level of the pyramid."""

    parts: list[_Part]
    width: int
    height: int

    def tiles(self) -> Iterator[bytes]:
        """Yield the compressed tiles, row by row; most are the same empty one."""
        for top in range(0, self.height, TILE):
            for left in range(0, self.width, TILE):
                yield self._tile(left, top)

    def _tile(self, left: int, top: int) -> bytes:
        touching = [each for each in self.parts if each.touches(left, top)]
        if not touching:
            return _EMPTY
        tile = np.zeros((TILE, TILE), np.uint8)
        for each in touching:
            each.paint(tile, left, top)
        return zlib.compress(tile.tobytes(), 6) if tile.any() else _EMPTY

    def halved(self) -> "_Level":
        halves = [each.halved() for each in self.parts]
        return _Level(halves, -(-self.width // 2), -(-self.height // 2))


def read_mask(path: str | Path, *, slide: Slide | None = None) -> LabelMap:
    """Read the labelled part of a mask image (TIFF of class codes, one channel, 8 bits).

    The scale is the one that the file names (ours do), else that of `slide` divided by the mask's width.
    Raises AnnotationError, also where neither tells the scale or the pixel size.
    """
    path = Path(path)
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            _check(path, page)
            labels, column, row = _labelled_part(page)
            scale, mpp = _frame(path, page, slide)
    except AnnotationError:
        raise
    except Exception as error:  # a damaged TIFF raises almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise AnnotationError(
            f"{path.name} cannot be read as a mask: {reason}; choose a mask.ome.tif."
        ) from error
    return LabelMap(labels, column, row, scale, mpp)


def _check(path: Path, page: Any) -> None:
    if page.dtype != np.uint8 or page.samplesperpixel != 1:
        kind = f"{page.samplesperpixel} channels of {page.dtype}"
        raise AnnotationError(
            f"{path.name} is no mask: it has {kind}; choose one with a class code per pixel."
        )


def _labelled_part(page: Any) -> tuple[Labels, int, int]:
    """Return the labels in the bounding box of what is not 0, and its column and row."""
    tiles = dict(_labelled_tiles(page))
    if not tiles:
        return np.zeros((0, 0), np.uint8), 0, 0
    top, left = (min(place[axis] for place in tiles) for axis in (0, 1))
    bottom = max(row + tile.shape[0] for (row, _), tile in tiles.items())
    right = max(column + tile.shape[1] for (_, column), tile in tiles.items())
    if (bottom - top) * (right - left) > _MOST_BYTES:
        raise ValueError("the labelled part is too large for the memory")
    labels = np.zeros((bottom - top, right - left), np.uint8)
    for (row, column), tile in tiles.items():
        height, width = tile.shape
        labels[row - top : row - top + height, column - left : column - left + width] = tile
    tight, column, row = trimmed(labels)
    return tight, left + column, top + row


def trimmed(labels: Labels) -> tuple[Labels, int, int]:
    """Return the bounding box of what is not 0, and its column and row."""
    rows, columns = (np.flatnonzero(labels.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((0, 0), np.uint8), 0, 0
    tight = labels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(tight), int(columns[0]), int(rows[0])


def _labelled_tiles(page: Any) -> Iterator[tuple[tuple[int, int], Labels]]:
    """Yield (row, column) and the labels of each tile or strip that is not all 0."""
    empty: set[bytes] = set()  # an empty tile is met thousands of times: decode it once
    file = page.parent.filehandle
    for index, (offset, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        if not size:
            continue
        file.seek(offset)
        data = file.read(size)
        if data in empty:
            continue
        tile, place, shape = page.decode(data, index)
        labels = tile[0, : shape[1], : shape[2], 0]
        if labels.any():
            yield (place[2], place[3]), labels
        elif size < 4096:
            empty.add(data)


def _frame(path: Path, page: Any, slide: Slide | None) -> tuple[float, float]:
    """Return scale and mpp."""
    own = _own_values(page.description)
    tags = {tag.code: tag.value for tag in page.tags}
    told = mpp_from_description(page.description) or mpp_from_tags(tags)
    return scale_and_mpp(path, own, page.imagewidth, told, slide)


def scale_and_mpp(
    path: Path, own: Mapping[str, float], width: int, told: float | None, slide: Slide | None
) -> tuple[float, float]:
    """Return level-0 pixels and micrometres per mask pixel.

    `own` is what we wrote into the file, `told` the mpp that the file gives otherwise. Raises AnnotationError.
    """
    scale = own.get("acinus.scale") or (slide and slide.dimensions[0] / width)
    if not scale:
        raise AnnotationError(
            f"{path.name} does not say how large its pixels are beside those of the slide; name the slide too."
        )
    mpp = own.get("acinus.mpp") or told or (slide and slide.mpp and slide.mpp * scale)
    if not mpp:
        raise AnnotationError(
            f"{path.name} does not say its pixel size; set one for the slide first."
        )
    if not (math.isfinite(scale) and math.isfinite(mpp) and scale > 0 and mpp > 0):
        raise AnnotationError(f"{path.name} gives a pixel size that is none; export it again.")
    return float(scale), float(mpp)


def _own_values(description: str) -> dict[str, float]:
    """Return the numbers that we wrote into the OME-XML."""
    if "acinus." not in description:
        return {}
    root = ElementTree.fromstring(description)
    values = {each.get("K"): each.text for each in root.iter() if each.tag.endswith("}M")}
    numbers = {key: values.get(key) for key in ("acinus.scale", "acinus.mpp")}
    return {key: float(number) for key, number in numbers.items() if number}
