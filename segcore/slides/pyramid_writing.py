"""Writes the pyramid of a picture that is read from top to bottom, in bounded memory.

`python -m segcore.slides.pyramid_writing PICTURE OUT` is the child process that does so: a fraction on
each line of stdout, exit code 0; or 3 with one sentence as the last line.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from segcore.errors import SlideError
from segcore.progress import Report, silent
from segcore.slides.base import Rgb
from segcore.slides.rows import BAND, RowSource

TILE = 512
COARSEST = 1024
"""Pixels along the longer side of the last level."""
ADDRESS_BYTES = 8 << 30


def write_pyramid(source: RowSource, path: Path, report: Report = silent) -> None:
    """Write a tiled TIFF of `source` and its means of 2 x 2 that OpenSlide reads.

    It is not compressed: tissue shrinks by a third only, and the writing would take three times as long.
    Memory holds a few bands; each coarser level waits in a temporary file beside `path`.
    """
    import tifffile  # noqa: PLC0415 - 0.1 s, needed by few files

    scratch_of(path).mkdir()
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        bands, width, height = _told(source, report), source.width, source.height
        for level in range(32):
            last = max(width, height) <= COARSEST
            halves = scratch_of(path) / str(level)
            with halves.open("wb") as coarser:
                writer.write(
                    _tiles(_halved_into(coarser, bands) if not last else bands),
                    shape=(height, width, 3),
                    dtype=np.uint8,
                    photometric="rgb",
                    tile=(TILE, TILE),
                    subfiletype=int(level > 0),
                    metadata=None,
                )
            if last:
                break
            width, height = -(-width // 2), -(-height // 2)
            bands = _bands_of(halves, width, height)
    shutil.rmtree(scratch_of(path))


def scratch_of(path: Path) -> Path:
    """Return the folder for what is needed only while the pyramid `path` is written."""
    return path.with_name(f"{path.name}.levels")


def _told(source: RowSource, report: Report) -> Iterator[Rgb]:
    done = 0
    for band in source.bands():
        yield band
        done += len(band)
        # Of the work three quarters are the finest level; the others follow.
        report(0.75 * done / source.height, "making a pyramid")


def _tiles(bands: Iterator[Rgb]) -> Iterator[Rgb]:
    for band in bands:
        for left in range(0, band.shape[1], TILE):
            tile = np.full((TILE, TILE, 3), 255, np.uint8)
            part = band[:, left : left + TILE]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def _halved_into(file: BinaryIO, bands: Iterator[Rgb]) -> Iterator[Rgb]:
    for band in bands:
        # Before it is handed on: nobody asks again after the last tile.
        file.write(np.asarray(Image.fromarray(band).reduce(2)).tobytes())
        yield band


def _bands_of(path: Path, width: int, height: int) -> Iterator[Rgb]:
    with path.open("rb") as file:
        for top in range(0, height, BAND):
            rows = min(BAND, height - top)
            pixels = np.frombuffer(file.read(rows * width * 3), np.uint8)
            yield pixels.reshape(rows, width, 3)
    path.unlink()


def _print(fraction: float, text: str = "") -> None:
    del text  # known to the parent
    sys.stdout.buffer.write(b"%f\n" % fraction)
    sys.stdout.buffer.flush()


def _main(picture: Path, out: Path) -> int:
    from segcore.slides.opening import row_source  # noqa: PLC0415 - it starts this module
    from segcore.slides.preflight import REFUSED, limit_resources  # noqa: PLC0415 - likewise

    limit_resources(address_bytes=ADDRESS_BYTES, cpu_seconds=None)
    try:
        with closing(row_source(picture)) as source:
            write_pyramid(source, out, _print)
    except SlideError as error:
        sentence = str(error)
    except MemoryError:
        sentence = f"{picture.name} needs too much memory; convert it to a tiled pyramidal TIFF."
    except OSError as error:
        sentence = f"{picture.name} cannot be opened: its pyramid cannot be written ({error.strerror}); free some disk space."
    else:
        return 0
    sys.stdout.buffer.write(f"{sentence}\n".encode())
    return REFUSED


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2])))
