"""How many tiles a second come through our interface, beside the same reads from OpenSlide alone."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openslide
import pytest

from segcore.slides import open_slide, read_scaled
from segcore.slides.openslide import CACHE_BYTES

pytestmark = pytest.mark.benchmark
TILE, ROUNDS, LEAST = 256, 9, 0.9
Place = tuple[int, int]


def places(path: Path) -> list[Place]:
    with open_slide(path) as slide:
        width, height = slide.dimensions
    every = [(x, y) for y in range(0, height - TILE, TILE) for x in range(0, width - TILE, TILE)]
    return every[:: max(1, len(every) // 200)]


def timed(threads: int, where: list[Place], read: Callable[[Place], object]) -> tuple[float, float]:
    """Return (tiles a second, processor milliseconds for one)."""
    with ThreadPoolExecutor(threads) as pool:
        wall, busy = time.perf_counter(), time.process_time()
        for _ in pool.map(read, where):
            pass
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return len(where) / wall, 1000 * busy / len(where)


def ours(path: Path, threads: int, where: list[Place]) -> tuple[float, float]:
    with open_slide(path) as slide:
        return timed(
            threads,
            where,
            lambda at: read_scaled(
                slide, left=at[0], top=at[1], scale=1.0, width=TILE, height=TILE
            ),
        )


def raw(path: Path, threads: int, where: list[Place]) -> tuple[float, float]:
    with openslide.OpenSlide(path) as slide:
        slide.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
        return timed(threads, where, lambda at: slide.read_region(at, 0, (TILE, TILE)))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize(
    "name", ["CMU-1-Small-Region.svs", "bcss-1008-pyramid.tif", "her2st-C2-pyramid.tif"]
)
def test_tiles_come_as_quickly_as_from_openslide_alone(shared_data, name, threads):
    path = shared_data / "slides" / name
    where = places(path)
    ratios, speeds, busy = [], ([], []), ([], [])
    for _ in range(ROUNDS):  # by turns, so that both meet the same load of the machine
        pair = ours(path, threads, where), raw(path, threads, where)
        ratios.append(pair[0][0] / pair[1][0])
        for n, (speed, milliseconds) in enumerate(pair):
            speeds[n].append(speed)
            busy[n].append(milliseconds)
    ratio, work = statistics.median(ratios), min(busy[1]) / min(busy[0])
    print(
        f"\n{name}, {threads} threads: {max(speeds[0]):.0f} tiles/s, OpenSlide {max(speeds[1]):.0f};"
        f" ratio {ratio:.2f} of time (median of {ROUNDS}), {work:.2f} of processor time"
        f" ({min(busy[0]):.2f} and {min(busy[1]):.2f} ms a tile)"
    )
    assert max(ratio, work) >= LEAST
