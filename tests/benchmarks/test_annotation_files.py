"""A million polygons in and out of a file, and fifty thousand files that lie."""

import random
import resource
import time
from pathlib import Path

import numpy as np
import pytest
import shapely

from segcore.annotations import Annotation, read_annotations_report, write_annotations
from tests.segcore.annotations.hostile_files import check, packed, seeds, spoiled

pytestmark = pytest.mark.benchmark
VERTICES = 32
SECONDS = 45
"""For a million polygons, in and out each."""


def polygons(count: int) -> list[Annotation]:
    """Return outlines of nuclei: rings of 32 vertices with two decimals."""
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    centres = rng.uniform(100, 99_000, (count, 1, 2))
    radii = rng.uniform(4, 9, (count, VERTICES, 1))
    outlines = centres + radii * np.stack([np.cos(angles), np.sin(angles)], 1)
    closed = np.concatenate([outlines, outlines[:, :1]], axis=1).round(2)
    return [
        Annotation(each, class_name="Tumor", kind="detection", measurements={"Area": 100.0})
        for each in shapely.polygons(closed)
    ]


def peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


class Clock:
    """Wall and processor seconds since the last look; the latter is what a machine with nothing else to do needs."""

    def __init__(self) -> None:
        self.look()

    def look(self) -> tuple[float, float]:
        before = getattr(self, "now", (0.0, 0.0))
        self.now = (time.perf_counter(), time.process_time())
        return self.now[0] - before[0], self.now[1] - before[1]


@pytest.mark.parametrize("name", ["a.geojson", "a.geojson.gz"])
def test_a_million_polygons_are_written_and_read_in_45_seconds_each(
    tmp_path: Path, name: str
) -> None:
    annotations, file = polygons(1_000_000), tmp_path / name
    told: list[float] = []
    clock = Clock()
    written = write_annotations(file, annotations)
    wall, processor = clock.look()
    print(f"\n1 000 000 polygons, {name}, {file.stat().st_size / 1e6:.0f} MB")
    print(f"written in {wall:.1f} s ({processor:.1f} s of processor)")
    assert processor < SECONDS * (2 if name.endswith(".gz") else 1)
    found, report = read_annotations_report(
        file, report=lambda fraction, _="": told.append(fraction)
    )
    wall, processor = clock.look()
    print(f"read in {wall:.1f} s ({processor:.1f} s of processor), peak {peak_gigabytes():.1f} GB")
    assert processor < SECONDS
    assert (written.features, len(found), report.skipped) == (1_000_000, 1_000_000, ())
    assert len(told) > 100
    assert told == sorted(told)


def test_fifty_thousand_spoiled_files_neither_crash_nor_hang(tmp_path: Path) -> None:
    chance, good = random.Random(7), seeds()  # noqa: S311 - a test that repeats
    told = {"read": 0, "refused": 0}
    slowest = (0.0, "")
    for number in range(50_000):
        name, content = chance.choice(good)
        content = spoiled(content, chance)
        if not name.endswith((".tif", ".png")) and chance.random() < 0.2:
            name, content = packed(name, content, chance)
        file = tmp_path / name
        file.write_bytes(content)
        started = time.process_time()
        try:
            count = check(file)
        except Exception:
            (tmp_path / f"crash-{number}-{name}").write_bytes(content)
            raise
        slowest = max(slowest, (time.process_time() - started, f"{number} {name}"))
        told["refused" if count is None else "read"] += 1
    print(f"\n50 000 spoiled files: {told}, crashes 0, slowest {slowest[0]:.2f} s ({slowest[1]})")
    assert slowest[0] < 5
