import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from segcore.errors import SlideError
from segcore.slides import open_slide, preflight
from segcore.slides.preflight import check_slide

GOOD = [
    "CMU-1-Small-Region.svs",
    "bcss-1008-pyramid.tif",
    "bcss-1015-pyramid.tif",
    "camelyon-jpeg.dcm",
    "her2st-C2-pyramid.tif",
    "tcga-cr-7395.svs",
    "test3-DAPI-2-(387).ndpi",
]
OPENS = {  # name: (width, height)
    "1bit.tif": (256, 4),
    "4bit.tif": (256, 4),
    "boxes.tiff": (300, 250),
    "boxes_0.dcm": (16, 16),
    "boxes_1.dcm": (16, 16),
    "grey10kx5k.tif": (10_000, 5000),
    "issue412.jp2": (256, 100),
    "multi-channel-z-series.ome.tif": (439, 167),
    "ojpeg-tile.tif": (234, 213),
    "rgba_geotiff.tiff": (600, 600),
    "small.svs": (16, 16),
    "small_la.tiff": (2, 1),
    "subsampled.tif": (250, 325),
    "test_orient3.tif": (120, 180),
    "test_orient6.tif": (180, 120),
    "yb10kx5k.zstd.tiff": (10_000, 5000),
    "😐.svs": (16, 16),
}
REFUSED = {
    "broken.svs": "no slide or image that this program knows",
    "unopenable.tiff": "Unsupported TIFF compression",
    "unreadable.svs": "Bogus marker length",
    "zero_gi.tif": "2 x 0 pixels",
}


RUN = subprocess.run


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_known", {})


@pytest.mark.parametrize("name", GOOD)
def test_good_slides_pass(shared_data: Path, name: str) -> None:
    check_slide(shared_data / "slides" / name)
    with open_slide(shared_data / "slides" / name) as slide:
        assert slide.thumbnail(64).std() > 1


@pytest.mark.parametrize("name", OPENS)
def test_odd_slides_that_can_be_read_pass(shared_data: Path, name: str) -> None:
    path = shared_data / "slides" / "odd" / name
    check_slide(path)
    with open_slide(path) as slide:
        assert slide.dimensions == OPENS[name]
        preflight.read_every_level(slide)


@pytest.mark.parametrize("name", REFUSED)
def test_odd_slides_that_cannot_be_read_are_refused_in_a_sentence(
    shared_data: Path, name: str
) -> None:
    with pytest.raises(SlideError, match=rf"^{name} cannot be [^\n]*{REFUSED[name]}[^\n]*\.$"):
        check_slide(shared_data / "slides" / "odd" / name)


def test_every_odd_slide_is_expected(shared_data: Path) -> None:
    there = {each.name for each in (shared_data / "slides" / "odd").iterdir()}
    assert there == set(OPENS) | set(REFUSED)


@pytest.mark.benchmark
def test_the_check_takes_less_than_half_a_second(shared_data: Path) -> None:
    path = shared_data / "slides" / "her2st-C2-pyramid.tif"
    check_slide(path)
    preflight._known.clear()
    start = time.perf_counter()
    check_slide(path)
    assert time.perf_counter() - start < 0.5


def test_a_file_is_checked_once_until_it_changes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    noise: Callable[..., np.ndarray],
    write_pyramid: Callable[..., Path],
) -> None:
    path = write_pyramid(tmp_path / "a.tif", noise(100, 100))
    runs = []
    monkeypatch.setattr(preflight, "_complaint_of_child", lambda path: runs.append(path) or "")
    check_slide(path)
    check_slide(path)
    assert len(runs) == 1
    write_pyramid(path, noise(300, 100))
    check_slide(path)
    assert len(runs) == 2


def child_that(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let the check run `program` in place of the real child."""
    monkeypatch.setattr(
        preflight.subprocess,
        "run",
        lambda command, **rest: RUN([sys.executable, "-c", program], **rest),
    )


def test_a_reader_that_aborts_takes_only_the_child_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil.tif").write_bytes(b"II*\0")
    child_that(monkeypatch, "import os; os.abort()")
    with pytest.raises(SlideError, match=r"evil\.tif cannot be opened: .* makes the reader fail"):
        check_slide(tmp_path / "evil.tif")


@pytest.mark.skipif(sys.platform != "linux", reason="limits differ elsewhere")
def test_a_reader_that_burns_its_time_is_too_slow_and_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.tif").write_bytes(b"II*\0")
    child_that(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)")
    with pytest.raises(SlideError, match="could not be read within 10 s"):
        check_slide(tmp_path / "slow.tif")


def test_a_reader_that_hangs_is_stopped_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.tif").write_bytes(b"II*\0")
    monkeypatch.setattr(preflight, "WALL_SECONDS", 0.2)
    child_that(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(SlideError, match="copy it to a local disk"):
        check_slide(tmp_path / "slow.tif")
    child_that(monkeypatch, "pass")
    check_slide(tmp_path / "slow.tif")


@pytest.mark.skipif(sys.platform != "linux", reason="limits differ elsewhere")
def test_the_child_may_not_take_all_memory() -> None:
    program = (
        "from segcore.slides.preflight import limit_resources\n"
        "limit_resources(address_bytes=4 << 30, cpu_seconds=10)\n"
        "try: bytearray(5 << 30)\n"
        "except MemoryError: print('refused')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "refused\n"


def test_the_child_does_not_load_torch() -> None:
    program = (
        "import json, sys, segcore.slides.preflight; print(json.dumps('torch' in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert json.loads(result.stdout) is False


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match=r"There is no file .*nowhere\.svs; check the name\."):
        check_slide(tmp_path / "nowhere.svs")
