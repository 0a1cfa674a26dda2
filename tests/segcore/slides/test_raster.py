import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segcore.errors import SlideError
from segcore.slides import open_slide
from segcore.slides.raster import to_rgb, turned_upright


def whole(path: Path) -> np.ndarray:
    with open_slide(path) as slide:
        return slide.read(0, 0, 0, *slide.dimensions)


def test_a_png_is_a_slide_with_a_pyramid(tmp_path: Path, noise: Callable[..., np.ndarray]) -> None:
    pixels = noise(1100, 700)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with open_slide(tmp_path / "a.png") as slide:
        assert np.array_equal(slide.read(0, 0, 0, 1100, 700), pixels)
        sizes = [(each.width, each.height, each.downsample) for each in slide.levels]
        assert sizes == [(1100, 700, 1), (550, 350, 2), (275, 175, 4)]
        means = pixels.reshape(350, 2, 550, 2, 3).mean(axis=(1, 3))
        assert np.abs(slide.read(0, 0, 1, 550, 350) - means).max() <= 0.51
        assert slide.mpp is None
        assert slide.vendor == "png"


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("LA", (50, 255), (50, 50, 50)),
        ("P", 0, (9, 8, 7)),
        ("I;16", 40_000, (156, 156, 156)),
        ("I;16", 4000, (250, 250, 250)),  # 12 bits in 16
    ],
)
def test_every_kind_of_pixel_becomes_rgb(
    tmp_path: Path, mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    image = Image.new(mode, (5, 4), colour)  # pyright: ignore[reportArgumentType]
    if mode == "P":
        image.putpalette([9, 8, 7] + [0] * 765)
    image.save(tmp_path / "a.png")
    assert (whole(tmp_path / "a.png") == expected).all()


def test_cmyk_jpegs_open(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 0, 0, 0)).save(tmp_path / "a.jpg")
    assert whole(tmp_path / "a.jpg").min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png"])
def test_plain_images_are_shown_as_their_orientation_tag_says(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :8] = 255  # a mark in one corner
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels).save(path, exif=exif)
    # TIFF 6.0: the tag says where the stored first row and first column belong on the screen.
    top_left = {
        1: (0, 0),
        2: (0, -1),
        3: (-1, -1),
        4: (-1, 0),
        5: (0, 0),
        6: (0, -1),
        7: (-1, -1),
        8: (-1, 0),
    }
    shown = whole(path)
    assert shown.shape == ((24, 16, 3) if orientation > 4 else (16, 24, 3))
    assert shown[top_left[orientation]].min() > 200
    marked = (shown[[0, 0, -1, -1], [0, -1, 0, -1], 0] > 128).sum()
    assert marked == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_agrees_with_pillow(
    tmp_path: Path, orientation: int, noise: Callable[..., np.ndarray]
) -> None:
    pixels = noise(5, 3)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(turned_upright(pixels, orientation), whole(tmp_path / "a.png"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_pyramid_reads_like_the_turned_picture(
    tmp_path: Path,
    orientation: int,
    noise: Callable[..., np.ndarray],
    write_pyramid: Callable[..., Path],
) -> None:
    pixels = noise(384, 256)
    path = write_pyramid(tmp_path / "a.tif", pixels, levels=2, mpp=0.5, orientation=orientation)
    upright = turned_upright(pixels, orientation)
    with open_slide(path) as slide:
        assert slide.dimensions == (upright.shape[1], upright.shape[0])
        assert slide.mpp == pytest.approx(0.5)
        assert np.array_equal(slide.read(20, 30, 0, 100, 90), upright[30:120, 20:120])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_strange_but_sound_tiffs_open(
    tmp_path: Path, dtype: type, planar: str, noise: Callable[..., np.ndarray]
) -> None:
    pixels = noise(60, 40).astype(dtype) * (257 if dtype is np.uint16 else 1)
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, compression="zlib"
    )
    assert np.abs(whole(tmp_path / "a.tif").astype(int) - noise(60, 40)).max() <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.complex64])
def test_pixels_without_a_known_range_are_refused(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((20, 20), -70_000).astype(dtype))
    with pytest.raises(SlideError, match=r"a\.tif cannot be opened: .*save it as 8-bit RGB\.$"):
        open_slide(tmp_path / "a.tif")


def test_a_bomb_is_read_row_by_row_and_refused_where_it_ends(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100))
    )
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(SlideError, match=r"bomb\.png cannot be opened: .*cut off"):
        open_slide(tmp_path / "bomb.png")


@pytest.mark.parametrize("keep", [10, 300, 3000])
@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "bmp"])
def test_a_truncated_picture_is_refused_in_a_sentence(
    tmp_path: Path, kind: str, keep: int, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / f"cut.{kind}"
    Image.fromarray(noise(100, 100)).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SlideError, match=r"^cut\.\w+ cannot be opened: [^\n]+\.$"):
        open_slide(path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"II*\0", b"MM\0*" + b"\xff" * 200, b"\0" * 1000]
)
def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.tif"
    path.write_bytes(content)
    with pytest.raises(SlideError, match=r"^odd\.tif cannot be opened: [^\n]+\.$"):
        open_slide(path)


def test_folders_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="is a folder"):
        open_slide(tmp_path)
    with pytest.raises(SlideError, match=r"There is no file .*nowhere\.svs"):
        open_slide(tmp_path / "nowhere.svs")


def test_grey_with_alpha_and_many_channels_keep_what_can_be_shown() -> None:
    path = Path("x.tif")
    assert to_rgb(path, np.full((2, 2, 2), 9, np.uint8)).tolist() == np.full((2, 2, 3), 9).tolist()
    assert to_rgb(path, np.full((2, 2, 5), 9, np.uint8)).shape == (2, 2, 3)
    assert to_rgb(path, np.ones((2, 2), bool)).max() == 255
