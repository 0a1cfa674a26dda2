"""Weights of other programs (`.pth`) made into bundles: only when asked, and never unpickled in this process."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import torch

from segcore.errors import ModelError
from segcore.models.bundle_files import LARGEST, expected_tensors, read_weights, save_bundle
from segcore.models.bundle_format import Card, TrainingData, write_card
from segcore.models.registry import create_model
from segcore.models.sandbox import run_child

SAFE_TORCH = (2, 10)
"""Before it, a file could corrupt the restricted unpickler's memory (CVE-2026-24747)."""


def import_weights(file: Path, folder: Path, card: Card, *, assumed: Sequence[str] = ()) -> Card:
    """Save the state dict in `file` as a bundle in `folder`, which must not exist; return its card.

    `card` names the network, classes, pixel size and normalisation; what it says about training and
    metrics is replaced by the truth: where the file came from, that nothing is measured, and what was
    only `assumed` ("its pixel size").
    Raises ModelError; then nothing is written.
    """
    _check(file, folder)
    card = _honest(card, file, assumed)
    write_card(card)  # what does not hold together is refused before the work
    expected = expected_tensors(card)
    kind = card.architecture
    network = {"name": kind.name, "classes": len(card.classes), "arguments": kind.arguments}
    with tempfile.TemporaryDirectory(prefix="acinus-import-") as scratch:
        out = Path(scratch) / "weights.safetensors"
        arguments = [str(file.resolve()), str(out), json.dumps(network)]
        run_child("segcore.models.unpickling", arguments, file=file, folder=Path(scratch))
        weights = read_weights(out, expected, network=kind.name)
    model = create_model(kind.name, classes=len(card.classes), **kind.arguments)
    model.load_state_dict(weights)
    return save_bundle(folder, model, card, half=False)


def _check(file: Path, folder: Path) -> None:
    if tuple(map(int, torch.__version__.split(".")[:2])) < SAFE_TORCH:
        raise ModelError(
            f"torch {torch.__version__} does not read foreign weights safely; install 2.10 or newer."
        )
    if not file.is_file():
        raise ModelError(f"There is no file {file}; check the name.")
    if file.stat().st_size > LARGEST:
        raise ModelError(f"The file {file} is too large to hold a network's weights.")
    if folder.exists():
        raise ModelError(f"There is a bundle {folder.name!r} already; choose another name.")


def _honest(card: Card, file: Path, assumed: Sequence[str]) -> Card:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    summary = (
        f"Unknown here: the weights were imported from {file.name} (sha256 {digest}) "
        f"on {datetime.now(UTC):%Y-%m-%d}."
    )
    limits = "Nothing has been measured with these weights in this program; measure before you rely on them."
    if assumed:
        limits += f" Nobody has said {', '.join(assumed)}: assumed, and wrong masks follow where it is wrong."
    return msgspec.structs.replace(
        card, trained=True, training=TrainingData(summary), metrics=(), limits=limits
    )
