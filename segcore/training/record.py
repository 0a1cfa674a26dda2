"""The record of a run: what is needed to do the same again, in `run.json`."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import torch

from segcore.annotations.atomic import write_bytes
from segcore.data import Sample
from segcore.errors import DataError
from segcore.training.recipe import Recipe

RECORD = "run.json"
PACKAGES = ("acinus", "torch", "numpy", "scipy", "pillow", "safetensors")


def open_record(
    folder: Path, recipe: Recipe, data: dict[str, Any], *, origin: str, device: torch.device
) -> dict[str, Any]:
    """Write the record of a new run, or return that of the run in `folder`, which then goes on.

    `data` is what `describe_data` says, `origin` where the first weights come from. Raises DataError where
    the run there has another recipe, steps and epochs apart, or other pictures.
    """
    if not (folder / RECORD).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        record = _record(recipe, data, origin, device)
        write_bytes(folder / RECORD, json.dumps(record, indent=1).encode() + b"\n")
        return record
    record = read_record(folder)
    for key, now in (("recipe", msgspec.to_builtins(recipe)), ("data", data)):
        if _comparable(record.get(key, {})) != _comparable(now):
            raise DataError(
                f"The run in {folder} was begun with another {key}; train into another folder."
            )
    return record


def read_record(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"There is no record of a run in {folder}; train into it first.") from error


def _comparable(part: dict[str, Any]) -> Any:
    """Return what must not change while a run goes on; how long it goes may."""
    kept = {key: value for key, value in part.items() if key not in {"steps", "epochs"}}
    return json.loads(json.dumps(kept))  # tuples are lists there


def describe_data(
    training: Sequence[Sample], validation: Sequence[Sample], digest: str
) -> dict[str, Any]:
    """Return how many pictures and cases a run has, and the hash of what it trains on."""
    return {
        "manifest_sha256": digest,
        "training": {"pictures": len(training), "cases": len({s.case for s in training})},
        "validation": {"pictures": len(validation), "cases": len({s.case for s in validation})},
    }


def _record(
    recipe: Recipe, data: dict[str, Any], origin: str, device: torch.device
) -> dict[str, Any]:
    return {
        "format": "acinus-training-1",
        "recipe": msgspec.to_builtins(recipe),
        "data": data,
        "origin": origin,
        "device": str(device),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "git": git_revision(),
        "versions": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: version(name) for name in PACKAGES},
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def git_revision() -> str | None:
    """Return the revision of the program's checkout, with "-dirty" where it was changed; None elsewhere."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    place = Path(__file__).parent
    found = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return found.stdout.strip() or None
