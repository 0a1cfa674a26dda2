import logging
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from segcore.slides import colour_management, open_slide
from segcore.slides.colour_management import to_srgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def linear() -> bytes:
    """Return the profile of sRGB with a gamma of 1 in place of its curves."""
    profile = bytearray(SRGB)
    count = struct.unpack(">I", profile[128:132])[0]
    for n in range(count):
        name, offset, _ = struct.unpack(">4sII", profile[132 + 12 * n : 144 + 12 * n])
        if name in {b"rTRC", b"gTRC", b"bTRC"}:
            profile[offset : offset + 12] = b"curv" + bytes(8)  # no entries: the identity
    return bytes(profile)


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    colour_management._transform.cache_clear()


def test_colours_become_those_of_srgb() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    light = grey / 255  # IEC 61966-2-1, equations 5 and 6
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    shown = to_srgb(grey, linear())
    assert shown is not None
    assert np.abs(shown - expected).max() <= 1
    assert grey[0, 9, 0] == 9, "what was read is left as it is"


def test_pixels_of_srgb_are_left_alone(noise: Callable[..., np.ndarray]) -> None:
    pixels = noise(20, 10)
    assert to_srgb(pixels, SRGB) is pixels


@pytest.mark.parametrize("profile", [b"", b"nonsense" * 50, SRGB[:300], SRGB[:140] + b"\xff" * 448])
def test_a_damaged_profile_is_left_out_and_said_once(
    profile: bytes, caplog: pytest.LogCaptureFixture, noise: Callable[..., np.ndarray]
) -> None:
    with caplog.at_level(logging.WARNING):
        assert to_srgb(noise(4, 4), profile) is None
        assert to_srgb(noise(4, 4), profile) is None
    assert len(caplog.records) == 1
    assert "colour profile is left out" in caplog.text


def test_threads_share_one_transform(noise: Callable[..., np.ndarray]) -> None:
    tiles = [noise(64, 64, seed) for seed in range(40)]
    alone = [to_srgb(tile, linear()) for tile in tiles]
    colour_management._transform.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda tile: to_srgb(tile, linear()), tiles))
    assert colour_management._transform.cache_info().misses == 1
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "pyramid", "ome"])
def test_the_profile_of_every_kind_of_file_is_found_and_not_applied(
    tmp_path: Path, kind: str, noise: Callable[..., np.ndarray]
) -> None:
    pixels, profile = noise(300, 200), linear()
    path = tmp_path / f"a.{kind if kind in {'png', 'jpg'} else 'tif'}"
    options = {"photometric": "rgb", "tile": (64, 64), "compression": "zlib", "iccprofile": profile}
    if kind in {"png", "jpg", "tif"}:
        Image.fromarray(pixels).save(path, icc_profile=profile, quality=100)
    else:
        with tifffile.TiffWriter(path) as file:
            file.write(pixels, subifds=1 if kind == "ome" else None, metadata=None, **options)
            file.write(pixels[::2, ::2], subfiletype=1, metadata=None, **options)
    with open_slide(path) as slide:
        assert slide.icc_profile == profile
        if kind != "jpg":
            assert np.array_equal(slide.read(0, 0, 0, 300, 200), pixels)


def test_a_slide_without_a_profile_says_so(
    tmp_path: Path, noise: Callable[..., np.ndarray]
) -> None:
    Image.fromarray(noise(9, 9)).save(tmp_path / "a.png")
    with open_slide(tmp_path / "a.png") as slide:
        assert slide.icc_profile is None


def test_the_profile_of_a_real_slide_is_one(shared_data: Path) -> None:
    with open_slide(shared_data / "slides" / "tcga-cr-7395.svs") as slide:
        assert slide.icc_profile is not None
        ImageCms.ImageCmsProfile(BytesIO(slide.icc_profile))
        assert to_srgb(slide.read(0, 0, 0, 32, 32), slide.icc_profile) is not None
