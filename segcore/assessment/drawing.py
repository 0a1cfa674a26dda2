"""What the pictures of a report share: paper, ink, letters, and classes laid over tissue."""

import numpy as np
from PIL import Image, ImageFont

from segcore.annotations import Taxonomy
from segcore.assessment.prediction import Codes
from segcore.slides import Rgb

Colour = tuple[int, int, int]

PAPER, PANEL, INK, FAINT, GRID = (
    (250, 250, 248),
    (240, 241, 238),
    (30, 34, 38),
    (110, 116, 122),
    (214, 217, 214),
)
GREEN, RED = (38, 140, 100), (205, 85, 70)
_OPACITY = 0.5


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with `share` of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def sheet(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), PAPER)


def laid_over(image: Rgb, codes: Codes, taxonomy: Taxonomy) -> Rgb:
    """Tint (H, W, 3) with the classes of (H, W), their borders in full; what is unlabelled is grey and hatched."""
    tint, opacity = np.zeros((256, 3), np.float32), np.zeros(256, np.float32)
    for each in taxonomy.classes:
        tint[each.code], opacity[each.code] = each.colour, _OPACITY * (0.4 + 0.6 * each.emphasis)
    border = np.zeros(codes.shape, bool)
    border[1:] |= codes[1:] != codes[:-1]
    border[:, 1:] |= codes[:, 1:] != codes[:, :-1]
    weight = np.where(border & (codes > 0), 0.95, opacity[codes])[..., None]
    unlabelled = (codes == 0)[..., None]
    base = np.where(unlabelled, _hatched(image), image)
    return (base * (1 - weight) + tint[codes] * weight).round().astype(np.uint8)


def _hatched(image: Rgb) -> Rgb:
    """Return the picture in dim grey under diagonal lines, as many for small pictures as for large ones."""
    grey = 0.4 * image.mean(axis=2, keepdims=True) + 0.6 * 168
    rows, columns = np.indices(image.shape[:2])
    period = max(6, max(image.shape[:2]) // 28)
    line = np.asarray((rows + columns) % period < max(1, period // 7))
    return np.where(line[..., None], 235, grey).astype(np.uint8).repeat(3, axis=2)
