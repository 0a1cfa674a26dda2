"""Rules that turn coarse masks into weak labels: they leave unlabelled what they cannot be sure of."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter
from skimage.filters import threshold_otsu

from segcore.data.sample import Codes, Rgb

DENSE = 0.43
"""Share of nuclei that makes a place dense."""
TISSUE = 210
"""What is as bright in all channels is glass."""
MOSTLY = 0.45
"""Share of dense places below which a class is not believed at all."""


def keep_dense_nuclei(
    image: Rgb, codes: Codes, code: int, *, threshold: float, sigma: float = 16.0
) -> Codes:
    """Return the mask with `code` unlabelled where less than `DENSE` of the surroundings is nuclei.

    Nuclei are what is darker in red than `threshold`, see `nuclear_threshold`; "around" is a Gaussian of
    `sigma` pixels. Where less than `MOSTLY` of `code` is dense, none of it stays: it is stroma with spots.
    For lymphoid tissue that was only marked as "not tumor".
    """
    claimed = codes == code
    density = gaussian_filter((_red(image) < threshold).astype(np.float32), sigma)
    dense = density >= DENSE
    if claimed.any() and dense[claimed].mean() < MOSTLY:
        dense[:] = False
    return np.where(claimed & ~dense, 0, codes).astype(np.uint8)


def nuclear_threshold(images: Iterable[Rgb]) -> float:
    """Return Otsu's threshold of red within the tissue of pictures of one stain; 0 where they show no two reds.

    Of all together: in a picture without dense nuclei, its own threshold would part collagen. Pictures are
    looked at one by one.
    """
    counts = np.zeros(256, np.int64)
    for image in images:
        reds = _red(image)[image.min(axis=2) < TISSUE]
        counts += np.bincount(reds.round().astype(np.uint8), minlength=256)
    if np.count_nonzero(counts) < 2:
        return 0.0
    return float(threshold_otsu(hist=(counts, np.arange(256))))


def _red(image: Rgb) -> npt.NDArray[np.float32]:
    blurred: npt.NDArray[np.float32] = np.empty(image.shape[:2], np.float32)
    gaussian_filter(image[..., 0].astype(np.float32), 1.0, output=blurred)
    return blurred


def guard_borders(codes: Codes, width: int) -> Codes:
    """Return the mask with all pixels unlabelled that lie within `width` of another code."""
    size = 2 * width + 1
    mixed: npt.NDArray[np.bool_] = maximum_filter(codes, size) != minimum_filter(codes, size)
    return np.where(mixed, 0, codes).astype(np.uint8)


def open_holes(image: Rgb, codes: Codes, other: int, *, brightness: float = 215.0) -> Codes:
    """Return the mask with `other` where a picture is bright all around: glass, fat, lumens."""
    dimmest = gaussian_filter(image.min(axis=2).astype(np.float32), 4.0)
    return np.where(dimmest > brightness, other, codes).astype(np.uint8)
