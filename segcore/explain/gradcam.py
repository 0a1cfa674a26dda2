"""Grad-CAM: which places made the network answer with a class."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.errors import ModelError
from segcore.explain.layers import default_layer, explained_layers
from segcore.explain.score import class_score, network_input
from segcore.models import Bundle


def grad_cam(
    bundle: Bundle,
    image: npt.NDArray[np.uint8],
    class_index: int,
    *,
    layer: str | None = None,
) -> npt.NDArray[np.float32]:
    """Return (H, W) float32 in [0, 1]: how much each place of `image` (H, W, 3) speaks for a class.

    Selvaraju et al. 2017, eq. 1 and 2, with the class score of `class_score`; scaled to a maximum of 1, all
    0 where nothing speaks for the class. `class_index` is a channel of the bundle, `layer` a module's
    dotted name. Raises ModelError where either does not exist. Larger images than a few megapixels do not
    fit: cut them before.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        pixels = network_input(bundle, image, class_index)
        with captured(bundle.model, layer or default_layer(bundle.model)) as outputs:
            score = class_score(bundle.model(pixels), class_index)
        activation = outputs[-1]  # (1, K, h, w)
        (gradient,) = torch.autograd.grad(score.sum(), activation)
    weights = gradient.mean((2, 3), keepdim=True)  # eq. 1: alpha_k
    heat = F.relu((weights * activation.detach()).sum(1, keepdim=True))  # eq. 2: (1, 1, h, w)
    return _to_unit(heat, image.shape[:2])


@contextmanager
def captured(model: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Collect the layer's outputs; the hook is gone afterwards, whatever happens.

    Gradients begin at the layer: what comes before it needs none, and its graph would take gigabytes.
    """
    modules = dict(model.named_modules())
    if layer not in modules or layer == "":
        names = ", ".join(each.name for each in explained_layers(model))
        raise ModelError(f"The network has no layer {layer!r}; worth a look are {names}.")
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        outputs.append(output.detach().requires_grad_())
        return outputs[-1]

    handle = modules[layer].register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


def _to_unit(heat: Tensor, size: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Enlarge (1, 1, h, w) to `size` and divide by the maximum."""
    # A layer may cover the image padded to multiples of 32; what lies beyond the image is cut off.
    padded = [side + -side % 32 for side in size]
    large = F.interpolate(heat, padded, mode="bilinear", align_corners=False)
    cut = large[0, 0, : size[0], : size[1]]
    return (cut / cut.max().clamp_min(1e-12)).float().cpu().numpy()
