"""What is like the place under the pointer: the region around it, and its border."""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, Polygon

from segcore.annotations.shapes import Area, area_of, keep_largest

Likeness = npt.NDArray[np.floating[Any]]
"""(height, width), at least 0 where a pixel is alike."""
Region = npt.NDArray[np.bool_]

LEAST = 1e-4
"""What a likeness of 0 is taken for, so that no border passes through the centre of a pixel."""


def region_around(likeness: Likeness, column: int, row: int) -> Region:
    """Return the pixels alike that hang together (4-connected) with one; none where that is not alike."""
    numbers = components(likeness >= 0)
    here = numbers[row, column]
    return numbers == here if here else np.zeros(likeness.shape, bool)


def components(where: Region) -> npt.NDArray[np.int32]:
    """Return the number, from 1 on, of the connected (4) component of each pixel; 0 outside."""
    # scipy takes a while to load, which a window in which nothing is picked need not spend.
    from scipy.ndimage import label  # noqa: PLC0415

    numbers = np.empty(where.shape, np.int32)
    label(where, output=numbers)
    return numbers


def without_holes(region: Region) -> Region:
    from scipy.ndimage import binary_fill_holes  # noqa: PLC0415 (as above)

    return np.asarray(binary_fill_holes(region))


def blurred(pixels: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Return (height, width) or (height, width, channels) smoothed by a Gaussian of `sigma` pixels."""
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 (as above)

    smooth = np.empty_like(pixels)
    gaussian_filter(pixels, sigma, axes=(0, 1), output=smooth)
    return smooth


def border_of(region: Region, likeness: Likeness, *, left: float, top: float, scale: float) -> Area:
    """Return a region of pixels as an area in level-0 pixels, with its holes; empty where there is none.

    The window of the pixels begins at level-0 (left, top), `scale` level-0 pixels each. The border passes
    between the centres of the pixels where the likeness is 0.
    """
    from skimage.measure import find_contours  # noqa: PLC0415 (as above)

    known = np.where(region, np.maximum(likeness, LEAST), np.minimum(likeness, -LEAST))
    framed = np.pad(known.astype(float), 1, constant_values=-1.0)
    rings = [
        LineString((ring[:, ::-1] - 0.5) * scale + (left, top)) for ring in find_contours(framed, 0)
    ]
    if not rings:
        return Polygon()
    area = area_of(shapely.build_area(shapely.multilinestrings(rings)))
    return area_of(keep_largest(area).simplify(scale / 4))
