"""Random changes of a crop that keep its classes: geometry, stain, light, focus. Numpy only."""

import math

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from segcore.data.sample import Codes, Rgb
from segcore.training.recipe import Augmentation

# Optical densities of haematoxylin, eosin and a residual in red, green, blue (Ruifrok and Johnston 2001).
STAINS = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]])
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def augment(
    image: Rgb, codes: Codes, rng: np.random.Generator, how: Augmentation
) -> tuple[Rgb, Codes]:
    """Change a square crop at random: quarter turns and flips, stain, light, colour, and focus."""
    quarters = int(rng.integers(4)) if how.quarter_turns else 0
    image, codes = turn(image, codes, quarters + 4 * (how.flips and int(rng.integers(2))))
    changed = image.astype(np.float32)
    if rng.random() < how.stain_odds:
        changed = jitter_stain(image, rng, strength=how.stain)
    changed = jitter_light(changed, rng, contrast=how.contrast, brightness=how.brightness)
    if how.saturation or how.hue:
        changed = jitter_colour(changed, rng, saturation=how.saturation, hue=how.hue)
    if rng.random() < how.blur_odds:
        changed = gaussian_filter(changed, (rng.uniform(*how.blur),) * 2 + (0,))
    return np.clip(changed, 0, 255).astype(np.uint8), codes


def random_cut(
    image: Rgb,
    codes: Codes,
    rng: np.random.Generator,
    how: Augmentation,
    *,
    centre: tuple[int, int],
    size: int,
) -> tuple[Rgb, Codes]:
    """Cut a square of `size` pixels about `centre` (row, column), magnified and rotated at random."""
    scale = rng.uniform(*how.scale) / (1 - rng.uniform(0, how.crop))
    angle = rng.uniform(-how.rotation, how.rotation)
    return cut(image, codes, centre=centre, size=size, scale=scale, angle=angle)


def cut(
    image: Rgb,
    codes: Codes,
    *,
    centre: tuple[int, int],
    size: int,
    scale: float,
    angle: float = 0.0,
) -> tuple[Rgb, Codes]:
    """Cut a square of `size` pixels about `centre` (row, column), magnified by `scale`, turned by `angle`.

    What lies outside the picture mirrors the picture and is unlabelled. `angle` in degrees.
    """
    turned = math.radians(angle)
    around = math.ceil(size * (abs(math.cos(turned)) + abs(math.sin(turned))) - 1e-6)
    side = max(8, round(around / scale))
    rows, columns = (_span(c, side, n) for c, n in zip(centre, codes.shape, strict=True))
    inside = codes[rows.clip(0, len(codes) - 1)[:, None], columns.clip(0, codes.shape[1] - 1)]
    known = _within(rows, codes.shape[0])[:, None] & _within(columns, codes.shape[1])
    part = image[_mirror(rows, codes.shape[0])[:, None], _mirror(columns, codes.shape[1])]
    edge = (around - size) // 2
    middle = (edge, edge, edge + size, edge + size)  # what has no corner beyond the rotated square
    smooth, nearest = Image.Resampling.BILINEAR, Image.Resampling.NEAREST
    scaled = Image.fromarray(part).resize((around, around), smooth).rotate(angle, smooth)
    mask = Image.fromarray(inside * known).resize((around, around), nearest).rotate(angle, nearest)
    return np.array(scaled.crop(middle)), np.array(mask.crop(middle))


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


def jitter_light(
    image: np.ndarray, rng: np.random.Generator, *, contrast: float, brightness: float
) -> np.ndarray:
    """Vary contrast by up to this share and brightness by up to these grey values."""
    factor, shift = rng.uniform(1 - contrast, 1 + contrast), rng.uniform(-brightness, brightness)
    middle = image.mean()
    return ((image - middle) * factor + middle + shift).astype(np.float32)


def jitter_colour(
    image: np.ndarray, rng: np.random.Generator, *, saturation: float, hue: float
) -> np.ndarray:
    """Vary saturation by up to this share and hue by up to these degrees; greys stay as they are."""
    factor = rng.uniform(1 - saturation, 1 + saturation)
    turned = math.radians(rng.uniform(-hue, hue))
    grey = image @ LUMA
    colour = (image - grey[..., None]) * factor
    return (grey[..., None] + colour @ _about_grey(turned)).astype(np.float32)


def _about_grey(angle: float) -> np.ndarray:
    """Return the (3, 3) rotation about the axis of greys, (1, 1, 1)."""
    even = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return math.cos(angle) * np.eye(3) + (1 - math.cos(angle)) * even + math.sin(angle) * cross
