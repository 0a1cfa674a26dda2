"""Pictures too large to be held in memory; here the limit is lowered instead."""

import struct
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from segcore.config import user_cache
from segcore.errors import SlideError
from segcore.progress import Cancelled, Report
from segcore.slides import open_slide, opening, pyramid_copy, pyramid_writing
from segcore.slides.png import PngRows
from segcore.slides.pyramid_writing import write_pyramid
from segcore.slides.rows import PictureRows, RowSource

WIDTH, HEIGHT = 1100, 600


@pytest.fixture
def pixels(noise: Callable[..., np.ndarray]) -> np.ndarray:
    return noise(WIDTH // 10, HEIGHT // 10).repeat(10, 0).repeat(10, 1)


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "HELD", 300_000)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write pyramids without a child process: quicker, and the lowered limit holds there too."""

    def write(path: Path, part: Path, report: Report) -> None:
        with closing(opening.row_source(path)) as source:
            write_pyramid(source, part, report)

    monkeypatch.setattr(pyramid_copy, "_write", write)


def rows_of(source: RowSource) -> np.ndarray:
    return np.concatenate(list(source.bands()))


@pytest.mark.parametrize("kind", ["png", "jp2", "tif", "bmp"])
@pytest.mark.usefixtures("in_this_process")
def test_a_large_picture_opens_as_a_pyramid_that_is_made_once(
    tmp_path: Path, pixels: np.ndarray, kind: str
) -> None:
    path = tmp_path / f"large.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, pixels, photometric="rgb", rowsperstrip=16, compression="zlib")
    else:
        Image.fromarray(pixels).save(path)
    told = []
    with open_slide(path, report=lambda fraction, text="": told.append((fraction, text))) as slide:
        assert [(each.width, each.height) for each in slide.levels] == [(1100, 600), (550, 300)]
        assert np.array_equal(slide.read(0, 0, 0, WIDTH, HEIGHT), pixels)
        means = np.asarray(Image.fromarray(pixels).reduce(2))
        assert np.array_equal(slide.read(0, 0, 1, 550, 300), means)
        assert slide.name == "large"
        assert slide.path == path
        assert slide.mpp is None
        assert slide.vendor.endswith(", copied as a pyramid")
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert told[-1][1] == "making a pyramid"
    told.clear()
    open_slide(path, report=lambda fraction, text="": told.append((fraction, text))).close()
    assert not told
    assert len(list((user_cache() / "pyramids").iterdir())) == 1


@pytest.mark.usefixtures("in_this_process")
def test_a_slide_that_was_copied_still_has_its_label_and_its_objective(shared_data: Path) -> None:
    path = shared_data / "slides" / "CMU-1-Small-Region.svs"
    with open_slide(path, pyramid=True) as slide, openslide.OpenSlide(path) as oracle:
        assert slide.vendor == "aperio, copied as a pyramid"
        assert slide.magnification == 20
        assert slide.associated_names == tuple(oracle.associated_images)
        label = np.asarray(oracle.associated_images["label"].convert("RGB"))
        assert np.array_equal(slide.associated("label"), label)
        with pytest.raises(SlideError, match="no picture 'barcode'"):
            slide.associated("barcode")


def test_the_pyramid_is_made_by_a_child(tmp_path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.png", dpi=(25_400, 25_400))
    with open_slide(tmp_path / "a.png") as slide:
        assert np.array_equal(slide.read(200, 300, 0, 100, 90), pixels[300:390, 200:300])
        assert slide.mpp == pytest.approx(1.0, abs=0.001)


def test_a_cancelled_pyramid_leaves_nothing_behind(tmp_path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.png")

    def cancel(fraction: float, text: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        open_slide(tmp_path / "a.png", report=cancel)
    assert not list((user_cache() / "pyramids").iterdir())


def test_a_damaged_picture_is_refused_in_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    path = tmp_path / "cut.png"
    Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(SlideError, match=r"^cut\.png cannot be opened: [^\n]+\.$"):
        open_slide(path)
    assert not list((user_cache() / "pyramids").iterdir())


@pytest.mark.usefixtures("in_this_process")
def test_a_changed_picture_is_copied_anew(tmp_path: Path, pixels: np.ndarray) -> None:
    for each in (pixels, 255 - pixels):
        Image.fromarray(each).save(tmp_path / "a.bmp")
        with open_slide(tmp_path / "a.bmp") as slide:
            assert np.array_equal(slide.read(0, 0, 0, 50, 50), each[:50, :50])


@pytest.mark.usefixtures("in_this_process")
def test_pyramids_used_longest_ago_give_way(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid_copy, "BUDGET", 15_000_000)  # room for two
    for n in range(3):
        Image.fromarray(pixels + np.uint8(n)).save(tmp_path / f"{n}.bmp")
        open_slide(tmp_path / f"{n}.bmp").close()
    open_slide(tmp_path / "1.bmp").close()
    folder = user_cache() / "pyramids"
    kept = {pyramid_copy._key(tmp_path / f"{n}.bmp") for n in (1, 2)}
    assert {each.stem for each in folder.iterdir()} == kept


def test_a_picture_without_room_for_its_pyramid_is_refused(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid_copy, "BUDGET", 1000)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.raises(SlideError, match=r"a\.png .* may take .* GB .* tiled pyramidal TIFF\.$"):
        open_slide(tmp_path / "a.png")


@pytest.mark.usefixtures("in_this_process")
def test_a_slide_without_coarse_levels_is_given_them_where_asked_for(
    tmp_path: Path, pixels: np.ndarray, write_pyramid: Callable[..., Path]
) -> None:
    path = write_pyramid(tmp_path / "a.tif", pixels, mpp=0.5)
    with open_slide(path) as slide:
        assert len(slide.levels) == 1
    with open_slide(path, pyramid=True) as slide:
        assert len(slide.levels) == 2
        assert slide.mpp == pytest.approx(0.5)
        assert np.array_equal(slide.read(0, 0, 0, WIDTH, HEIGHT), pixels)


@pytest.mark.parametrize("width", [1, 7, 61])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "P4", "RGB", "RGBA", "I;16"])
def test_png_rows_agree_with_pillow(
    tmp_path: Path, mode: str, width: int, noise: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "a.png"
    picture = Image.fromarray(noise(width, 40))
    if mode.startswith("P"):
        picture = picture.quantize(16 if mode == "P4" else 200)
    elif mode == "I;16":
        picture = Image.fromarray(noise(width, 40)[..., 0].astype(np.uint16) * 257)
    elif mode.endswith("A"):
        picture.putalpha(Image.fromarray(noise(width, 40, 1)[..., 0]))
        picture = picture.convert(mode)
    else:
        picture = picture.convert(mode)
    picture.save(path)
    with open_slide(path) as slide:
        expected = slide.read(0, 0, 0, width, 40)
    assert np.array_equal(rows_of(PngRows(path)), expected)


def test_a_large_interlaced_png_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (9, 9)).save(path)
    content = bytearray(path.read_bytes())
    content[28] = 1  # the last byte of the header
    path.write_bytes(content)
    with pytest.raises(
        SlideError, match=r"a\.png cannot be opened: [^\n]+ without interlacing, or"
    ):
        PngRows(path)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", range(5))
def test_every_png_filter_is_taken_off(
    tmp_path: Path, kind: int, depth: int, noise: Callable[..., np.ndarray]
) -> None:
    # Filtered bytes may be anything: Pillow says what they mean.
    width, height = 33, 1100  # three bands
    rows = np.full((height, 1 + width * 3 * depth // 8), kind, np.uint8)
    rows[:, 1:] = noise(rows.shape[1] - 1, height)[..., 0]
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    path = tmp_path / "a.png"
    packed = zlib.compress(rows.tobytes(), 1)
    chunks = [(b"IHDR", header), (b"IDAT", packed[:999]), (b"IDAT", packed[999:]), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )
    assert np.array_equal(rows_of(PngRows(path)), np.asarray(Image.open(path)))


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_a_large_picture_is_turned_by_its_orientation_tag(
    tmp_path: Path, pixels: np.ndarray, kind: str
) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(pixels).save(tmp_path / f"a.{kind}", exif=exif)
    source = PictureRows(tmp_path / f"a.{kind}")
    assert (source.width, source.height) == (HEIGHT, WIDTH)
    assert np.array_equal(rows_of(source), np.rot90(pixels, -1))


def test_deep_grey_is_scaled_alike_in_every_band(tmp_path: Path) -> None:
    deep = np.full((1030, 20), 100, np.uint16)
    deep[1029, 0] = 4000
    Image.fromarray(deep).save(tmp_path / "a.tif")
    rows = rows_of(PictureRows(tmp_path / "a.tif"))
    assert rows[0, 0, 0] == 6
    assert rows[1029, 0, 0] == 250


def test_a_picture_that_cannot_be_decoded_in_parts_has_a_limit(
    tmp_path: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segcore.slides.raster.LARGEST", 500_000)
    Image.fromarray(pixels).save(tmp_path / "a.jpg")
    with pytest.raises(SlideError, match=r"1100 x 600 pixels are too many .*pyramidal TIFF"):
        open_slide(tmp_path / "a.jpg")


def test_memory_holds_a_few_bands_only(tmp_path: Path) -> None:
    class Endless(RowSource):
        path, mpp, vendor, icc_profile = Path("x"), None, "x", None
        width, height = 1000, 40_000

        def bands(self):
            for top in range(0, self.height, 512):
                yield np.full((min(512, self.height - top), self.width, 3), top // 512, np.uint8)

    import tracemalloc

    tracemalloc.start()
    pyramid_writing.write_pyramid(Endless(), tmp_path / "a.tif")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 << 20  # the picture has 120 MB
