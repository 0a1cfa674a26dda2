"""What spoils a picture of tissue: blur, and the marks of pens."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, sobel

from segcore.slides.base import Rgb

Mask = npt.NDArray[np.bool_]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
FAINT = 205
"""Of 255: tissue is darker than this in some channel."""
LEAST_TISSUE = 0.1

BLURRED = -1.5
"""Sharpness below this is out of focus.

On 201 fields of eleven sources and six slides at 0.25 to 1 um per pixel the sharp ones have -1.2 to 2.0 (but
for a few of mucus and bone, down to -3.2), blurred by two pixels -1.9 to -4; by one pixel, which harms little, about -1.2.
"""


def sharpness(picture: Rgb) -> float | None:
    """Return ln(fine / coarse gradient energy) of the tissue in a picture; None where it shows none.

    Tenengrad of what is finer than a pixel or so over that of what is coarser than two: a quotient, so that
    faint and strong stains, and tissues with much and with little in them, can be compared.
    """
    tissue = gaussian_filter((picture.min(axis=2) < FAINT).astype(np.float32), 3) > 0.5
    if tissue.mean() < LEAST_TISSUE:
        return None
    luma = picture.astype(np.float32) @ LUMA
    fine = _energy(luma - gaussian_filter(luma, 1))[tissue].mean()
    coarse = _energy(gaussian_filter(luma, 2))[tissue].mean()
    return float(np.log((fine + 1e-6) / (coarse + 1e-6)))


def _energy(luma: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    across, down = sobel(luma, axis=1) / 8, sobel(luma, axis=0) / 8
    return across**2 + down**2


def pen_marks(picture: Rgb) -> Mask:
    """Return (H, W): where a low-power picture shows blue, green or black pen; red looks like blood.

    Haematoxylin and eosin take more green light than red, the inks of pens more red than green. Black is
    darker than any tissue at low power, where nuclei melt into their surroundings.
    """
    red, green = picture[..., 0].astype(np.int16), picture[..., 1].astype(np.int16)
    most, least = picture.max(axis=2), picture.min(axis=2)
    coloured = (green - red > 12) & (most - least > 40)
    black = (most < 70) & (most - least < 25)
    return coloured | black
