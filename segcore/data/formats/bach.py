"""BACH (Aresta et al. 2019): photographs in `Normal`, `Benign`, `InSitu` and `Invasive`, slides with XML.

The regions of a slide are in ImageScope's XML, as published, or in ASAP's, as others have converted them.
The class of a region is in its text or name; carcinoma is tumor, benign tissue is "Other", and unmarked
tissue is `rest` and has the label "normal". Nobody has told which photographs are of one patient.
"""

from pathlib import Path

from segcore.annotations import Annotation
from segcore.data.cases import Case, PictureCase
from segcore.data.formats.slide_files import annotation_files, slides_in
from segcore.data.pictures import pictures_in
from segcore.data.regions import Kind, code_of
from segcore.data.slide_cases import SlideCase
from segcore.errors import DataError

SOURCE = "BACH"
PHOTO_MPP = 0.42
LABELS = {"normal": "normal", "benign": "benign", "insitu": "in situ", "invasive": "invasive"}
"""By the folders of the photographs."""
_OUTLINED_LATER = ("newmeta", "metastases_org")
"""Groups of the converted files that say carcinoma and not which."""


def find_bach(
    folder: Path, *, rest: Kind | None = None, source_mpp: float | None = None
) -> list[Case]:
    """Return the photographs, which have labels and no masks, and the slides that have an XML file."""
    cases = [*_photographs(folder), *_slides(folder, rest, source_mpp)]
    if not cases:
        raise DataError(
            f"{folder} is no folder of BACH: it needs Normal, Benign, InSitu and Invasive, "
            "or slides with XML files of the same names."
        )
    return cases


def _photographs(folder: Path) -> list[Case]:
    folders = [each for each in folder.rglob("*") if each.is_dir() and each.name.lower() in LABELS]
    return [
        PictureCase(
            name=f"{each.name}/{image.stem}",
            case=image.stem,
            source=SOURCE,
            image=image,
            mpp=PHOTO_MPP,
            label=LABELS[each.name.lower()],
        )
        for each in sorted(folders)
        for image in pictures_in(each)
    ]


def _slides(folder: Path, rest: Kind | None, source_mpp: float | None) -> list[Case]:
    files = annotation_files(folder)
    if not files:
        return []
    return [
        SlideCase(
            name=slide.stem,
            case=slide.stem,
            source=SOURCE,
            slide=slide,
            annotations=files.get(slide.stem.lower()),
            classify=region,
            rest=Kind(rest.code, "normal") if rest else None,
            mpp=source_mpp,
        )
        for slide in slides_in(folder)
        if slide.stem.lower() in files or slide.suffix.lower() == ".svs"
    ]


def region(annotation: Annotation) -> Kind | None:
    """Return what a region of BACH is, by its name, its text or its group."""
    said = f"{annotation.class_name} {annotation.name}".lower()
    if "in situ" in said:
        return Kind(code_of("Tumor"), "in situ")
    if "invasive" in said:
        return Kind(code_of("Tumor"), "invasive")
    if "benign" in said:
        return Kind(code_of("Other"), "benign")
    if annotation.class_name in _OUTLINED_LATER:
        return Kind(code_of("Tumor"))
    return None
