import numpy as np
import pytest
from PIL import Image

from segcore.slides import ArraySlide, base, read_scaled


def ramp(slope_x: float, slope_y: float, width: int = 1800, height: int = 1400) -> ArraySlide:
    """Red grows with x, green with y: the value of a pixel is its centre times the slope."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.round((np.arange(width) + 0.5) * slope_x)
    pixels[..., 1] = np.round((np.arange(height) + 0.5) * slope_y)[:, np.newaxis]
    return ArraySlide(pixels)


@pytest.mark.parametrize("scale", [0.5, 1, 0.5 / 0.499, 1.5, 2, 2.6, 3, 3.999, 4, 4.7, 6.4])
@pytest.mark.parametrize(("left", "top"), [(96, 200), (100.5, 200.25), (101.3, 203.7)])
def test_every_pixel_is_the_mean_of_the_level_0_square_it_covers(
    scale: float, left: float, top: float
) -> None:
    slide = ramp(0.125, 0.15)
    width, height = 150, 120

    pixels = read_scaled(slide, left=left, top=top, scale=scale, width=width, height=height)

    # The mean of a linear ramp over a square is its value at the middle of the square.
    red = (left + (np.arange(width) + 0.5) * scale) * 0.125
    green = (top + (np.arange(height) + 0.5) * scale) * 0.15
    assert pixels.shape == (height, width, 3)
    assert np.abs(pixels[..., 0] - red).max() < 1.5
    assert np.abs(pixels[..., 1] - green[:, np.newaxis]).max() < 1.5
    # Rounding averages out, an offset would not: 0.55 of a grey value is 4 pixels of level 0.
    assert abs((pixels[..., 0] - red).mean()) < 0.55
    assert abs((pixels[..., 1] - green[:, np.newaxis]).mean()) < 0.55


@pytest.mark.parametrize("scale", [0.7, 1, 1.002, 1.4, 1.9])
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 0.8])
def test_places_are_right_to_a_third_of_a_pixel(scale: float, shift: float) -> None:
    slide = ramp(1.0, 1.0, 250, 250)
    pixels = read_scaled(slide, left=20 + shift, top=30, scale=scale, width=100, height=90)
    red = 20 + shift + (np.arange(100) + 0.5) * scale
    assert abs((pixels[..., 0] - red).mean()) < 0.34
    assert np.abs(pixels[..., 0] - red).max() <= 1.01


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.002, 1.7, 2.0, 3.3])
def test_neighbouring_reads_have_no_seam(scale: float) -> None:
    slide = ArraySlide(np.random.default_rng(1).integers(0, 255, (700, 900, 3), np.uint8))
    whole = read_scaled(slide, left=30.3, top=20.6, scale=scale, width=200, height=100)
    right = read_scaled(slide, left=30.3 + 120 * scale, top=20.6, scale=scale, width=80, height=100)
    assert np.abs(whole[:, 120:].astype(int) - right).max() <= 1


def test_a_level_that_fits_is_returned_as_it_is() -> None:
    slide = ArraySlide(np.random.default_rng(2).integers(0, 255, (1200, 1500, 3), np.uint8))
    pixels = read_scaled(slide, left=256, top=512, scale=2, width=128, height=64)
    assert np.array_equal(pixels, slide.read(256, 512, 1, 128, 64))


def test_a_whole_ratio_is_the_exact_mean() -> None:
    array = np.random.default_rng(3).integers(0, 255, (300, 300, 3), np.uint8)  # one level
    pixels = read_scaled(ArraySlide(array), left=30, top=60, scale=3, width=40, height=20)
    blocks = array[60:120, 30:150].reshape(20, 3, 40, 3, 3).mean(axis=(1, 3))
    assert np.abs(pixels - blocks).max() <= 0.6


def test_outside_the_slide_is_white_and_the_edge_stays_in_place() -> None:
    slide = ArraySlide(np.zeros((400, 300, 3), np.uint8))
    pixels = read_scaled(slide, left=-50, top=-20, scale=1, width=400, height=500)
    expected = np.full((500, 400, 3), 255)
    expected[20:420, 50:350] = 0
    assert np.array_equal(pixels, expected)
    far = read_scaled(slide, left=5000, top=-9000, scale=1.5, width=10, height=10)
    assert far.min() == 255


def test_a_region_too_large_to_hold_is_read_in_parts_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slide = ArraySlide(np.random.default_rng(4).integers(0, 255, (500, 500, 3), np.uint8))
    view = {"left": 3.0, "top": 5.0, "scale": 2.3, "width": 200, "height": 210}
    whole = read_scaled(slide, **view)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(base, "SOURCE_BUDGET", 5000)
    parts = read_scaled(slide, **view)  # pyright: ignore[reportArgumentType]
    assert np.abs(whole.astype(int) - parts).max() <= 1


def test_one_pixel_of_a_whole_slide_is_its_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SOURCE_BUDGET", 5000)
    slide = ramp(0.5, 0.5, 400, 400)
    pixel = read_scaled(slide, left=0, top=0, scale=400, width=1, height=1)
    assert np.abs(pixel[0, 0, :2] - 100.0).max() < 3


@pytest.mark.parametrize(("size", "shape"), [(100, (75, 100, 3)), (5000, (900, 1200, 3))])
def test_a_thumbnail_keeps_the_proportions_and_is_never_magnified(
    size: int, shape: tuple[int, ...]
) -> None:
    slide = ramp(0.2, 0.2, 1200, 900)
    assert slide.thumbnail(size).shape == shape


def test_magnifying_is_bilinear() -> None:
    array = np.random.default_rng(5).integers(0, 255, (40, 50, 3), np.uint8)
    pixels = read_scaled(ArraySlide(array), left=10, top=10, scale=0.25, width=80, height=60)
    oracle = Image.fromarray(array).resize((200, 160), Image.Resampling.BILINEAR)
    assert np.abs(pixels.astype(int) - np.asarray(oracle)[40:100, 40:120]).max() <= 1
