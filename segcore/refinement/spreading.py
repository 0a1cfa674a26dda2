"""Strokes that spread: what a person paints on a few pixels is proposed for the tissue around that looks alike."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from segcore.errors import ModelError
from segcore.progress import Report, silent
from segcore.refinement.propagation import Refinement, propagate_labels, with_seeds
from segcore.refinement.stencil import Floats

SPREADING = Refinement(alpha=0.998, sigma_intensity=0.015)
STRENGTH = 300.0
SMOOTHING = 2.0
"""Pixels: a stroke shall cross from cell to cell and stop where the tissue changes.

Looked at on four fields of three slides at 0.5 um per pixel: as sharp as they are, pixels let a stroke grow
to a disc (sigma 0.1) or hold it within a nucleus (0.03); smoothed, it follows nests and strands.
"""
TOLERANCE = 1e-3


def spread(
    probabilities: npt.NDArray[np.floating],
    image: npt.NDArray[np.generic],
    seeds: npt.NDArray[np.integer],
    *,
    by: Refinement = SPREADING,
    strength: float = STRENGTH,
    report: Report = silent,
) -> Floats:
    """Return (C, H, W) probabilities after the strokes in `seeds` (H, W; class index, -1 = none) have spread.

    As `propagate_labels` with `seeds`, but a pixel of a stroke counts as much as `strength` pixels of the
    network's opinion, and stays what it was painted; and pixels are compared after smoothing. `image` is
    (H, W, 3), uint8 or float in [0, 1]. ModelError for values that do not fit.
    """
    if not 1 <= strength <= 1e6:
        raise ModelError(f"A stroke needs a strength of 1 to a million, not {strength}.")
    Y = with_seeds(probabilities, seeds, strength)
    pixels = image.astype(np.float32) / (255 if image.dtype == np.uint8 else 1)
    F = propagate_labels(
        Y,
        gaussian_filter(pixels, (SMOOTHING, SMOOTHING, 0)),
        alpha=by.alpha,
        sigma_intensity=by.sigma_intensity,
        sigma_space=by.sigma_space,
        radius=by.radius,
        features=by.features,
        tolerance=TOLERANCE,
        device="cpu",
        report=report,
    ).clip(0, None)
    F /= np.maximum(F.sum(axis=0), 1e-12)
    return with_seeds(F, seeds, 1.0)


def probabilities_of(
    labels: npt.NDArray[np.uint8],
    confidence: npt.NDArray[np.uint8] | None,
    codes: Sequence[int],
) -> Floats:
    """Return (C, H, W): what a mask says of the classes with these pixel values, corrections included.

    Its confidence (0 to 255; 255 where it is None) for the class it names, the rest for the others alike;
    all alike where it names none of them.
    """
    named = np.stack([labels == code for code in codes])  # (C, H, W)
    sure = np.ones(labels.shape, np.float32) if confidence is None else confidence / np.float32(255)
    others = (1 - sure) / max(1, len(codes) - 1)
    found = np.where(named, sure, others).astype(np.float32)
    found[:, ~named.any(axis=0)] = 1 / len(codes)
    return found
