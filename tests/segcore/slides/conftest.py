"""Small tiled TIFFs for the tests of the readers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """Return a function (width, height, seed) that makes a picture of noise."""
    return _noise


@pytest.fixture(scope="session")
def write_pyramid() -> Callable[..., Path]:
    """Return a function (path, pixels, levels, mpp, orientation) that writes a tiled TIFF."""
    return _write_pyramid


def _noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def _write_pyramid(
    path: Path,
    pixels: np.ndarray,
    *,
    levels: int = 1,
    mpp: float | None = None,
    orientation: int = 1,
) -> Path:
    """Write a generic tiled TIFF of means of 2 x 2 that OpenSlide reads."""
    resolution = (
        {}
        if mpp is None
        else {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": "CENTIMETER"}
    )
    with tifffile.TiffWriter(path) as file:
        for level in range(levels):
            file.write(
                pixels,
                photometric="rgb",
                tile=(128, 128),
                compression="zlib",
                subfiletype=int(level > 0),
                extratags=[(274, "H", 1, orientation, True)],
                metadata=None,
                **resolution,
            )
            pixels = np.asarray(Image.fromarray(pixels).reduce(2))
    return path
