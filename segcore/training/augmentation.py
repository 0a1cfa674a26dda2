"""Random changes of a crop that keep its classes: geometry, stain, light, focus. Numpy only."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from segcore.data.sample import Codes, Rgb

# Optical densities of haematoxylin, eosin and a residual in red, green, blue (Ruifrok and Johnston 2001).
STAINS = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]])


def augment(image: Rgb, codes: Codes, rng: np.random.Generator) -> tuple[Rgb, Codes]:
    """Change a square crop at random: turns and flips, stain, light, and sometimes focus."""
    image, codes = turn(image, codes, int(rng.integers(8)))
    changed = jitter_stain(image, rng) if rng.random() < 0.9 else image.astype(np.float32)
    changed = jitter_light(changed, rng)
    if rng.random() < 0.25:
        changed = gaussian_filter(changed, (rng.uniform(0.3, 1.3),) * 2 + (0,))
    return np.clip(changed, 0, 255).astype(np.uint8), codes


def cut(
    image: Rgb, codes: Codes, *, centre: tuple[int, int], size: int, scale: float
) -> tuple[Rgb, Codes]:
    """Cut a square of `size` pixels about `centre` (row, column), magnified by `scale`.

    What lies outside the picture mirrors the picture and is unlabelled.
    """
    side = max(8, round(size / scale))
    rows, columns = (_span(c, side, n) for c, n in zip(centre, codes.shape, strict=True))
    inside = codes[rows.clip(0, len(codes) - 1)[:, None], columns.clip(0, codes.shape[1] - 1)]
    known = _within(rows, codes.shape[0])[:, None] & _within(columns, codes.shape[1])
    part = image[_mirror(rows, codes.shape[0])[:, None], _mirror(columns, codes.shape[1])]
    scaled = Image.fromarray(part).resize((size, size), Image.Resampling.BILINEAR)
    nearest = Image.fromarray(inside * known).resize((size, size), Image.Resampling.NEAREST)
    return np.array(scaled), np.array(nearest)


def _span(centre: int, side: int, length: int) -> np.ndarray:
    """Return `side` positions about `centre`, moved inside 0..length where that is possible."""
    start = centre - side // 2
    start = (length - side) // 2 if length < side else min(max(start, 0), length - side)
    return np.arange(start, start + side)


def _within(positions: np.ndarray, length: int) -> np.ndarray:
    return (positions >= 0) & (positions < length)


def _mirror(positions: np.ndarray, length: int) -> np.ndarray:
    period = positions % (2 * length)
    return np.where(period < length, period, 2 * length - 1 - period)


def turn(image: Rgb, codes: Codes, way: int) -> tuple[Rgb, Codes]:
    """Apply one of the eight symmetries of the square."""
    image, codes = np.rot90(image, way % 4), np.rot90(codes, way % 4)
    return (image[:, ::-1], codes[:, ::-1]) if way >= 4 else (image, codes)


def jitter_stain(image: Rgb, rng: np.random.Generator, *, strength: float = 1.0) -> np.ndarray:
    """Vary amount, background and hue of each stain in optical density; (H, W, 3) float32, 0 to 255."""
    unit = STAINS / np.linalg.norm(STAINS, axis=1, keepdims=True)
    shifted = unit + rng.normal(0, 0.06 * strength, unit.shape)
    amounts = np.exp(rng.normal(0, 0.22 * strength, 3))
    # Density -> stains -> other amounts -> other hues, all in one 3x3 matrix.
    change = np.linalg.inv(unit) @ np.diag(amounts) @ shifted
    density = -np.log((image.astype(np.float32) + 1) / 256)
    density = density @ change.astype(np.float32) + rng.normal(0, 0.03 * strength, 3)
    return (256 * np.exp(-density) - 1).astype(np.float32)


def jitter_light(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary contrast by up to 20 % and brightness by up to 20 grey values."""
    contrast, brightness = rng.uniform(0.8, 1.2), rng.uniform(-20, 20)
    middle = image.mean()
    return ((image - middle) * contrast + middle + brightness).astype(np.float32)
