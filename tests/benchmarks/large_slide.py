"""A pyramidal TIFF as large as is asked for, in a small file: all tiles of it are one of a few."""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from segcore.slides.procedural import paint_sample

TILE = 512
SHORT, LONG, LONG8 = 3, 4, 16


def write_large_slide(path: Path, width: int, height: int, *, mpp: float = 0.25) -> Path:
    """Write levels of `width` x `height` and halves of it until one tile holds it, as BigTIFF with JPEG tiles."""
    tiles = [_jpeg(tile) for tile in _tissue()]
    with path.open("wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        places = []
        for tile in tiles:
            places.append((file.tell(), len(tile)))
            file.write(tile)
        link = 8  # where the offset of the next directory goes
        first = True
        while first or max(width, height) > TILE:
            link = _write_level(file, link, (width, height), places, mpp=mpp, reduced=not first)
            width, height, first, mpp = -(-width // 2), -(-height // 2), False, 2 * mpp
    return path


def _tissue() -> list[np.ndarray]:
    picture, _ = paint_sample(3, left=0, top=0, width=2 * TILE, height=2 * TILE, size=2048)
    return [picture[y : y + TILE, x : x + TILE] for y in (0, TILE) for x in (0, TILE)]


def _jpeg(tile: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(tile).save(data, "JPEG", quality=80, subsampling=0)
    return data.getvalue()


def _write_level(file, link, size, places, *, mpp, reduced) -> int:
    across, down = (-(-side // TILE) for side in size)
    rng = np.random.default_rng(across)
    chosen = rng.integers(0, len(places), across * down)
    offsets = np.array([place for place, _ in places], "<u8")[chosen]
    counts = np.array([length for _, length in places], "<u8")[chosen]
    at_offsets = file.tell()
    file.write(offsets.tobytes())
    at_counts = file.tell()
    file.write(counts.tobytes())
    many = len(chosen)
    density = struct.unpack("<Q", struct.pack("<II", round(1e7 / mpp), 1000))[0]  # pixels per cm
    bits = struct.unpack("<Q", struct.pack("<HHHH", 8, 8, 8, 0))[0]
    entries = [
        (254, LONG, 1, int(reduced)), (256, LONG, 1, size[0]), (257, LONG, 1, size[1]),
        (258, SHORT, 3, bits), (259, SHORT, 1, 7), (262, SHORT, 1, 6), (277, SHORT, 1, 3),
        (282, 5, 1, density), (283, 5, 1, density), (284, SHORT, 1, 1), (296, SHORT, 1, 3),
        (322, LONG, 1, TILE), (323, LONG, 1, TILE),
        (324, LONG8, many, at_offsets if many > 1 else int(offsets[0])),
        (325, LONG8, many, at_counts if many > 1 else int(counts[0])),
        (530, SHORT, 2, 1 | 1 << 16),
    ]  # fmt: skip
    directory = file.tell()
    file.write(struct.pack("<Q", len(entries)))
    for tag, kind, count, value in entries:
        file.write(struct.pack("<HHQQ", tag, kind, count, value))
    after = file.tell()
    file.write(struct.pack("<Q", 0))
    file.seek(link)
    file.write(struct.pack("<Q", directory))
    file.seek(0, 2)
    return after
