"""Slides and pictures with damaged headers and cut-off ends, made from a seed."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from segcore.slides.preflight import ADDRESS_BYTES

REAL = (
    "CMU-1-Small-Region.svs",
    "camelyon-jpeg.dcm",
    "tcga-cr-7395.svs",
    "test3-DAPI-2-(387).ndpi",
    "odd/boxes_0.dcm",
    "odd/small.svs",
    "odd/ojpeg-tile.tif",
    "odd/multi-channel-z-series.ome.tif",
    "odd/issue412.jp2",
)
_EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

CHILD = """
import json, sys, time
from pathlib import Path
from segcore.errors import SlideError
from segcore.slides.base import Slide
from segcore.slides.opening import find_reader
from segcore.slides.preflight import limit_resources, read_every_level

limit_resources(address_bytes=int(sys.argv[1]), cpu_seconds=None)
for path in map(Path, sys.argv[2:]):
    start, sentence = time.process_time(), ""
    try:
        found = find_reader(path)
        if isinstance(found, Slide):
            read_every_level(found)
            found.thumbnail(128)
    except SlideError as error:
        sentence = str(error)
    except MemoryError:
        sentence = f"{path.name} needs too much memory."
    print(json.dumps([path.name, time.process_time() - start, sentence]), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """What came of opening one damaged file; `died` where it took the child process with it."""

    name: str
    seconds: float
    sentence: str
    died: bool = False


def open_in_child(paths: Sequence[Path]) -> list[Answer]:
    """Open files as the preflight does and draw their overviews, all in one child while it lives."""
    answers: list[Answer] = []
    while len(answers) < len(paths):
        rest = [str(path) for path in paths[len(answers) :]]
        command = [sys.executable, "-c", CHILD, str(ADDRESS_BYTES), *rest]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        answers += [Answer(*json.loads(line)) for line in ended.stdout.splitlines()]
        if ended.returncode:
            answers.append(Answer(paths[len(answers)].name, 0.0, ended.stderr[-300:], died=True))
    return answers


def generated() -> dict[str, bytes]:
    """Return small files of every kind that we read, name: content."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(90, 250, (24, 32, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    pyramid = {"tile": (128, 128), "photometric": "rgb", "compression": "zlib"}
    strips = {"rowsperstrip": 40, "photometric": "rgb"}
    files = {
        "pyramid.tif": _tiff(pixels, levels=3, metadata=None, **pyramid),
        "big.tif": _tiff(pixels, levels=2, metadata=None, bigtiff=True, **pyramid),
        "ome.ome.tif": _tiff(pixels, levels=2, metadata={"axes": "YXS"}, sub=True, **pyramid),
        "motorola.tif": _tiff(pixels, metadata=None, byteorder=">", **pyramid),
        "strips.tif": _tiff(pixels, metadata=None, **strips),
        "deep.tif": _tiff(pixels[..., 0].astype(np.uint16) * 200, metadata=None, tile=(64, 64)),
        "planes.tif": _tiff(
            np.moveaxis(pixels, -1, 0), metadata=None, planarconfig="separate", **pyramid
        ),
    }
    image = Image.fromarray(pixels)
    for name, kind, options in (
        ("a.png", "PNG", {}),
        ("a.jpg", "JPEG", {}),
        ("a.jp2", "JPEG2000", {}),
        ("a.bmp", "BMP", {}),
        ("jpeg.tif", "TIFF", {"compression": "jpeg"}),
        ("lzw.tif", "TIFF", {"compression": "tiff_lzw"}),
        ("zstd.tif", "TIFF", {"compression": "zstd"}),
    ):
        file = BytesIO()
        image.save(file, kind, **options)
        files[name] = file.getvalue()
    file = BytesIO()
    image.quantize(16).save(file, "PNG")
    return files | {"palette.png": file.getvalue()}


def _tiff(pixels: np.ndarray, *, levels: int = 1, sub: bool = False, **options: object) -> bytes:
    file = BytesIO()
    head = {name: options.pop(name) for name in ("bigtiff", "byteorder") if name in options}
    with tifffile.TiffWriter(file, **head) as writer:
        for level in range(levels):
            subifds = levels - 1 if sub and level == 0 else None
            writer.write(pixels, subfiletype=int(level > 0), subifds=subifds, **options)
            pixels = pixels[::2, ::2]
    return file.getvalue()


def real(shared_data: Path) -> dict[str, bytes]:
    """Return the small real slides, name: content."""
    folder = shared_data / "slides"
    return {Path(name).name: (folder / name).read_bytes() for name in REAL}


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return `content` with a few bytes of its headers changed, or with its end cut off, or both."""
    data = bytearray(content)
    kinds: tuple[Callable[[bytearray, int, np.random.Generator], None], ...] = (
        _random_byte,
        _flipped_bit,
        _extreme_value,
        _extreme_value,
        _blanked,
    )
    places = _hot_places(content)
    for _ in range(rng.integers(1, 5)):
        start = places[rng.integers(len(places))]
        at = min(len(data) - 1, max(0, start + int(rng.integers(0, 260))))
        kinds[rng.integers(len(kinds))](data, at, rng)
    if rng.random() < 0.25:
        del data[int(rng.integers(1, len(data))) :]
    return bytes(data)


def _hot_places(content: bytes) -> list[int]:
    """Return where headers are: the beginning, the end, and the directories of a TIFF."""
    places = [0, 0, max(0, len(content) - 260)]
    if content[:4] in {b"II*\0", b"MM\0*"}:
        order = "<" if content[:2] == b"II" else ">"
        places += [struct.unpack(f"{order}I", content[4:8])[0]] * 4
    if content[:4] == b"II+\0":
        places += [struct.unpack("<Q", content[8:16])[0]] * 4
    return places


def _random_byte(data: bytearray, at: int, rng: np.random.Generator) -> None:
    data[at] = int(rng.integers(256))


def _flipped_bit(data: bytearray, at: int, rng: np.random.Generator) -> None:
    data[at] ^= 1 << int(rng.integers(8))


def _extreme_value(data: bytearray, at: int, rng: np.random.Generator) -> None:
    value = _EXTREMES[rng.integers(len(_EXTREMES))]
    size = int(rng.choice((2, 4)))
    packed = (value & (2 ** (8 * size) - 1)).to_bytes(size, rng.choice(("little", "big")))
    data[at : at + size] = packed[: len(data) - at]


def _blanked(data: bytearray, at: int, rng: np.random.Generator) -> None:
    size = min(int(rng.integers(1, 40)), len(data) - at)
    data[at : at + size] = bytes(size)
