"""Expected gradients (GradientSHAP): which pixels move the class score away from blank glass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from segcore.explain.score import class_pixels, class_score, network_input
from segcore.models import Bundle
from segcore.models.normalisation import normalise
from segcore.progress import Report, silent

LARGEST = 99.5
"""The percentile of the sizes that a map is divided by; the few above are cut to 1."""


def shap_map(
    bundle: Bundle,
    image: npt.NDArray[np.uint8],
    class_index: int,
    *,
    samples: int = 12,
    blur: float = 2.0,
    seed: int = 0,
) -> npt.NDArray[np.float32]:
    """Return (H, W) float32 in [-1, 1]: what each pixel of `image` (H, W, 3) adds to the class score.

    Lundberg and Lee 2017 by captum's GradientShap: gradients at `samples` random points between white and
    the image. Summed over colour, blurred by `blur` pixels, divided by the 99.5th percentile. Raises
    ModelError where image or class do not fit.
    """
    with torch.inference_mode(mode=False):
        pixels = network_input(bundle, image, class_index).detach()
        # The score keeps to the pixels predicted on the image itself, not on what lies between.
        with torch.no_grad():
            where = class_pixels(bundle.model(pixels), class_index)

        def score(x: Tensor) -> Tensor:
            return class_score(bundle.model(x), class_index, where)

        total = expected_gradients(bundle, score, pixels, samples=samples, seed=seed).numpy()
    return in_unit_range(gaussian_filter(total, blur) if blur else total)


def expected_gradients(
    bundle: Bundle,
    score: Callable[[Tensor], Tensor],
    pixels: Tensor,
    *,
    samples: int,
    seed: int,
    report: Report = silent,
) -> Tensor:
    """Return (H, W): what each pixel of a normalised (1, 3, H, W) input adds to `score` (1,), colours summed.

    The same seed draws the same points between white and every input. `report` is called before each.
    """
    from captum.attr import GradientShap  # noqa: PLC0415 - slow to load, and only this needs it

    baseline = normalise(torch.full_like(pixels, 255), bundle.card.normalisation)
    total = torch.zeros(pixels.shape[2:])
    explainer = GradientShap(score)
    with torch.inference_mode(mode=False), torch.enable_grad(), _seeded(seed):
        # One at a time: a batch of samples would take as much memory again.
        for number in range(samples):
            report(number / samples, f"point {number + 1} of {samples}")
            part = explainer.attribute(pixels.clone(), baselines=baseline, n_samples=1, stdevs=0.0)
            total += part.detach().sum(1)[0].cpu()
    return total / samples


def in_unit_range(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Divide by the 99.5th percentile of the sizes and cut to [-1, 1]; NaN stays NaN."""
    known = np.abs(values[np.isfinite(values)])
    largest = float(np.percentile(known, LARGEST)) if known.size else 0.0
    return np.clip(values / max(largest, 1e-12), -1, 1).astype(np.float32)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Make captum's draws repeatable: it uses the global generators, which are put back afterwards."""
    before = np.random.get_state()  # noqa: NPY002 - captum draws from it
    np.random.seed(seed)  # noqa: NPY002 - likewise
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002 - likewise
