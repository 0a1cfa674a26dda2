from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.annotations import load_taxonomy
from segcore.errors import ModelError
from segcore.models.bundle_format import Card
from segcore.models.classification import TissueClassifier
from segcore.models.device import fast_precision
from segcore.models.fusion import inference_engine
from segcore.models.normalisation import normalise
from segcore.slides.preprocessing import preprocess

Tiles = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]

CPU_BATCH = 2
"""Tiles that a CPU runs at once: with more, feature maps leave its cache and it is slower."""


class Bundle:
    """A network with its card: turns tiles of uint8 pixels into class probabilities."""

    classifier: TissueClassifier | None = None
    """What the card calls its classification; it shares the model's encoder."""

    def __init__(
        self, card: Card, model: nn.Module, device: torch.device, path: Path | None = None
    ) -> None:
        self.card = card
        self.device = device
        self.model = model.eval().to(device)
        """The network as it was trained, float32: for gradients."""
        self.precision = fast_precision(device)
        self.path = path
        """The folder it was loaded from."""

    def __repr__(self) -> str:
        return f"<Bundle {self.card.name} on {self.device}>"

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names in channel order."""
        return self.card.classes

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """Return each channel's pixel value in masks."""
        return tuple(load_taxonomy().named(name).code for name in self.classes)

    @property
    def mpp(self) -> float:
        return self.card.mpp

    @property
    def tile(self) -> int:
        return self.card.tile

    @property
    def halo(self) -> int:
        return self.card.halo

    @cached_property
    def _engine(self) -> nn.Module:
        return inference_engine(self.model, self.device, self.precision)

    def predict(self, tiles: Tiles) -> Probabilities:
        """Return (N, classes, H, W) float32 probabilities of (N, H, W, 3) uint8 tiles at `mpp`."""
        if tiles.ndim != 4 or tiles.shape[3] != 3 or tiles.dtype != np.uint8:
            raise ModelError(
                f"Tiles must be (N, H, W, 3) uint8, not {tiles.shape} of {tiles.dtype}."
            )
        if 0 in tiles.shape:
            return np.zeros((len(tiles), len(self.classes), *tiles.shape[1:3]), np.float32)
        if self.device.type == "cpu" and len(tiles) > CPU_BATCH:
            parts = range(0, len(tiles), CPU_BATCH)
            return np.concatenate([self.predict(tiles[i : i + CPU_BATCH]) for i in parts])
        try:
            return (
                self._run(torch.from_numpy(np.require(tiles, requirements=["C", "W"])))
                .cpu()
                .numpy()
            )
        except torch.OutOfMemoryError:
            if len(tiles) == 1:
                raise ModelError(
                    "One tile does not fit the device's memory; use device cpu."
                ) from None
        torch.cuda.empty_cache()
        half = len(tiles) // 2
        return np.concatenate([self.predict(tiles[:half]), self.predict(tiles[half:])])

    @torch.inference_mode()
    def _run(self, tiles: Tensor) -> Tensor:
        logits = self._engine(self.network_input(tiles)).float()  # (N, classes, h, w)
        if logits.shape[2:] != tiles.shape[1:3]:  # a step of the card has resized the tiles
            logits = F.interpolate(logits, tuple(tiles.shape[1:3]), mode="bilinear")
        return logits.sigmoid() if len(self.classes) == 1 else logits.softmax(1)

    def network_input(self, tiles: Tensor) -> Tensor:
        """Return (N, 3, h, w) float32 on the device, pre-processed and normalised as the card says."""
        if steps := self.card.preprocessing:
            pictures = [preprocess(tile, steps) for tile in tiles.numpy()]
            tiles = torch.from_numpy(np.stack(pictures))  # (N, h, w, 3) float32
        pixels = tiles.to(self.device, non_blocking=True).permute(0, 3, 1, 2)  # (N, 3, h, w)
        return normalise(pixels, self.card.normalisation)
