"""HI-Net's data set (section 2): from slides with outlined tumor to tiles in one look, tumor and the rest.

Slides are down-sampled, tissue is found by Otsu's threshold on hue and saturation, windows slide over it,
those with too little or too much tumor go, stains are regularised, and everything that is not tumor is
"Other". The split by cases comes last.
"""

from collections.abc import Sequence
from pathlib import Path

from segcore.annotations import Annotation
from segcore.data.cases import Case
from segcore.data.formats import bach, camelyon
from segcore.data.formats.slide_files import annotation_files, slides_in
from segcore.data.manifest import Row
from segcore.data.regions import Kind, by_class, code_of
from segcore.data.slide_cases import SlideCase
from segcore.data.splits import with_splits
from segcore.errors import DataError

SOURCE = "HI-Net"
COVERAGE = (0.05, 0.995)
"""The shares of tumor that a window is kept for."""
RATIOS = {"train": 8.0, "val": 1.0, "test": 1.0}


def find_hinet(
    folder: Path, *, annotations: Path | None = None, source_mpp: float | None = None
) -> list[Case]:
    """Return the slides with annotation files (ASAP, ImageScope, GeoJSON) of the same names."""
    files = annotation_files(annotations or folder)
    cases = [
        SlideCase(
            name=slide.stem,
            case=slide.stem,
            source=SOURCE,
            slide=slide,
            annotations=files.get(slide.stem.lower()),
            classify=tumor,
            rest=Kind(code_of("Other")),
            holes=camelyon.HOLES,
            mpp=source_mpp,
        )
        for slide in slides_in(folder)
    ]
    if all(each.annotations is None for each in cases):
        raise DataError(
            f"No slide in {folder} has an annotation file of the same name; give their folder with --annotations."
        )
    return list(cases)


def tumor(annotation: Annotation) -> Kind | None:
    """Return tumor or other for what our classes, CAMELYON's groups or BACH's regions call so."""
    kind = by_class(annotation) or camelyon.tumor(annotation) or bach.region(annotation)
    if kind is None:
        return None
    return Kind(kind.code if kind.code == code_of("Tumor") else code_of("Other"))


def divided(rows: Sequence[Row]) -> list[Row]:
    """Return the rows split 8:1:1 by case; as they are where there are too few cases for three parts."""
    cases = {row["case"] for row in rows}
    return with_splits(rows, RATIOS) if len(cases) >= len(RATIOS) else list(rows)
