"""Which files of a folder are slides, and which annotations belong to them: those of the same name."""

from pathlib import Path

from segcore.data.regions import ANNOTATIONS
from segcore.errors import DataError

SLIDES = (
    ".svs", ".tif", ".tiff", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide", ".dcm", ".czi",
    ".png", ".jpg", ".jpeg",
)  # fmt: skip


def slides_in(folder: Path) -> list[Path]:
    """Return the slides in a folder and below, but no masks; raises DataError where there are none."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; check the name.")
    found = sorted(
        each
        for each in folder.rglob("*")
        if each.suffix.lower() in SLIDES and not _is_mask(each, folder)
    )
    if not found:
        raise DataError(f"There are no slides in {folder}; give the folder that holds them.")
    return found


def _is_mask(file: Path, folder: Path) -> bool:
    """Whether a picture lies beside the slides to show what is marked on them."""
    words = [each.lower() for each in file.relative_to(folder).parts]
    return file.name.startswith(".") or any("mask" in each or "thumbnail" in each for each in words)


def annotation_files(folder: Path) -> dict[str, Path]:
    """Return the annotation files in a folder and below by their names without endings, in lower case."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder} with annotations; check the name.")
    found: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        name = file.name.lower()
        ending = next((each for each in ANNOTATIONS if name.endswith(each)), None)
        if ending and not name.startswith("."):
            found.setdefault(name.removesuffix(ending), file)
    return found
