"""Packages of other programs: found, looked into, run, and taken in among the user's own models."""

from pathlib import Path

from segcore.annotations.atomic import new_folder
from segcore.errors import ModelError
from segcore.models import bioimage_reading, wsinfer
from segcore.models.bundle_files import bundle_folders
from segcore.models.bundle_format import Card
from segcore.models.package_answers import Answers, keep_answers
from segcore.models.package_files import PackageFiles
from segcore.models.packaged_model import Foreign, PackagedModel


def is_foreign(path: Path) -> bool:
    """Tell whether a bioimage.io package or a WSInfer folder lies at `path`."""
    return bioimage_reading.is_package(path) or wsinfer.is_classifier(path)


def find_foreign(path_or_name: str | Path) -> Path | None:
    """Return where a package given by path, or by the name it was imported under, lies."""
    places = [Path(path_or_name)]
    if len(places[0].parts) == 1:
        places += [folder / path_or_name for folder in bundle_folders()]
    return next(filter(is_foreign, places), None)


def list_foreign() -> list[Foreign]:
    """Return the imported packages, without unreadable ones."""
    found = []
    for folder in bundle_folders():
        for path in sorted(folder.glob("*")):
            if is_foreign(path):
                try:
                    found.append(inspect_foreign(path))
                except ModelError:  # one bad package must not hide the others
                    continue
    return found


def inspect_foreign(path: Path) -> Foreign:
    """Return what a package says; nothing of it is run. Raises ModelError where it cannot be used here."""
    if wsinfer.is_classifier(path):
        return wsinfer.inspect_classifier(path)
    return bioimage_reading.inspect_package(path)


def load_foreign(path: Path, device: str, answers: Answers) -> PackagedModel:
    """Load a package with what is said about it now and was said before; raises ModelError."""
    if wsinfer.is_classifier(path):
        return wsinfer.load_as_segmenter(path, device, answers)
    return bioimage_reading.load_package(path, device, answers)


def import_package(path: Path, folder: Path, answers: Answers) -> Card:
    """Copy a package to `folder`, which must not exist, and remember `answers` about its weights.

    It is loaded first, so that what does not work is never taken in. Raises ModelError, ExportError.
    """
    if folder.exists():
        raise ModelError(f"There is a bundle {folder.name!r} already; choose another name.")
    card = load_foreign(path, "cpu", answers).card
    with new_folder(folder) as fresh:
        for name, content in _contents(path).items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(content)
    keep_answers(card.sha256, answers)
    return card


def _contents(path: Path) -> dict[str, bytes]:
    if not wsinfer.is_classifier(path):
        return bioimage_reading.package_contents(path)
    files = PackageFiles(path)
    names = wsinfer.classifier_files(path)
    return {name: files.read(name, most=wsinfer.LARGEST_WEIGHTS) for name in names}
