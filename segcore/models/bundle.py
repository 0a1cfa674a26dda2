import copy
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.annotations import load_taxonomy
from segcore.errors import DeviceMemoryError, ModelError
from segcore.models.bundle_format import Card
from segcore.models.classification import TissueClassifier
from segcore.models.device import choose_device, fast_precision
from segcore.models.fusion import inference_engine
from segcore.models.normalisation import normalise
from segcore.slides.preprocessing import preprocess

Tiles = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]

CPU_BATCH = 2
"""Tiles that a CPU runs at once: with more, feature maps leave its cache and it is slower."""

ANY = 1 << 30
"""Tiles: as many as are given."""


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
        self.most = CPU_BATCH if device.type == "cpu" else ANY
        """Tiles that are run at once; fewer where the device's memory held no more."""

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
        if len(tiles) > self.most:
            parts = range(0, len(tiles), self.most)
            return np.concatenate([self.predict(tiles[i : i + self.most]) for i in parts])
        try:
            whole = np.require(tiles, requirements=["C", "W"])
            return self._run(torch.from_numpy(whole)).cpu().numpy()
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
        torch.cuda.empty_cache()
        if len(tiles) == 1:
            raise DeviceMemoryError("One tile does not fit the device's memory; use device cpu.")
        self.most = len(tiles) // 2
        return self.predict(tiles)

    def on(self, device: str) -> "Bundle":
        """Return the same bundle on another device; this one stays where it is."""
        place = choose_device(device)
        other = copy.copy(self)
        other.__dict__.pop("_engine", None)  # made for this device
        # Together, since the classifier shares the model's encoder.
        other.model, other.classifier = copy.deepcopy((self.model, self.classifier))
        for network in (other.model, other.classifier):
            if network is not None:
                network.to(place)
        other.device, other.precision = place, fast_precision(place)
        other.most = CPU_BATCH if place.type == "cpu" else ANY
        return other

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


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Tell it by the words where torch has no type for it: on Apple's devices and on the CPU."""
    words = ("out of memory", "allocate memory")
    return isinstance(error, torch.OutOfMemoryError) or any(each in str(error) for each in words)
