"""OME-TIFF and other TIFFs that OpenSlide refuses or shows without their levels."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segcore.errors import SlideError
from segcore.slides import open_slide, opening, reopening
from segcore.slides import tiff as reader
from segcore.slides.tiff import TiffSlide

LOSSLESS = {"none": 1, "tiff_lzw": 5, "tiff_adobe_deflate": 8, "zstd": 50000, "packbits": 32773}


@pytest.fixture
def pixels(noise: Callable[..., np.ndarray]) -> np.ndarray:
    return noise(700, 500)


def tiles(pixels: np.ndarray, compression: str) -> Iterator[bytes]:
    """Give the tiles of 256 x 256 as libtiff or OpenJPEG would store them."""
    height, width = pixels.shape[:2]
    for top in range(0, height, 256):
        for left in range(0, width, 256):
            tile = np.zeros((256, 256, 3), np.uint8)
            part = pixels[top : top + 256, left : left + 256]
            tile[: part.shape[0], : part.shape[1]] = part
            yield stored(Image.fromarray(tile), compression)


def stored(tile: Image.Image, compression: str) -> bytes:
    file = BytesIO()
    if compression == "jpeg2000":
        tile.save(file, "JPEG2000", no_jp2=True)
        return file.getvalue()
    if compression == "jpeg":
        tile.save(file, "JPEG", quality=95)
        return file.getvalue()
    tile.save(
        file, "TIFF", compression=None if compression == "none" else compression, strip_size=1 << 20
    )
    with Image.open(file) as image:
        tags = image.tag_v2
        content = file.getvalue()
        return b"".join(content[at : at + n] for at, n in zip(tags[273], tags[279], strict=True))


def write_ome(
    path: Path, pixels: np.ndarray, *, compression: str = "tiff_lzw", code: int = 5
) -> Path:
    """Write an OME-TIFF whose coarser level is a sub-directory, of 0.25 um."""
    sizes = {f"PhysicalSize{axis}": 0.25 for axis in "XY"}
    half = np.asarray(Image.fromarray(pixels).reduce(2))
    with tifffile.TiffWriter(path) as file:
        for level, each in enumerate((pixels, half)):
            file.write(
                (tile for tile in tiles(each, compression)),
                shape=each.shape,
                dtype=np.uint8,
                tile=(256, 256),
                compression="zlib",
                photometric="rgb",
                subifds=1 - level,
                subfiletype=level,
                metadata={"axes": "YXS", **sizes} if level == 0 else None,
            )
    # tifffile writes no tag of a compression that it cannot do itself.
    with tifffile.TiffFile(path, mode="r+") as file:
        for page in (file.pages.first, *(file.pages.first.pages or ())):
            page.tags[259].overwrite(code)
            page.tags[262].overwrite(6 if compression == "jpeg" else 2)
    return path


@pytest.mark.parametrize("compression", LOSSLESS)
def test_the_levels_and_the_pixel_size_of_ome_tiff_are_read(
    tmp_path: Path, pixels: np.ndarray, compression: str
) -> None:
    path = write_ome(
        tmp_path / "a.ome.tif", pixels, compression=compression, code=LOSSLESS[compression]
    )
    with open_slide(path) as slide:
        assert [(each.width, each.height, each.downsample) for each in slide.levels] == [
            (700, 500, 1),
            (350, 250, 2),
        ]
        assert slide.mpp == pytest.approx(0.25)
        assert slide.vendor == "ome-tiff"
        assert np.array_equal(slide.read(0, 0, 0, 700, 500), pixels)
        half = np.asarray(Image.fromarray(pixels).reduce(2))
        assert np.array_equal(slide.read(200, 100, 1, 100, 90), half[50:140, 100:200])


@pytest.mark.parametrize(("compression", "code"), [("jpeg", 7), ("jpeg2000", 34712)])
def test_tiles_of_jpeg_and_jpeg_2000_are_read(tmp_path: Path, compression: str, code: int) -> None:
    smooth = np.asarray(Image.linear_gradient("L").resize((600, 520)).convert("RGB"))
    path = write_ome(tmp_path / "a.ome.tif", smooth, compression=compression, code=code)
    with TiffSlide(path) as slide:
        assert np.abs(slide.read(0, 0, 0, 600, 520).astype(int) - smooth).max() <= 3


def test_outside_is_white_and_what_is_read_may_be_changed(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    with TiffSlide(write_ome(tmp_path / "a.ome.tif", pixels)) as slide:
        tile = slide.read(-10, 480, 0, 30, 40)
        assert np.array_equal(tile[:20, 10:], pixels[480:, :20])
        assert tile[20:].min() == tile[:, :10].min() == 255
        tile[:] = 7
        assert np.array_equal(slide.read(0, 0, 0, 20, 20), pixels[:20, :20])
        assert slide.read(-100, -100, 0, 50, 50).min() == 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "layout",
    [
        {"compression": "zlib", "tile": (64, 80)},
        {"compression": "zlib", "tile": (64, 80), "planarconfig": "separate"},
        {"compression": "zlib", "rowsperstrip": 7, "predictor": 2},
        {"compression": "zlib", "rowsperstrip": 30, "planarconfig": "separate"},
        {"rowsperstrip": 500},
        {"rowsperstrip": 500, "byteorder": ">"},
        {"tile": (64, 80), "byteorder": ">", "bigtiff": True},
    ],
    ids=str,
)
def test_every_layout_of_tiles_and_strips_is_read(
    tmp_path: Path, pixels: np.ndarray, dtype: type, layout: dict
) -> None:
    deep = pixels.astype(dtype) * (257 if dtype is np.uint16 else 1)
    separate = layout.get("planarconfig") == "separate"
    file = {name: layout[name] for name in ("byteorder", "bigtiff") if name in layout}
    rest = {name: value for name, value in layout.items() if name not in file}
    data = np.moveaxis(deep, -1, 0) if separate else deep
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", metadata=None, **file, **rest)
    with TiffSlide(tmp_path / "a.tif") as slide:
        assert np.array_equal(slide.read(0, 0, 0, 700, 500), pixels)
        assert np.array_equal(slide.read(611, 407, 0, 50, 60), pixels[407:467, 611:661])


def test_twelve_bits_are_scaled_alike_in_every_tile(tmp_path: Path) -> None:
    deep = np.full((300, 300), 100, np.uint16)
    deep[290, 290] = 4000
    tifffile.imwrite(tmp_path / "a.tif", deep, tile=(128, 128), metadata=None)
    with TiffSlide(tmp_path / "a.tif") as slide:
        assert slide.read(0, 0, 0, 1, 1).tolist() == [[[6, 6, 6]]]
        assert slide.read(290, 290, 0, 1, 1).tolist() == [[[250, 250, 250]]]


def test_many_threads_read_one_slide_within_the_budget_of_its_cache(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    slide = TiffSlide(write_ome(tmp_path / "a.ome.tif", pixels), cache_bytes=500_000)
    places = [(x, y) for x in range(0, 600, 40) for y in range(0, 400, 40)]
    with slide, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda place: slide.read(*place, 0, 100, 100), places))
        assert slide._cache._bytes <= 500_000
    for tile, (x, y) in zip(found, places, strict=True):
        assert np.array_equal(tile, pixels[y : y + 100, x : x + 100])


def test_a_slide_that_was_away_is_read_again_when_it_is_back(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(reopening.time, "monotonic", lambda: now[0])
    slide = TiffSlide(write_ome(tmp_path / "a.ome.tif", pixels))
    failing = monkeypatch.context()
    with failing as patch:
        patch.setattr(reader._File, "read", lose_the_drive)
        slide._cache.clear()
        with pytest.raises(SlideError, match=r"a\.ome\.tif cannot be read: .*Stale.*check that"):
            slide.read(0, 0, 0, 100, 100)
    away = slide.path.rename(tmp_path / "away")
    with pytest.raises(SlideError, match="No such file"):
        slide.read(0, 0, 0, 100, 100)
    away.rename(slide.path)
    with pytest.raises(SlideError):  # still pausing
        slide.read(0, 0, 0, 100, 100)
    now[0] += 2.1
    assert np.array_equal(slide.read(0, 0, 0, 100, 100), pixels[:100, :100])
    slide.close()
    with pytest.raises(SlideError, match="is closed"):
        slide.read(0, 0, 0, 100, 100)


def lose_the_drive(*_: object) -> bytes:
    raise OSError(116, "Stale file handle")


def test_a_damaged_tile_is_told_and_does_not_hide_its_neighbours(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    path = write_ome(tmp_path / "a.ome.tif", pixels, compression="tiff_adobe_deflate", code=8)
    with tifffile.TiffFile(path) as file:
        offset = file.pages.first.dataoffsets[1]
    content = bytearray(path.read_bytes())
    content[offset : offset + 500] = bytes(500)
    path.write_bytes(content)
    with TiffSlide(path) as slide:
        with pytest.raises(SlideError, match=r"a tile is damaged \([^\n]+\.$"):
            slide.read(256, 0, 0, 100, 100)
        assert np.array_equal(slide.read(0, 0, 0, 100, 100), pixels[:100, :100])


def test_large_tiffs_are_read_where_they_lie(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "HELD", 300_000)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(64, 64), compression="lzma")
    with open_slide(path) as slide:  # OpenSlide refuses lzma
        assert isinstance(slide, TiffSlide)


@pytest.mark.parametrize("layout", [{"tile": (64, 64)}, {"rowsperstrip": 16}])
@pytest.mark.parametrize("order", [("label image", "scan"), ("scan", "label image")])
def test_a_label_beside_the_scan_is_never_taken_for_the_slide(
    tmp_path: Path, pixels: np.ndarray, layout: dict[str, object], order: tuple[str, str]
) -> None:
    path = tmp_path / "a.ome.tif"
    label = np.full((90, 70, 3), 9, np.uint8)
    pictures = {"label image": label, "scan": pixels}
    with tifffile.TiffWriter(path) as file:
        for name in order:
            file.write(
                pictures[name],
                photometric="rgb",
                compression="zlib",
                metadata={"axes": "YXS", "Name": name},
                **layout,
            )
    with open_slide(path) as slide:
        assert slide.dimensions == (700, 500)
        assert np.array_equal(slide.read(0, 0, 0, 700, 500), pixels)
        assert slide.associated_names == ("label",)
        assert np.array_equal(slide.associated("label"), label)


def test_label_and_macro_are_known_and_read_only_when_asked_for(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    path = tmp_path / "a.ome.tif"
    options = {"photometric": "rgb", "tile": (64, 64), "compression": "zlib"}
    label = np.full((90, 70, 3), 9, np.uint8)
    with tifffile.TiffWriter(path) as file:
        file.write(label, metadata={"axes": "YXS", "Name": "label image"}, **options)
        file.write(
            pixels,
            metadata={"axes": "YXS", "Name": "scan", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5},
            **options,
        )
    with TiffSlide(path) as slide:
        assert slide.dimensions == (700, 500)
        assert slide.mpp == pytest.approx(0.5)
        assert slide.associated_names == ("label",)
        assert np.array_equal(slide.associated("label"), label)
        with pytest.raises(SlideError, match="no picture 'macro'; it has label"):
            slide.associated("macro")
