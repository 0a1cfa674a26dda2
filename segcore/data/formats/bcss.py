"""BCSS (Amgad et al. 2019) and its tiles with picture-level flags, BCSS-WSSS (Han et al. 2022).

BCSS: a folder of ROIs (`rgbs_colorNormalized`, `rgbs` or `images`), `masks` with the same names, and
`gtruth_codes.tsv` and `roiBounds.csv`, in `meta` or anywhere in the folder. A name such as
`TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500.png` holds the slide, the place and the pixel size.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from segcore.data.cases import Case, PictureCase, RefusedCase
from segcore.data.pictures import pictures_in
from segcore.data.regions import code_of
from segcore.errors import DataError

SOURCE, WEAK_SOURCE = "BCSS", "BCSS-WSSS"
_PICTURES = ("rgbs_colorNormalized", "rgbs", "images")

CLASSES = {
    "Tumor": ("tumor", "angioinvasion", "dcis"),
    "Stroma": ("stroma",),
    "Lymphocyte": ("lymphocytic_infiltrate", "plasma_cells", "other_immune_infiltrate"),
    "Necrosis": ("necrosis_or_debris",),
}
"""BCSS's regions by our classes; the others are "Other"."""
UNLABELLED = ("outside_roi", "exclude", "undetermined")
NAMES = (
    "outside_roi", "tumor", "stroma", "lymphocytic_infiltrate", "necrosis_or_debris", "glandular_secretions",
    "blood", "exclude", "metaplasia_NOS", "fat", "plasma_cells", "other_immune_infiltrate", "mucoid_material",
    "normal_acinus_or_duct", "lymphatics", "undetermined", "nerve", "skin_adnexa", "blood_vessel",
    "angioinvasion", "dcis", "other",
)  # fmt: skip
"""What the codes mean where there is no gtruth_codes.tsv, from 0 on."""

_NO_MPP = "Its name does not say the pixel size; give it with --source-mpp."
Bounds = dict[str, tuple[float, float]]

_MPP = re.compile(r"MPP-(\d+(?:\.\d+)?)")
_CORNER = re.compile(r"_xmin(\d+)_ymin(\d+)")
_PATIENT = re.compile(r"(TCGA-[0-9A-Za-z]{2}-[0-9A-Za-z]{4})")
_FLAGS = re.compile(r"\[([01]) ?([01]) ?([01]) ?([01])\]")
_FLAGGED = ("Tumor", "Stroma", "Lymphocyte", "Necrosis")
"""The meaning of [abcd], and of the mask values 0 to 3 of BCSS-WSSS; 4 is white or excluded."""


def find_bcss(folder: Path, *, source_mpp: float | None = None) -> list[Case]:
    """Return the ROIs as cases of their patients; a mask that is missing shows when the case is read."""
    pictures = next((folder / each for each in _PICTURES if (folder / each).is_dir()), None)
    if pictures is None or not (folder / "masks").is_dir():
        raise DataError(
            f"{folder} is no folder of BCSS: it needs masks and {' or '.join(_PICTURES)}."
        )
    table = code_table(folder)
    bounds = _bounds(folder)
    images = pictures_in(pictures)
    if not images:
        raise DataError(f"There are no pictures in {pictures}; download the ROIs of BCSS first.")
    cases = [_roi(folder, image, table, bounds, source_mpp) for image in images]
    missing = [each for each in bounds if not any(i.stem.startswith(each) for i in images)]
    if missing:
        reason = f"{len(missing)} ROIs that it names have no picture here, the first {missing[0]}."
        cases.append(RefusedCase("roiBounds.csv", reason))
    return cases


def _roi(
    folder: Path, image: Path, table: tuple[int, ...], bounds: Bounds, given: float | None
) -> Case:
    mpp = _mpp_of(image, given)
    if mpp is None:
        return RefusedCase(image.stem, _NO_MPP)
    return PictureCase(
        name=image.stem,
        case=_patient(image),
        source=SOURCE,
        image=image,
        mpp=mpp,
        mask=folder / "masks" / f"{image.stem}.png",
        table=table,
        corner=_corner_of(image, bounds),
    )


def code_table(folder: Path) -> tuple[int, ...]:
    """Return our class code for each value of a BCSS mask, by the names in gtruth_codes.tsv."""
    names = dict(enumerate(NAMES))
    for file in sorted(folder.rglob("gtruth_codes.tsv"))[:1]:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.DictReader(text, delimiter="\t"))
        try:
            names = {int(row["GT_code"]): row["label"] for row in rows}
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{file} has no columns label and GT_code; download it again."
            ) from error
    return tuple(_our_code(names.get(value, "outside_roi")) for value in range(256))


def _our_code(name: str) -> int:
    if name in UNLABELLED:
        return 0
    ours = next((each for each, theirs in CLASSES.items() if name in theirs), "Other")
    return code_of(ours)


def _bounds(folder: Path) -> Bounds:
    """Return (xmin, ymin) of each slide's ROI in level-0 pixels, of a roiBounds.csv if there is one."""
    for file in sorted(folder.rglob("roiBounds.csv"))[:1]:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.DictReader(text))
        try:
            return {row[""]: (float(row["xmin"]), float(row["ymin"])) for row in rows}
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{file} has no columns xmin and ymin; download it again.") from error
    return {}


def _corner_of(image: Path, bounds: Bounds) -> tuple[float, float]:
    """Return where the ROI lies on its slide, by its name, else by roiBounds.csv."""
    if found := _CORNER.search(image.stem):
        return float(found[1]), float(found[2])
    return next((at for slide, at in bounds.items() if image.stem.startswith(slide)), (0.0, 0.0))


def _patient(image: Path) -> str:
    found = _PATIENT.match(image.stem)
    return found[1] if found else image.stem.partition("_")[0]


def _mpp_of(image: Path, given: float | None) -> float | None:
    found = _MPP.search(image.stem)
    return given or (float(found[1]) if found else None)


def find_bcss_wsss(
    folder: Path, *, source_mpp: float | None = None, pseudo: Path | None = None
) -> list[Case]:
    """Return the tiles of train, val and test; `pseudo` holds masks of the training tiles' names.

    A training tile has its flags as label. A pseudo-label of a class that the flags deny is unlabelled.
    """
    cases = [*_flagged(folder, source_mpp, pseudo), *_masked(folder, source_mpp)]
    if not cases:
        raise DataError(
            f"{folder} is no folder of BCSS-WSSS: it needs train, val/img and val/mask, or test."
        )
    return cases


def _flagged(folder: Path, given: float | None, pseudo: Path | None) -> Iterator[Case]:
    for image in pictures_in(folder / "train"):
        flags, name = _FLAGS.search(image.stem), f"train/{image.stem}"
        mpp = _mpp_of(image, given)
        if flags is None or mpp is None:
            yield RefusedCase(name, _NO_MPP if flags else "Its name has no flags such as [1011].")
            continue
        shown = [each for each, flag in zip(_FLAGGED, flags.groups(), strict=True) if flag == "1"]
        yield PictureCase(
            name=name,
            case=_patient(image),
            source=WEAK_SOURCE,
            image=image,
            mpp=mpp,
            mask=pseudo / f"{image.stem}.png" if pseudo else None,
            table=_weak_table(shown),
            label="+".join(shown) or "none",
        )


def _masked(folder: Path, given: float | None) -> Iterator[Case]:
    for split in ("val", "test"):
        for image in pictures_in(folder / split / "img"):
            mpp = _mpp_of(image, given)
            if mpp is None:
                yield RefusedCase(f"{split}/{image.stem}", _NO_MPP)
                continue
            yield PictureCase(
                name=f"{split}/{image.stem}",
                case=_patient(image),
                source=WEAK_SOURCE,
                image=image,
                mpp=mpp,
                split=split,
                mask=folder / split / "mask" / f"{image.stem}.png",
                table=_weak_table(_FLAGGED),
            )


def _weak_table(shown: list[str] | tuple[str, ...]) -> tuple[int, ...]:
    codes = [code_of(name) if name in shown else 0 for name in _FLAGGED]
    return (*codes, *(0,) * (256 - len(codes)))
