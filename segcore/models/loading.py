"""A model from wherever it lies: a bundle by name or folder, or a bioimage.io package."""

from pathlib import Path

from segcore.models import bioimage_reading, bundle_files, wsinfer
from segcore.models.bundle import Bundle


def load_bundle(path_or_name: str | Path, device: str = "auto", *, trust: bool = False) -> Bundle:
    """Load a bundle from its folder or by its name ("default" is the shipped one), or a bioimage.io package.

    `trust` lets a package's TorchScript be run, which is a program, in a child process. Raises ModelError
    where it is missing, damaged, foreign or inconsistent, or the device is not there.
    """
    if bioimage_reading.is_package(Path(path_or_name)):
        return bioimage_reading.load_package(Path(path_or_name), device, trust=trust)
    wsinfer.refuse_as_segmenter(Path(path_or_name))
    return bundle_files.load_bundle(path_or_name, device)
