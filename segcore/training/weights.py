"""Weights on disk: what a run leaves, and what another can start from."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from segcore.errors import DataError
from segcore.models import load_bundle

CHECKPOINT = "checkpoint.pt"
"""All that a run needs to go on."""
BEST = "best.safetensors"
"""The averaged weights of the validation with the highest Dice."""


@dataclass(frozen=True, eq=False)
class Start:
    """Weights of a whole network to start from, and where they come from, in words for a card."""

    weights: dict[str, Tensor]
    origin: str


def read_start(place: str | Path) -> Start:
    """Read a checkpoint or its run's folder, or a bundle by folder or name; raises DataError, ModelError."""
    path = Path(place)
    if path.is_file():
        weights = averaged_weights(path) if path.suffix == ".pt" else read_weights(path)
        return Start(weights, f"the checkpoint {path.name}")
    if (path / CHECKPOINT).is_file():
        return Start(best_weights(path), f"the run {path.name}")
    bundle = load_bundle(place, device="cpu")
    card = bundle.card
    return Start(bundle.model.state_dict(), f"the bundle {card.name!r} (licence: {card.licence})")


def best_weights(run: Path) -> dict[str, Tensor]:
    """Return a run's averaged weights: the best by validation, or the last where there was none."""
    best = run / BEST
    return read_weights(best) if best.is_file() else averaged_weights(run / CHECKPOINT)


def read_weights(file: Path) -> dict[str, Tensor]:
    """Read a safetensors file; raises DataError."""
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise DataError(f"The weights {file} cannot be read; give a safetensors file.") from error


def averaged_weights(checkpoint: Path) -> dict[str, Tensor]:
    """Return the averaged weights that a run has written to its checkpoint."""
    prefix = "module."
    state = read_checkpoint(checkpoint).get("averaged", {})
    return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}


def read_checkpoint(file: Path) -> dict[str, Any]:
    try:
        return torch.load(file, weights_only=True, map_location="cpu")
    except (RuntimeError, KeyError, ValueError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise DataError(
            f"The checkpoint {file} cannot be read; train into another folder."
        ) from error
