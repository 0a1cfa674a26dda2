"""Reading beyond the border of a slide, where the picture is mirrored: tissue may have been cut off there."""

import math

import numpy as np

from segcore.slides.base import Rgb, Slide, read_scaled


def read_mirrored(
    slide: Slide, *, left: float, top: float, scale: float, width: int, height: int
) -> Rgb:
    """Read as `read_scaled` does; pixels not wholly on the slide mirror those read that are, white where none is."""
    across, down = slide.dimensions
    first, last = _on_slide(left, scale, width, across)
    upper, lower = _on_slide(top, scale, height, down)
    if first >= last or upper >= lower:
        return np.full((height, width, 3), 255, np.uint8)
    pixels = read_scaled(
        slide,
        left=left + first * scale,
        top=top + upper * scale,
        scale=scale,
        width=last - first,
        height=lower - upper,
    )
    beyond = (upper, height - lower), (first, width - last), (0, 0)
    return np.pad(pixels, beyond, "symmetric") if any(map(any, beyond)) else pixels


def _on_slide(start: float, scale: float, count: int, length: int) -> tuple[int, int]:
    """Return the first of `count` pixels from `start` that lies on a side of `length`, and the one after the last."""
    first = max(0, math.ceil(-start / scale - 1e-6))
    return first, min(count, math.floor((length - start) / scale + 1e-6))
