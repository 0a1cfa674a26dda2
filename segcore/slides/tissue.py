"""Where a slide has tissue: Otsu's threshold on hue and on saturation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import binary_closing
from skimage.filters import threshold_otsu

from segcore.slides.base import Rgb, Slide, read_scaled

MPP = 8.0
"""Micrometres per pixel that tissue is looked for at."""
GLASS = 51
"""Of 255: glass is less saturated, whatever the camera makes of its colour."""
_MOST_PIXELS = 1 << 25


@dataclass(frozen=True, eq=False)
class Tissue:
    """A coarse map of a slide; each pixel covers `scale` x `scale` level-0 pixels from (0, 0)."""

    mask: npt.NDArray[np.bool_]
    scale: float

    def window(
        self, *, left: float, top: float, scale: float, width: int, height: int
    ) -> npt.NDArray[np.bool_]:
        """Return (height, width): whether pixels of `scale` level-0 pixels from (left, top) show tissue."""
        rows = (top + (np.arange(height) + 0.5) * scale) / self.scale
        columns = (left + (np.arange(width) + 0.5) * scale) / self.scale
        inside = _within(rows, self.mask.shape[0])[:, None] & _within(columns, self.mask.shape[1])
        nearest = np.ix_(_index(rows, self.mask.shape[0]), _index(columns, self.mask.shape[1]))
        return self.mask[nearest] & inside


def _within(places: npt.NDArray[np.floating], length: int) -> npt.NDArray[np.bool_]:
    return (places >= 0) & (places < length)


def _index(places: npt.NDArray[np.floating], length: int) -> npt.NDArray[np.intp]:
    return np.clip(places, 0, length - 1).astype(np.intp)


def find_tissue(slide: Slide, mpp: float) -> Tissue:
    """Look for tissue on the whole slide, whose level-0 pixels are `mpp` micrometres."""
    width, height = slide.dimensions
    scale = max(1.0, MPP / mpp, (width * height / _MOST_PIXELS) ** 0.5)
    size = max(1, round(width / scale)), max(1, round(height / scale))
    image = read_scaled(slide, left=0, top=0, scale=scale, width=size[0], height=size[1])
    return Tissue(tissue_mask(image), scale)


def tissue_mask(image: Rgb) -> npt.NDArray[np.bool_]:
    """Return (H, W): tissue is above Otsu's threshold both in hue and in saturation, small gaps closed.

    Hue runs from red over green and blue to red again; haematoxylin and eosin lie in its upper part, bare
    glass, which is grey, at its lower end (HI-Net, section 2.1). Two cases that the paper does not speak of:
    lavender glass, where hue parts eosin from haematoxylin and is left aside, and a picture without glass,
    where saturation would part pale tissue from dark.
    """
    hsv = np.asarray(Image.fromarray(image).convert("HSV"))
    hue, saturation = hsv[..., 0], hsv[..., 1]
    coloured = saturation > min(threshold_otsu(saturation), GLASS)
    upper = hue > threshold_otsu(hue)
    if np.count_nonzero(coloured & upper) > np.count_nonzero(coloured) / 2:
        coloured &= upper
    closed = binary_closing(np.pad(coloured, 3), iterations=3)
    return np.asarray(closed, np.bool_)[3:-3, 3:-3]
