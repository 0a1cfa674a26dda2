"""Bundles on disk: `model.safetensors` and `bundle.json` in one folder, read with suspicion."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from segcore.config import resources, user_data
from segcore.errors import ModelError
from segcore.models.bundle import Bundle
from segcore.models.bundle_format import Card, read_card, write_card
from segcore.models.device import choose_device
from segcore.models.registry import create_model

CARD = "bundle.json"
WEIGHTS = "model.safetensors"
LARGEST = 2 << 30  # bytes; a segmentation network is a few hundred megabytes at most


def bundle_folders() -> tuple[Path, ...]:
    """Return where bundles are looked for by name: the user's, then the program's own."""
    return user_data() / "models", resources() / "models"


def list_bundles() -> list[Card]:
    """Return the cards of all bundles that can be loaded by name, under that name, without unreadable ones."""
    cards = {}
    for folder in bundle_folders():
        for file in sorted(folder.glob(f"*/{CARD}")):
            try:
                card = read_card(file.read_bytes(), source=str(file))
            except (ModelError, OSError):  # one bad bundle must not hide the others
                continue
            name = file.parent.name  # a copied folder keeps the card of the first
            cards.setdefault(name, msgspec.structs.replace(card, name=name))
    return list(cards.values())


def load_bundle(path_or_name: str | Path, device: str = "auto") -> Bundle:
    """Load a bundle from its folder, or by its name ("default" is the shipped one).

    Raises ModelError where it is missing, damaged, foreign or inconsistent, or the device is not there.
    """
    target = choose_device(device)
    folder = find_bundle(path_or_name)
    card = read_card(_content(folder / CARD), source=f"The file {folder / CARD}")
    model = create_model(
        card.architecture.name, classes=len(card.classes), **card.architecture.arguments
    )
    model.load_state_dict(_weights(folder / WEIGHTS, card, model.state_dict()))
    return Bundle(card, model, target, folder)


def find_bundle(path_or_name: str | Path) -> Path:
    """Return the folder of a bundle given by path or name; raises ModelError where there is none."""
    if Path(path_or_name).is_dir():
        return Path(path_or_name)
    if len(Path(path_or_name).parts) == 1:
        for folder in bundle_folders():
            if (folder / path_or_name / CARD).is_file():
                return folder / path_or_name
    if str(path_or_name) == "default":
        raise ModelError("There is no default bundle yet; train one or give the folder of another.")
    raise ModelError(f"There is no bundle {str(path_or_name)!r}; give a bundle's folder or name.")


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise ModelError(f"There is no {file.name} in {file.parent}; give the folder of a bundle.")
    if file.stat().st_size > LARGEST:
        raise ModelError(f"The file {file} is too large to be part of a bundle.")
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"The file {file} cannot be read: {error.strerror}.") from error


def _weights(file: Path, card: Card, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read weights as float32, after their hash, names, shapes and types have been compared."""
    if hashlib.sha256(_content(file)).hexdigest() != card.sha256:
        raise ModelError(f"The weights {file} are not those its card describes (sha256 differs).")
    try:
        with safe_open(file, framework="pt") as tensors:
            shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118 - not a mapping
            _compare(shapes, {name: tuple(t.shape) for name, t in expected.items()}, file, card)
            return {name: tensors.get_tensor(name).to(expected[name].dtype) for name in shapes}
    except (SafetensorError, RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"The weights {file} are damaged or not in safetensors format.") from error


def _compare(found: dict[str, Any], expected: dict[str, Any], file: Path, card: Card) -> None:
    wrong = sorted(n for n in found | expected if found.get(n) != expected.get(n))
    if wrong:
        raise ModelError(
            f"The weights {file} do not fit {card.architecture.name!r}: {wrong[0]} has another shape or is "
            f"missing (and {len(wrong) - 1} more); give a bundle made for this network."
        )


def save_bundle(folder: Path, model: nn.Module, card: Card, *, half: bool = True) -> Card:
    """Write a bundle whole or not at all, over an older one; return the card with the weights' sha256.

    `half` stores the kernels as float16, in half the space; everything is loaded as float32.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        save_file(_stored(model, half=half), fresh / WEIGHTS)
        digest = hashlib.sha256((fresh / WEIGHTS).read_bytes()).hexdigest()
        card = msgspec.structs.replace(card, sha256=digest)
        (fresh / CARD).write_bytes(write_card(card))
        fresh.chmod(0o755)  # mkdtemp and safetensors keep others out
        (fresh / WEIGHTS).chmod(0o644)
        _replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return card


def _stored(model: nn.Module, *, half: bool) -> dict[str, Tensor]:
    def stored(tensor: Tensor) -> Tensor:
        tensor = tensor.detach().cpu().contiguous()
        # BatchNorm statistics and biases are few, and variances can leave float16's range.
        return tensor.half() if half and tensor.is_floating_point() and tensor.ndim > 1 else tensor

    return {name: stored(tensor) for name, tensor in model.state_dict().items()}


def _replace(fresh: Path, folder: Path) -> None:
    """Put `fresh` where `folder` is; a folder cannot be replaced in one step, so the old one steps aside."""
    aside = fresh.with_name(fresh.name + "-old")
    if folder.exists():
        os.replace(folder, aside)  # noqa: PTH105 - pathlib's replace says the same
    fresh.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
