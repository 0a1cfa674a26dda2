"""Bundles on disk: `model.safetensors` and `bundle.json` in one folder, read with suspicion."""

import hashlib
import os
import shutil
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from segcore.config import resources, user_data
from segcore.errors import ModelError
from segcore.models.bundle import Bundle
from segcore.models.bundle_format import Card, read_card, write_card
from segcore.models.classification import TissueClassifier, classifier_for
from segcore.models.device import choose_device
from segcore.models.registry import create_model

CARD = "bundle.json"
WEIGHTS = "model.safetensors"
HEAD = "classification."
"""Before the names of the classifier's tensors."""
LARGEST = 2 << 30  # bytes; a segmentation network is a few hundred megabytes at most
LARGEST_CARD = 1 << 20
LARGEST_HEADER = 4 << 20  # bytes; a thousand tensors need a tenth of a megabyte


def bundle_folders() -> tuple[Path, ...]:
    """Return where bundles are looked for by name: the user's, then the program's own."""
    return user_data() / "models", resources() / "models"


def list_bundles() -> list[Card]:
    """Return the cards of all bundles that can be loaded by name, under that name, without unreadable ones."""
    cards = {}
    for folder in bundle_folders():
        for file in sorted(folder.glob(f"*/{CARD}")):
            try:
                card = read_card(_content(file, LARGEST_CARD), source=str(file))
            except ModelError:  # one bad bundle must not hide the others
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
    card = read_card(_content(folder / CARD, LARGEST_CARD), source=f"The file {folder / CARD}")
    expected = expected_tensors(card)
    _check_hash(folder / WEIGHTS, card)
    weights = read_weights(folder / WEIGHTS, expected, network=card.architecture.name)
    model, head = _networks(card)
    if head is not None:
        head.linear.load_state_dict({n: weights.pop(HEAD + n) for n in head.linear.state_dict()})
    model.load_state_dict(weights)
    bundle = Bundle(card, model, target, folder)
    bundle.classifier = head.eval().to(target) if head is not None else None
    return bundle


def find_bundle(path_or_name: str | Path) -> Path:
    """Return the folder of a bundle given by path or name; raises ModelError where there is none."""
    try:
        if Path(path_or_name).is_dir():
            return Path(path_or_name)
        if len(Path(path_or_name).parts) == 1:
            for folder in bundle_folders():
                if (folder / path_or_name / CARD).is_file():
                    return folder / path_or_name
    except (
        OSError
    ) as error:  # a name too long for the file system, a folder that may not be entered
        raise ModelError(
            f"The bundle {str(path_or_name)[:80]!r} cannot be looked for: {error.strerror}."
        ) from error
    if str(path_or_name) == "default":
        raise ModelError("There is no default bundle yet; train one or give the folder of another.")
    raise ModelError(f"There is no bundle {str(path_or_name)!r}; give a bundle's folder or name.")


def _content(file: Path, most: int) -> bytes:
    _check_size(file, most)
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"The file {file} cannot be read: {error.strerror}.") from error


def _check_size(file: Path, most: int) -> None:
    if not file.is_file():
        raise ModelError(f"There is no {file.name} in {file.parent}; give the folder of a bundle.")
    if file.stat().st_size > most:
        raise ModelError(f"The file {file} is too large to be part of a bundle.")


def _check_hash(file: Path, card: Card) -> None:
    _check_size(file, LARGEST)
    try:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"The file {file} cannot be read: {error.strerror}.") from error
    if found != card.sha256:
        raise ModelError(f"The weights {file} are not those its card describes (sha256 differs).")


def expected_tensors(card: Card) -> dict[str, Tensor]:
    """Return the card's networks' tensors without their numbers: names, shapes and types cost no memory."""
    with torch.device("meta"):
        model, head = _networks(card)
        return model.state_dict() | _head_tensors(head)


def _networks(card: Card) -> tuple[nn.Module, TissueClassifier | None]:
    """Return the card's network, untrained, and the classifier that shares its encoder, if there is one."""
    kind = card.architecture
    model = create_model(kind.name, classes=len(card.classes), **kind.arguments)
    part = card.classification
    return model, classifier_for(model, part.classes) if part else None


def _head_tensors(head: TissueClassifier | None) -> dict[str, Tensor]:
    return {HEAD + n: t for n, t in head.linear.state_dict().items()} if head is not None else {}


def read_weights(file: Path, expected: Mapping[str, Tensor], *, network: str) -> dict[str, Tensor]:
    """Read weights in the types of `expected`, after the header's names and shapes have been compared with it.

    Raises ModelError, in memory bounded by what `expected` takes, whatever the file declares.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    _check_size(file, LARGEST_HEADER + sum(8 * tensor.numel() for tensor in expected.values()))
    try:
        _check_header(file)
        with safe_open(file, framework="pt") as tensors:
            found = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118 - not a mapping
            _compare(found, shapes, file, network)
            weights = {n: tensors.get_tensor(n).to(expected[n].dtype) for n in found}
    except (SafetensorError, RuntimeError, ValueError, TypeError, KeyError, OSError) as error:
        raise ModelError(f"The weights {file} are damaged or not in safetensors format.") from error
    _check_finite(weights, file)
    return weights


def _check_header(file: Path) -> None:
    """Raise ValueError where the header declares itself longer than any network's."""
    with file.open("rb") as content:
        start = content.read(8)
    if len(start) < 8 or struct.unpack("<Q", start)[0] > LARGEST_HEADER:
        raise ValueError("the header is cut short or absurdly long")


def _check_finite(weights: Mapping[str, Tensor], file: Path) -> None:
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ModelError(f"The weights {file} hold values in {name} that are no numbers.")


def _compare(found: dict[str, Any], expected: dict[str, Any], file: Path, network: str) -> None:
    wrong = sorted(n for n in found | expected if found.get(n) != expected.get(n))
    if wrong:
        raise ModelError(
            f"The weights {file} do not fit {network!r}: {wrong[0][:80]!r} has another shape or is "
            f"missing (and {len(wrong) - 1} more); give a bundle made for this network."
        )


def save_bundle(
    folder: Path,
    model: nn.Module,
    card: Card,
    *,
    classifier: TissueClassifier | None = None,
    half: bool = True,
) -> Card:
    """Write a bundle whole or not at all, over an older one; return the card with the weights' sha256.

    `classifier` is the card's classification, on the model's own encoder. `half` stores the kernels as
    float16, in half the space; everything is loaded as float32.
    """
    if (classifier.classes if classifier else None) != (card.classification and card.classification.classes):  # fmt: skip
        raise ModelError(
            f"The card of {card.name!r} does not describe the classifier given with it."
        )
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        tensors = model.state_dict() | _head_tensors(classifier)
        save_file(_stored(tensors, half=half), fresh / WEIGHTS)
        digest = hashlib.sha256((fresh / WEIGHTS).read_bytes()).hexdigest()
        card = msgspec.structs.replace(card, sha256=digest)
        (fresh / CARD).write_bytes(write_card(card))
        fresh.chmod(0o755)  # mkdtemp and safetensors keep others out
        (fresh / WEIGHTS).chmod(0o644)
        _replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return card


def _stored(tensors: Mapping[str, Tensor], *, half: bool) -> dict[str, Tensor]:
    def stored(tensor: Tensor) -> Tensor:
        tensor = tensor.detach().cpu().contiguous()
        # BatchNorm statistics and biases are few, and variances can leave float16's range.
        return tensor.half() if half and tensor.is_floating_point() and tensor.ndim > 1 else tensor

    return {name: stored(tensor) for name, tensor in tensors.items()}


def _replace(fresh: Path, folder: Path) -> None:
    """Put `fresh` where `folder` is; a folder cannot be replaced in one step, so the old one steps aside."""
    aside = fresh.with_name(fresh.name + "-old")
    if folder.exists():
        os.replace(folder, aside)  # noqa: PTH105 - pathlib's replace says the same
    fresh.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
