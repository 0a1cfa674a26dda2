import torch
from torch import Tensor, nn

from segcore.models.mobilenetv2 import MobileNetV2

STRIP = 256
"""Image rows that go through the first layers at once: their maps then stay in a CPU's cache."""
FIRST_LAYERS = 4
"""Layers run in strips: the first two stages, to stride 4."""
MARGIN = 16
"""Image rows around a strip; its layers see 9, and the stride of 4 must divide it."""


class StripwiseEncoder(nn.Module):
    """MobileNetV2 that takes its first two stages strip by strip, image by image: the same maps, less traffic.

    At 512 x 512 the widest map of these stages has 25 MB in float32, more than a cache holds.
    """

    def __init__(self, encoder: MobileNetV2) -> None:
        super().__init__()
        self.features = encoder.features
        self.ends = encoder.ends

    def forward(self, x: Tensor) -> list[Tensor]:
        images = [self._first_stages(image) for image in x.split(1)]
        maps = [torch.cat(stage) for stage in zip(*images, strict=True)]
        x = maps[-1]  # (N, 24, H/4, W/4)
        for i, layer in enumerate(self.features):
            if i >= FIRST_LAYERS:
                x = layer(x)
                if i + 1 in self.ends:
                    maps.append(x)
        return maps

    def _first_stages(self, image: Tensor) -> list[Tensor]:
        """Return both stages of one (1, 3, H, W) image."""
        strips = [self._strip(image, top) for top in range(0, image.shape[2], STRIP)]
        return [torch.cat(stage, dim=2) for stage in zip(*strips, strict=True)]

    def _strip(self, x: Tensor, top: int) -> list[Tensor]:
        """Return both stages of the image rows from `top`, without the margin that the strip was given."""
        first = max(0, top - MARGIN)
        rows = min(STRIP, x.shape[2] - top)
        part = x[:, :, first : top + STRIP + MARGIN]
        stages = []
        for i, layer in enumerate(self.features):
            if i < FIRST_LAYERS:
                part = layer(part)
                if i + 1 in self.ends:
                    stride = 2 ** (len(stages) + 1)
                    start = (top - first) // stride
                    stages.append(part[:, :, start : start + rows // stride])
        return stages
