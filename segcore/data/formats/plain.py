"""A plain folder: pictures in `images`, masks of the same names in `masks` or `labels`."""

import re
from collections.abc import Mapping
from pathlib import Path

from segcore.annotations import load_taxonomy
from segcore.data.cases import SAME, Case, PictureCase
from segcore.data.pictures import pictures_in
from segcore.errors import DataError

_MASKS = ("masks", "labels")


def find_folder(
    folder: Path,
    *,
    source_mpp: float | None = None,
    codes: Mapping[int, int] | None = None,
    case: str | None = None,
) -> list[Case]:
    """Return the pictures; `codes` gives the class code of mask values, which are codes already without it; others beside 0 are refused.

    `case` is a regular expression: what it (or its first group) finds in a picture's name is the case; each
    picture is a case of its own without it.
    """
    masks = next((folder / each for each in _MASKS if (folder / each).is_dir()), None)
    if masks is None or not (folder / "images").is_dir():
        raise DataError(f"{folder} has no images beside masks or labels; choose another folder.")
    if source_mpp is None:
        raise DataError("Plain pictures do not say their pixel size; give it with --source-mpp.")
    known = [each.code for each in load_taxonomy().classes]
    table = tuple(codes.get(value, 0) for value in range(256)) if codes else SAME
    cases: list[Case] = [
        PictureCase(
            name=image.stem,
            case=_case_of(image.stem, case),
            source=folder.resolve().name,
            image=image,
            mpp=source_mpp,
            mask=_mask_of(masks, image.stem),
            table=table,
            named=frozenset(codes or known),
        )
        for image in pictures_in(folder / "images")
    ]
    if not cases:
        raise DataError(f"There are no pictures in {folder / 'images'}; choose another folder.")
    return cases


def _mask_of(masks: Path, stem: str) -> Path:
    """Return the mask of a picture, by the first ending that there is a file of."""
    named = [masks / f"{stem}{ending}" for ending in (".png", ".tif", ".tiff", ".bmp")]
    return next((each for each in named if each.is_file()), named[0])


def _case_of(stem: str, pattern: str | None) -> str:
    found = re.search(pattern, stem) if pattern else None
    if pattern and found is None:
        raise DataError(f"The pattern {pattern!r} finds no case in the name {stem}; change --case.")
    return (found[1] if found.re.groups else found[0]) if found else stem
