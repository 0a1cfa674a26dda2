"""A model from wherever it lies: a bundle by name or folder, or a package of another program."""

from collections.abc import Sequence
from pathlib import Path

from segcore.models import bundle_files
from segcore.models.bundle import Bundle
from segcore.models.foreign_models import find_foreign, load_foreign
from segcore.models.package_answers import Answers


def load_bundle(
    path_or_name: str | Path,
    device: str = "auto",
    *,
    trust: bool = False,
    mpp: float | None = None,
    classes: Sequence[str] = (),
) -> Bundle:
    """Load a bundle from its folder or by its name ("default" is the shipped one), or a foreign package.

    `trust` lets a package's TorchScript be run, which is a program, in a child process; `mpp` and `classes`
    (in channel order) say what a package does not, or say it better. Raises ModelError where it is missing,
    damaged, foreign or inconsistent, or the device is not there.
    """
    if (package := find_foreign(path_or_name)) is not None:
        return load_foreign(package, device, Answers(trust, mpp, tuple(classes)))
    return bundle_files.load_bundle(path_or_name, device)
