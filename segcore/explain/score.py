"""What is explained: one number for "how much of this class", and the input it is computed from."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.errors import ModelError
from segcore.models import Bundle


def class_score(logits: Tensor, class_index: int, pixels: Tensor | None = None) -> Tensor:
    """Return (N,): the mean logit of the class over `pixels` (N, H, W), `class_pixels` where not given."""
    chosen = class_pixels(logits, class_index) if pixels is None else pixels
    return (logits[:, class_index] * chosen).sum((1, 2)) / chosen.sum((1, 2))


def class_pixels(logits: Tensor, class_index: int) -> Tensor:
    """Return (N, H, W): 1 where (N, C, H, W) `logits` predict the class, or everywhere if they do nowhere."""
    mine = torch.stack([predicted_as(each, class_index) for each in logits])
    nowhere = ~mine.any(dim=(1, 2), keepdim=True)
    return (mine | nowhere).to(logits.dtype)


def check_class(bundle: Bundle, class_index: int) -> None:
    """Raise ModelError unless `class_index` is a channel of the bundle."""
    if not 0 <= class_index < len(bundle.classes):
        raise ModelError(
            f"The model has the classes 0 to {len(bundle.classes) - 1}, not {class_index}."
        )


def network_input(bundle: Bundle, image: npt.NDArray[np.uint8], class_index: int) -> Tensor:
    """Return the normalised (1, 3, H, W) input of the unfolded float32 network."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ModelError(f"An image must be (H, W, 3) uint8, not {image.shape} of {image.dtype}.")
    check_class(bundle, class_index)
    tiles = torch.from_numpy(np.require(image, requirements=["C", "W"]))[None]
    return bundle.network_input(tiles).requires_grad_()


def logits_of(network: nn.Module, pixels: Tensor, side: int) -> Tensor:
    """Return (C, side, side) logits of one tile, whose input a step of the card may have resized."""
    logits = network(pixels)
    if logits.shape[-1] != side:
        logits = F.interpolate(logits, (side, side), mode="bilinear")
    return logits[0]


def predicted_as(logits: Tensor, class_index: int) -> Tensor:
    """Return (H, W): where (C, H, W) `logits` predict the class; with one class, where its logit is positive."""
    return logits[0] > 0 if len(logits) == 1 else logits.argmax(0) == class_index
