import msgspec
import torch
from torch import Tensor


class Normalisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How pixels become the network's input: (rgb / 255 - mean) / std, channel by channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def normalise(images: Tensor, how: Normalisation) -> Tensor:
    """Turn (N, 3, H, W) uint8 into the network's float32 input, channels last in memory."""
    mean = torch.tensor(how.mean, device=images.device).view(1, 3, 1, 1) * 255
    std = torch.tensor(how.std, device=images.device).view(1, 3, 1, 1) * 255
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)
