"""Expected gradients (GradientSHAP): which pixels move the class score away from blank glass."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter

from segcore.explain.score import class_pixels, class_score, network_input
from segcore.models import Bundle
from segcore.models.normalisation import normalise


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
    from captum.attr import GradientShap  # noqa: PLC0415 - slow to load, and only this needs it

    total = np.zeros(image.shape[:2], np.float32)
    with torch.inference_mode(mode=False), torch.enable_grad(), _seeded(seed):
        pixels = network_input(bundle, image, class_index).detach()
        baseline = normalise(torch.full_like(pixels, 255), bundle.card.normalisation)
        # The score keeps to the pixels predicted on the image itself, not on what lies between.
        where = class_pixels(bundle.model(pixels).detach(), class_index)
        explainer = GradientShap(lambda x: class_score(bundle.model(x), class_index, where))
        for _ in range(
            samples
        ):  # one at a time: a batch of samples would take as much memory again
            part = explainer.attribute(pixels.clone(), baselines=baseline, n_samples=1, stdevs=0.0)
            total += part.detach().sum(1)[0].cpu().numpy()
    smooth = gaussian_filter(total, blur) if blur else total
    largest = float(np.percentile(np.abs(smooth), 99.5))
    return np.clip(smooth / max(largest, 1e-12), -1, 1).astype(np.float32)


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
