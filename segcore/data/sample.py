from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Rgb = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture and its reference mask, both at the working pixel size."""

    case: str
    """The patient, slide or region it comes from: what splits never cut."""
    source: str
    image: Rgb
    """(H, W, 3) uint8."""
    codes: Codes
    """(H, W) uint8: class codes of the taxonomy; 0 = unlabelled."""


def resample(image: Rgb, codes: Codes, *, factor: float) -> tuple[Rgb, Codes]:
    """Scale a picture and its mask by `factor`; the mask takes the nearest code."""
    height, width = codes.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if size == (width, height):
        return image, codes
    # PIL's filters widen when they reduce, so that both directions are free of aliasing.
    scaled = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    nearest = Image.fromarray(codes).resize(size, Image.Resampling.NEAREST)
    return np.asarray(scaled), np.asarray(nearest)
