"""A network of another program in the place of a bundle."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segcore.annotations import Class, load_taxonomy
from segcore.errors import ModelError
from segcore.models.bundle import Bundle, Probabilities, Tiles
from segcore.models.bundle_format import Architecture, Card, TrainingData
from segcore.models.foreign_network import Kind
from segcore.models.normalisation import Normalisation
from segcore.models.package_answers import Answers, read_answers

Predict = Callable[[Tiles], Probabilities]

SYNONYMS = {
    "Tumor": ("tumour", "tum", "cancer", "carcinoma", "invasive", "malignant", "epithelium", "neoplastic"),
    "Stroma": ("connective", "fibrous", "collagen", "str"),
    "Lymphocyte": ("lymphocytes", "lymphocytic infiltrate", "immune", "inflammatory", "inflammation", "til", "tils", "lym"),
    "Necrosis": ("necrotic", "necrosis or debris", "debris", "nec"),
    "Other": ("background", "rest", "normal", "benign", "notumor", "non-tumor", "nottils", "adipose", "fat"),
}  # fmt: skip
"""What channels are called elsewhere: proposals for a person, never taken unasked."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A model of another program before anything of it is run: what it says, and what it leaves open."""

    path: Path
    name: str
    origin: str
    """What it is, as "bioimage.io package"."""
    authors: tuple[str, ...]
    licence: str
    kind: Kind
    weights: bytes
    channels: int
    said_classes: tuple[str, ...]
    """Of the channels, empty where it does not say."""
    said_mpp: float | None
    tile: int
    halo: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.weights).hexdigest()

    @property
    def runs_program(self) -> bool:
        return self.kind == "torchscript"

    @property
    def known(self) -> bool:
        """Tell whether a class that it names is one of the taxonomy's."""
        return len(self.said_classes) == self.channels and any(map(_found, self.said_classes))

    def proposals(self) -> tuple[str, ...]:
        """Return a likely class for each channel, "" where its name does not suggest one."""
        names = self.said_classes or ("",) * self.channels
        return tuple(map(propose_class, names))


class PackagedModel(Bundle):
    """Predicts in a child process, so there are no gradients."""

    def __init__(self, card: Card, predict: Predict, device: torch.device, path: Path) -> None:
        # Not the bundle's own constructor: there is no module to be moved to a device.
        self.card, self.device, self.path = card, device, path
        self.precision = torch.float32

        self._predict = predict

    def __getattr__(self, name: str) -> Any:
        if name == "model":
            raise ModelError(
                f"{self.card.name!r} comes as a package that only predicts; explain a bundle instead."
            )
        raise AttributeError(name)

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """Return each channel's pixel value in masks, 0 (unlabelled) where the taxonomy has no such class."""
        found = map(_found, self.classes)
        return tuple(each.code if each else 0 for each in found)

    def predict(self, tiles: Tiles) -> Probabilities:
        """Return (N, classes, H, W) float32 probabilities of (N, H, W, 3) uint8 tiles at `mpp`."""
        if tiles.ndim != 4 or tiles.shape[3] != 3 or tiles.dtype != np.uint8:
            raise ModelError(
                f"Tiles must be (N, H, W, 3) uint8, not {tiles.shape} of {tiles.dtype}."
            )
        shape = len(tiles), len(self.classes), *tiles.shape[1:3]
        if 0 in tiles.shape:
            return np.zeros(shape, np.float32)
        found = self._predict(tiles)
        if found.shape != shape:
            raise ModelError(
                f"{self.card.name!r} gives {found.shape} for tiles of {tiles.shape}; use its own tile size."
            )
        return found


def settled(foreign: Foreign, answers: Answers) -> Card:
    """Return the card of `foreign` with `answers`, given now or kept; raises ModelError where one is missing."""
    answers = answers.over(read_answers(foreign.sha256))
    place = foreign.path.name
    if foreign.runs_program and not answers.trusted:
        raise ModelError(
            f"The weights in {place} are TorchScript, which is a program; run it only if you trust it (--trust-model)."
        )
    trust = " --trust-model" if foreign.runs_program else ""
    how = f"say it once: segcore models import {place} --as NAME{trust}"
    mpp = answers.mpp or foreign.said_mpp
    if mpp is None:
        raise ModelError(f"{foreign.name!r} does not say its pixel size; {how} --mpp F.")
    names = answers.classes or foreign.said_classes
    known = ", ".join(each.name for each in load_taxonomy().classes)
    how = f"{how} --classes, then one for each of its {foreign.channels} channels from {known}"
    if len(names) != foreign.channels:
        raise ModelError(
            f"{foreign.name!r} has {foreign.channels} channels and {len(names)} names; {how}."
        )
    if not any(map(_found, names)):
        raise ModelError(f"None of the classes of {foreign.name!r} is known here; {how}.")
    return _card(foreign, names, mpp)


def _card(foreign: Foreign, names: Sequence[str], mpp: float) -> Card:
    found = [_found(name) for name in names]
    return Card(
        format="acinus-bundle-1",
        name=foreign.name,
        title=f"{foreign.name} ({foreign.origin})",
        architecture=Architecture(f"{foreign.origin.split()[0]} {foreign.kind}"),
        classes=tuple(each.name if each else name for each, name in zip(found, names, strict=True)),
        mpp=mpp,
        tile=foreign.tile,
        halo=foreign.halo,
        normalisation=Normalisation((0, 0, 0), (1, 1, 1)),  # the package's own steps take its place
        trained=True,
        training=TrainingData("Unknown here: the package's README may tell."),
        metrics=(),
        licence=foreign.licence,
        intended_use="Research use only.",
        limits="Nothing has been measured with this package in this program; measure before you rely on it.",
        sha256=foreign.sha256,
    )


def propose_class(channel: str) -> str:
    """Return the class that a channel's name suggests, "" where it suggests none."""
    if found := _found(channel):
        return found.name
    name = channel.replace("_", " ").casefold()
    return next((ours for ours, others in SYNONYMS.items() if name in others), "")


def _found(name: str) -> Class | None:
    """Return the class of a channel, whose name has no spaces."""
    return load_taxonomy().find(name.replace("_", " "))
