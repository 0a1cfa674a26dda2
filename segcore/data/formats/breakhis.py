"""BreakHis (Spanhol et al. 2016): pictures of breast tumors, classified.

`.../benign/SOB/adenosis/SOB_B_A_14-22549AB/40X/SOB_B_A-14-22549AB-40-001.png`: the folders and the name give
the class, the name gives year, slide, magnification and number. Slides 22549AB and 22549CD are of one
patient, who is the case.
"""

import re
from pathlib import Path

from segcore.data.cases import Case, PictureCase, RefusedCase
from segcore.data.pictures import pictures_in
from segcore.errors import DataError

SOURCE = "BreakHis"
PIXEL = 6.5
"""Micrometres of the camera's pixel, which a relay of 3.3x and the objective reduce."""
OBJECTIVES = {"40": 4, "100": 10, "200": 20, "400": 40}
"""Of the magnifications in the names."""
_NAME = re.compile(r"\w+_([BM])_([A-Z]+)-(\d+)-(\d+)([A-Z]*)-(40|100|200|400)-(\d+)")


def find_breakhis(folder: Path, *, magnification: str | None = None) -> list[Case]:
    """Return the pictures, of one magnification ("40" to "400") or all; they have labels and no masks."""
    cases: list[Case] = []
    for image in pictures_in(folder, deep=True):
        named = _NAME.fullmatch(image.stem)
        if named is None:
            cases.append(RefusedCase(image.stem, "It is not named as BreakHis names pictures."))
            continue
        if magnification and named[6] != magnification:
            continue
        cases.append(
            PictureCase(
                name=image.stem,
                case=f"{named[3]}-{named[4]}",
                source=SOURCE,
                image=image,
                mpp=round(PIXEL / 3.3 / OBJECTIVES[named[6]], 4),
                label=_class_of(image, named[1]),
            )
        )
    if all(isinstance(each, RefusedCase) for each in cases):
        raise DataError(
            f"{folder} holds no pictures named as BreakHis does (SOB_B_A-14-22549AB-40-001.png)."
        )
    return cases


def _class_of(image: Path, letter: str) -> str:
    """Return benign or malignant, and the type where the path has it: "benign adenosis"."""
    folders = [each.lower() for each in image.parts[:-1]]
    kind = "benign" if letter == "B" else "malignant"
    if kind not in folders:
        return kind
    below = folders[folders.index(kind) + 1 :]
    return f"{kind} {below[1].replace('_', ' ')}" if below[:1] == ["sob"] and below[1:] else kind
