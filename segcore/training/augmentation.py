"""Random changes of a crop that keep its classes: geometry, stain, light, focus, compression. Numpy only."""

import math
from io import BytesIO

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from segcore.data.sample import Codes, Rgb
from segcore.training.recipe import Augmentation
from segcore.training.restaining import Restaining, recoloured, restain

# Optical densities of haematoxylin, eosin and a residual in red, green, blue (Ruifrok and Johnston 2001).
STAINS = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]])
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SHARPENING = (0.3, 1.2)
"""How many times the details of a pixel's width are added to a picture."""
COARSENESS = (0.45, 0.85)
"""What a picture of lower resolution has left of its side."""
QUALITY = (30, 85)
"""Of JPEG."""

Crop = tuple[Rgb, Codes]


def augment(
    image: Rgb,
    codes: Codes,
    rng: np.random.Generator,
    how: Augmentation,
    restaining: Restaining | None = None,
) -> Crop:
    """Change a square crop at random: quarter turns and flips, stain, light, colour, focus, compression.

    `restaining`: the stains of the crop's picture and those of others; None where its own are not known.
    """
    quarters = int(rng.integers(4)) if how.quarter_turns else 0
    image, codes = turn(image, codes, quarters + 4 * (how.flips and int(rng.integers(2))))
    changed = change_stain(image, rng, how, restaining)
    changed = jitter_light(changed, rng, contrast=how.contrast, brightness=how.brightness)
    if how.saturation or how.hue:
        changed = jitter_colour(changed, rng, saturation=how.saturation, hue=how.hue)
    if how.tint or how.gamma:
        changed = jitter_response(changed, rng, tint=how.tint, gamma=how.gamma)
    changed = np.clip(change_focus(changed, rng, how), 0, 255).astype(np.uint8)
    if how.jpeg_odds and rng.random() < how.jpeg_odds:
        changed = compress(changed, rng)
    return changed, codes


def change_stain(
    image: Rgb,
    rng: np.random.Generator,
    how: Augmentation,
    restaining: Restaining | None = None,
) -> np.ndarray:
    """Move the stains towards another picture's, jitter them or keep them; (H, W, 3) float32, 0 to 255."""
    if restaining and how.restain_odds and rng.random() < how.restain_odds:
        return restain(image, restaining, rng)
    if rng.random() >= how.stain_odds:
        return image.astype(np.float32)
    spread = 1 + rng.uniform(-how.stain_spread, how.stain_spread) if how.stain_spread else 1.0
    return jitter_stain(image, rng, strength=how.stain * spread)


def change_focus(image: np.ndarray, rng: np.random.Generator, how: Augmentation) -> np.ndarray:
    """Leave a picture as it is, or blur it, sharpen it, or lower its resolution."""
    luck = rng.random()
    if luck < how.blur_odds:
        return gaussian_filter(image, (rng.uniform(*how.blur),) * 2 + (0,))
    luck -= how.blur_odds
    if luck < how.sharpen_odds:
        return image + rng.uniform(*SHARPENING) * (image - gaussian_filter(image, (1.0, 1.0, 0)))
    return coarsened(image, rng) if luck - how.sharpen_odds < how.coarse_odds else image


def coarsened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture at a lower resolution, of the same size; float32."""
    height, width = image.shape[:2]
    factor = rng.uniform(*COARSENESS)
    small = max(1, round(width * factor)), max(1, round(height * factor))
    picture = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    coarse = picture.resize(small, Image.Resampling.BOX)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def compress(image: Rgb, rng: np.random.Generator) -> Rgb:
    """Pass a picture through JPEG of a random quality."""
    stream = BytesIO()
    low, high = QUALITY
    Image.fromarray(image).save(stream, "JPEG", quality=int(rng.integers(low, high + 1)))
    return np.array(Image.open(stream))


def mix(first: Crop, second: Crop, rng: np.random.Generator) -> Crop:
    """Lay blobs of the second crop over the first: borders between tissues that never met.

    After CutMix (Yun et al. 2019), with round shapes in place of boxes. Along the seam nothing is labelled.
    """
    size = len(first[1])
    grid = rng.normal(size=(5, 5)).astype(np.float32)
    field = np.asarray(Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC))
    level = np.quantile(field, rng.uniform(0.4, 0.75))
    soft = np.clip((field - level) * size / 6 + 0.5, 0, 1)  # a seam of a few pixels
    image = first[0] * (1 - soft[..., None]) + second[0] * soft[..., None]
    codes = np.where(soft > 0.5, second[1], first[1])
    return image.astype(np.uint8), np.where((soft > 0) & (soft < 1), 0, codes).astype(np.uint8)


def random_cut(
    image: Rgb,
    codes: Codes,
    rng: np.random.Generator,
    how: Augmentation,
    *,
    centre: tuple[int, int],
    size: int,
) -> Crop:
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
) -> Crop:
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


def turn(image: Rgb, codes: Codes, way: int) -> Crop:
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
    return recoloured(image, change, rng.normal(0, 0.03 * strength, 3))


def jitter_light(
    image: np.ndarray, rng: np.random.Generator, *, contrast: float, brightness: float
) -> np.ndarray:
    """Vary contrast by up to this share and brightness by up to these grey values."""
    factor, shift = rng.uniform(1 - contrast, 1 + contrast), rng.uniform(-brightness, brightness)
    middle = image.mean()
    return ((image - middle) * factor + middle + shift).astype(np.float32)


def jitter_response(
    image: np.ndarray, rng: np.random.Generator, *, tint: float, gamma: float
) -> np.ndarray:
    """Vary what a scanner makes of light: a factor of each channel, and an exponent of all."""
    factors = np.exp(rng.normal(0, tint, 3))
    bright = np.clip(image * factors, 0, 255) / 255
    return (255 * bright ** np.exp(rng.normal(0, gamma))).astype(np.float32)


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
