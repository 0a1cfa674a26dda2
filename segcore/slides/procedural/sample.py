"""The sample slide as files: painted in blocks by two threads, written as pyramids."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segcore.progress import Report, silent
from segcore.slides.procedural.ground import Labels
from segcore.slides.procedural.optics import STANDARD, Rgb, Stain
from segcore.slides.procedural.pyramid import (
    TILE,
    TiffFile,
    TiffLevel,
    encode_deflate,
    encode_jpeg,
    levels_of,
    written_aside,
)
from segcore.slides.procedural.scene import Scene, scene

MPP = 0.5
"""Micrometres per level-0 pixel of every procedural slide."""
SAMPLE_ROI = (2472, 3128, 2048, 1536)
"""(x, y, width, height) in level-0 pixels of the default sample slide: all tissue classes together."""
BLOCK = 4 * TILE
"""Side of what is painted at once; a multiple of TILE."""

Tiles = list[tuple[int, bytes]]
Painted = tuple[int, int, Rgb, Tiles, Tiles]
"""Left, top, the block at half size, then index and bytes of its slide and truth tiles."""


def paint_sample(
    seed: int,
    *,
    left: int,
    top: int,
    width: int,
    height: int,
    size: int = 8192,
    stain: Stain = STANDARD,
) -> tuple[Rgb, Labels]:
    """Paint a window of the section of `size` x `size` level-0 pixels (0.5 um each) that grows from `seed`.

    Returns (height, width, 3) pixels and (height, width) class codes: 1 tumor, 2 stroma, 3 lymphocyte,
    4 necrosis, 5 other. The same place has the same pixels whichever window shows it; beside the section
    is glass. `stain` changes colours and sharpness only; see `draw_stain`.
    """
    return scene(seed, size).paint(left=left, top=top, width=width, height=height, stain=stain)


def make_sample_slide(
    path: Path, truth: Path, *, size: int = 8192, seed: int = 42, report: Report = silent
) -> None:
    """Write the sample slide (pyramidal JPEG TIFF, 0.5 um per pixel) and its truth, a label TIFF.

    Neither file appears unless both are whole. Raises SlideError where they cannot be written.
    """
    report(0.0, "Growing the tissue")
    section = scene(seed, size)
    with written_aside(truth) as truth_stream, written_aside(path) as slide_stream:
        labels = TiffLevel(size, mpp=MPP, colour=False, reduced=False)
        truth_file, slide_file = TiffFile(truth_stream), TiffFile(slide_stream)
        sides = levels_of(size)
        levels = [
            TiffLevel(side, mpp=MPP * 2**k, colour=True, reduced=k > 0)
            for k, side in enumerate(sides)
        ]
        half = np.empty(((size + 1) // 2, (size + 1) // 2, 3), np.uint8)
        for done, block in _blocks(section, size):
            left, top, small, slide_tiles, truth_tiles = block
            half[top // 2 :, left // 2 :][: small.shape[0], : small.shape[1]] = small
            for index, tile in slide_tiles:
                slide_file.put(levels[0], index, tile)
            for index, tile in truth_tiles:
                truth_file.put(labels, index, tile)
            report(0.02 + 0.93 * done, "Painting the sample slide")
        _write_reduced(slide_file, levels[1:], half)
        slide_file.finish(levels)
        truth_file.finish([labels])
        truth_stream.flush()  # a full disk shows here, before either file is moved into place
        report(1.0, "Sample slide written")


def _blocks(section: Scene, size: int) -> Iterator[tuple[float, Painted]]:
    """Yield the share done and each painted block, in order; two threads, at most four blocks in hand."""
    corners = [(x, y) for y in range(0, size, BLOCK) for x in range(0, size, BLOCK)]
    with ThreadPoolExecutor(2) as pool:
        waiting: list[Future[Painted]] = []
        try:
            for n in range(len(corners) + 3):
                if n < len(corners):
                    waiting.append(pool.submit(_paint_block, section, *corners[n], size))
                if n >= 3:
                    yield (n - 2) / len(corners), waiting.pop(0).result()
        finally:
            for each in waiting:
                each.cancel()


def _paint_block(section: Scene, left: int, top: int, size: int) -> Painted:
    width, height = min(BLOCK, size - left), min(BLOCK, size - top)
    rgb, labels = section.paint(left=left, top=top, width=width, height=height)
    across = -(-size // TILE)
    slide_tiles = [(i, encode_jpeg(tile)) for i, tile in _cut(rgb, left, top, across)]
    truth_tiles = [(i, encode_deflate(tile)) for i, tile in _cut(labels, left, top, across)]
    return left, top, _halved(rgb), slide_tiles, truth_tiles


def _cut(
    block: npt.NDArray[np.uint8], left: int, top: int, across: int
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield index and pixels of the tiles of a block; tiles over the border repeat its last pixels."""
    pad = [(0, -block.shape[0] % TILE), (0, -block.shape[1] % TILE), (0, 0)][: block.ndim]
    block = np.pad(block, pad, "edge")
    for y in range(0, block.shape[0], TILE):
        for x in range(0, block.shape[1], TILE):
            index = (top + y) // TILE * across + (left + x) // TILE
            yield index, np.ascontiguousarray(block[y : y + TILE, x : x + TILE])


def _halved(rgb: Rgb) -> Rgb:
    """Return the mean of every 2 x 2 pixels; an odd last row or column counts twice."""
    rgb = np.pad(rgb, [(0, rgb.shape[0] % 2), (0, rgb.shape[1] % 2), (0, 0)], "edge")
    wide = rgb.astype(np.uint16)
    total = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
    return ((total + 2) // 4).astype(np.uint8)


def _write_reduced(file: TiffFile, levels: list[TiffLevel], picture: Rgb) -> None:
    for level in levels:
        for index, tile in _cut(picture, 0, 0, level.across):
            file.put(level, index, encode_jpeg(tile))
        picture = _halved(picture)
