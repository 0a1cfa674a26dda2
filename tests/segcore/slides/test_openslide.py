import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile

from segcore.errors import SlideError
from segcore.slides import open_slide, reopening
from segcore.slides import openslide as reader


@pytest.fixture
def pixels(noise: Callable[..., np.ndarray]) -> np.ndarray:
    return noise(700, 500)


@pytest.fixture
def file(tmp_path: Path, pixels: np.ndarray, write_pyramid: Callable[..., Path]) -> Path:
    return write_pyramid(tmp_path / "noise.tif", pixels, levels=3, mpp=0.25)


def test_a_pyramid_is_read_as_it_was_written(file: Path, pixels: np.ndarray) -> None:
    with open_slide(file) as slide:
        assert slide.dimensions == (700, 500)
        assert [each.downsample for each in slide.levels] == pytest.approx([1, 2, 4])
        assert slide.mpp == pytest.approx(0.25)
        assert slide.bounds == (0, 0, 700, 500)
        assert slide.vendor == "generic-tiff"
        assert np.array_equal(slide.read(100, 50, 0, 300, 200), pixels[50:250, 100:400])


def test_outside_is_white(file: Path, pixels: np.ndarray) -> None:
    with open_slide(file) as slide:
        tile = slide.read(-10, 480, 0, 30, 40)
    assert np.array_equal(tile[:20, 10:], pixels[480:, :20])
    assert tile[20:].min() == 255
    assert tile[:, :10].min() == 255


def test_what_is_read_may_be_changed(file: Path) -> None:
    with open_slide(file) as slide:
        slide.read(0, 0, 0, 8, 8)[:] = 7


def test_transparent_pixels_are_laid_on_white() -> None:
    argb = np.array([[0xFF640000, 0x00000000, 0x80320000]], np.uint32)  # premultiplied
    assert reader._on_white(argb).tolist() == [[[100, 0, 0], [255, 255, 255], [177, 127, 127]]]


def test_a_read_does_not_change_what_was_read_before(file: Path, pixels: np.ndarray) -> None:
    with open_slide(file) as slide:
        first = slide.read(0, 0, 0, 64, 64)
        slide.read(300, 300, 0, 64, 64)
        assert np.array_equal(first, pixels[:64, :64])
        assert slide.read(0, 0, 0, 0, 5).shape == (5, 0, 3)


def test_a_damaged_colour_profile_does_not_keep_a_slide_from_opening(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "a.tif"
    options = {"tile": (64, 64), "photometric": "rgb", "iccprofile": b"nonsense" * 40}
    tifffile.imwrite(path, noise(200, 100), compression="zlib", metadata=None, **options)
    with open_slide(path) as slide:
        assert slide.vendor == "generic-tiff"
        assert slide.icc_profile is None
    assert "colour profile of a.tif is left out" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved on Windows")
def test_a_slide_that_was_away_is_read_again_when_it_is_back(
    file: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(reopening.time, "monotonic", lambda: now[0])
    slide = open_slide(file)
    away = file.with_suffix(".away")
    shutil.copy(file, away)
    file.write_bytes(b"")  # what the handle holds open is gone
    for _ in range(3):
        with pytest.raises(SlideError, match=r"noise.tif cannot be read: .*check that it is still"):
            slide.read(0, 0, 0, 256, 256)
    file.unlink()
    away.rename(file)

    with pytest.raises(SlideError):  # still pausing
        slide.read(0, 0, 0, 256, 256)
    now[0] += 2.1

    assert np.array_equal(slide.read(0, 0, 0, 256, 256), pixels[:256, :256])
    slide.close()


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be overwritten on Windows")
def test_another_file_in_the_same_place_is_not_taken_for_the_slide(
    file: Path, noise: Callable[..., np.ndarray], write_pyramid: Callable[..., Path]
) -> None:
    slide = open_slide(file)
    file.write_bytes(b"")
    with pytest.raises(SlideError):
        slide.read(0, 0, 0, 256, 256)
    file.unlink()
    write_pyramid(file, noise(300, 300), levels=1)
    with pytest.raises(SlideError, match="not the one that was opened"):
        slide.read(0, 0, 0, 256, 256)
    slide.close()


def test_one_damaged_tile_does_not_hide_its_neighbours(tmp_path: Path, shared_data: Path) -> None:
    data = bytearray((shared_data / "slides" / "CMU-1-Small-Region.svs").read_bytes())
    data[500_000:510_000] = bytes(10_000)
    file = tmp_path / "damaged.svs"
    file.write_bytes(data)
    with open_slide(file) as slide:
        read = failed = 0
        for y in range(0, 2900, 240):
            for x in range(0, 2200, 240):
                try:
                    slide.read(x, y, 0, 100, 100)
                    read += 1
                except SlideError:
                    failed += 1
    assert failed < 10
    assert read > 100


def test_many_threads_read_one_slide(file: Path, pixels: np.ndarray) -> None:
    with open_slide(file) as slide, ThreadPoolExecutor(4) as pool:
        places = [(x, y) for x in range(0, 600, 40) for y in range(0, 400, 40)]
        tiles = list(pool.map(lambda place: slide.read(*place, 0, 100, 100), places))
    assert all(
        np.array_equal(tile, pixels[y : y + 100, x : x + 100])
        for tile, (x, y) in zip(tiles, places, strict=True)
    )


def test_a_closed_slide_says_so(file: Path) -> None:
    slide = open_slide(file)
    slide.close()
    with pytest.raises(SlideError, match=r"closed; open it again\.$"):
        slide.read(0, 0, 0, 1, 1)


def test_the_bounds_of_the_scanned_region_are_read() -> None:
    given = {"x": "4096", "y": "128", "width": "1000", "height": "2000"}
    properties = {f"openslide.bounds-{name}": value for name, value in given.items()}
    assert reader._bounds(properties) == (4096, 128, 1000, 2000)
    assert reader._bounds(properties | {"openslide.bounds-x": "nonsense"}) is None
    assert reader._bounds({}) is None


@pytest.mark.parametrize(
    ("x", "y", "vendor", "mpp"),
    [
        ("0.25", "0.27", "aperio", 0.26),
        ("0.5", "", "aperio", 0.5),
        ("0", "0", "aperio", None),
        ("1e9", "1e9", "aperio", None),
        ("nan", "nan", "aperio", None),
        ("28.9", "28.9", "dicom", 28.9),
        ("84.67", "84.67", "generic-tiff", None),  # 300 dpi is a print resolution
    ],
)
def test_only_sane_pixel_sizes_are_believed(x: str, y: str, vendor: str, mpp: float | None) -> None:
    properties = {"openslide.mpp-x": x, "openslide.mpp-y": y}
    assert reader._mpp(properties, vendor) == pytest.approx(mpp)


def test_the_pixel_size_can_be_set_by_the_user(file: Path) -> None:
    with open_slide(file) as slide:
        slide.mpp = 0.33
        assert slide.mpp == 0.33


def test_cmu_1_agrees_with_openslide(shared_data: Path) -> None:
    path = shared_data / "slides" / "CMU-1-Small-Region.svs"
    with open_slide(path) as slide, openslide.OpenSlide(path) as oracle:
        assert slide.dimensions == (2220, 2967)
        assert slide.mpp == pytest.approx(0.499)
        assert slide.magnification == 20
        assert slide.name == "CMU-1-Small-Region"
        expected = np.asarray(oracle.read_region((700, 900), 0, (64, 48)))[..., :3]
        assert np.array_equal(slide.read(700, 900, 0, 64, 48), expected)
