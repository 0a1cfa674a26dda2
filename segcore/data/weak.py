"""Rules that turn coarse masks into weak labels: they leave unlabelled what they cannot be sure of."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter
from skimage.filters import threshold_otsu

from segcore.data.sample import Codes, Rgb

DENSE = 0.42


def keep_dense_nuclei(image: Rgb, codes: Codes, code: int, *, sigma: float = 16.0) -> Codes:
    """Return the mask with `code` unlabelled where less than `DENSE` of the surroundings is nuclei.

    Nuclei are what is dark in red, by Otsu's threshold within the tissue; "around" is a Gaussian of
    `sigma` pixels. For lymphoid tissue that was only marked as "not tumor".
    """
    red = gaussian_filter(image[..., 0].astype(np.float32), 1.0)
    tissue = image.min(axis=2) < 210
    if not tissue.any():
        return np.where(codes == code, 0, codes).astype(np.uint8)
    nuclei = tissue & (red < threshold_otsu(red[tissue]))
    density = gaussian_filter(nuclei.astype(np.float32), sigma)
    return np.where((codes == code) & (density < DENSE), 0, codes).astype(np.uint8)


def guard_borders(codes: Codes, width: int) -> Codes:
    """Return the mask with all pixels unlabelled that lie within `width` of another code."""
    size = 2 * width + 1
    mixed: npt.NDArray[np.bool_] = maximum_filter(codes, size) != minimum_filter(codes, size)
    return np.where(mixed, 0, codes).astype(np.uint8)
