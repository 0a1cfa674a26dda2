"""CAMELYON16 and 17 (Litjens et al. 2018): slides of lymph nodes, metastases outlined with ASAP.

Groups of the outlines: "_0", "_1", "Tumor" and "metastases" are tumor; "_2", "Exclusion" and "normal" are
holes in it. The case of `patient_012_node_0.tif` is the patient, that of `tumor_001.tif` the slide.
"""

import re
from pathlib import Path

from segcore.annotations import Annotation
from segcore.data.cases import Case
from segcore.data.formats.slide_files import annotation_files, slides_in
from segcore.data.regions import Kind, code_of
from segcore.data.slide_cases import SlideCase
from segcore.errors import DataError

SOURCE = "CAMELYON"
TUMOR = frozenset({"_0", "_1", "Tumor", "metastases"})
HOLES = frozenset({"_2", "Exclusion", "normal"})


def find_camelyon(
    folder: Path,
    *,
    annotations: Path | None = None,
    rest: Kind | None = None,
    source_mpp: float | None = None,
) -> list[Case]:
    """Return the slides that are outlined, and those called normal, on which everything is `rest`."""
    files = annotation_files(annotations or folder)
    cases: list[Case] = []
    for slide in slides_in(folder):
        stem = slide.stem.lower()
        cases.append(
            SlideCase(
                name=slide.stem,
                case=_case_of(slide.stem),
                source=SOURCE,
                slide=slide,
                annotations=files.get(stem),
                classify=tumor,
                split="test" if stem.startswith("test") else "train",
                rest=rest,
                holes=HOLES,
                mpp=source_mpp,
                negative=stem.startswith("normal"),
            )
        )
    if not files:
        raise DataError(
            f"There are no XML files in {annotations or folder}; give their folder with --annotations."
        )
    return cases


def _case_of(stem: str) -> str:
    patient = re.match(r"(patient_\d+)", stem, re.IGNORECASE)
    return patient[1].lower() if patient else stem


def tumor(annotation: Annotation) -> Kind | None:
    """Return tumor for an outline of CAMELYON's tumor groups."""
    return Kind(code_of("Tumor")) if annotation.class_name in TUMOR else None
