"""GlaS (Sirinukunwattana et al. 2017): glands of the colon, `train_1.bmp` with `train_1_anno.bmp`.

A mask numbers its glands from 1. Grade.csv gives patient and grade of each picture: the patient is the
case, the grade the label. Glands of malignant pictures are tumor, those of benign ones "Other".
"""

import csv
from pathlib import Path

from segcore.data.cases import Case, PictureCase
from segcore.data.pictures import pictures_in
from segcore.data.regions import Kind, code_of
from segcore.errors import DataError

SOURCE = "GlaS"
MPP = 0.62
"""Of the scanner at 20x, as published."""
_MASK = "_anno"


def find_glas(folder: Path, *, rest: Kind | None = None) -> list[Case]:
    """Return the pictures; `rest` is what lies between glands, unlabelled without it."""
    grades = _grades(folder)
    cases: list[Case] = []
    for image in pictures_in(folder):
        if image.stem.endswith(_MASK):
            continue
        patient, grade = grades.get(image.stem, ("", ""))
        gland = code_of("Tumor" if grade == "malignant" else "Other")
        cases.append(
            PictureCase(
                name=image.stem,
                case=f"patient {patient}" if patient else image.stem,
                source=SOURCE,
                image=image,
                mpp=MPP,
                split="test" if image.stem.startswith("test") else "train",
                mask=image.with_name(f"{image.stem}{_MASK}{image.suffix}"),
                table=(rest.code if rest else 0, *(gland,) * 255),
                label=grade,
            )
        )
    if not cases:
        raise DataError(f"There are no pictures in {folder}; give the folder that holds Grade.csv.")
    return cases


def _grades(folder: Path) -> dict[str, tuple[str, str]]:
    """Return patient and grade of each picture."""
    file = folder / "Grade.csv"
    if not file.is_file():
        raise DataError(f"There is no Grade.csv in {folder}; give the folder of the GlaS pictures.")
    with file.open(newline="", encoding="utf-8-sig") as text:
        table = csv.reader(text, skipinitialspace=True)
        columns = [each.strip().lower() for each in next(table, [])]
        if columns[:1] != ["name"] or "grade (glas)" not in columns or "patient id" not in columns:
            raise DataError(f"{file} has not the columns of GlaS; download it again.")
        patient, grade = columns.index("patient id"), columns.index("grade (glas)")
        rows = [[each.strip() for each in row] for row in table if len(row) == len(columns)]
    return {row[0]: (row[patient], row[grade].lower()) for row in rows}
