"""Our own exports: folders of tiles with their manifests, and slides with annotations beside them."""

import csv
import hashlib
from pathlib import Path

from segcore.data.cases import Case, PictureCase
from segcore.data.formats.slide_files import annotation_files, slides_in
from segcore.data.manifest import MANIFEST, image_of, mask_of, mpp_of, read_manifest
from segcore.data.regions import Kind, by_class
from segcore.data.slide_cases import SlideCase
from segcore.errors import DataError
from segcore.slides import fingerprint

SOURCE = "acinus"
CASES = "cases.csv"


def find_tiles(folder: Path) -> list[Case]:
    """Return the pictures of every folder below that has a manifest, with their cases, splits and labels."""
    manifests = sorted(folder.rglob(MANIFEST))
    if not manifests:
        raise DataError(
            f"There is no {MANIFEST} in {folder} or below; give a folder of exported tiles."
        )
    return [case for each in manifests for case in _tiles(folder, each.parent)]


def _tiles(root: Path, folder: Path) -> list[Case]:
    within = folder.relative_to(root).as_posix()
    cases: list[Case] = []
    for row in read_manifest(folder):
        mask, label = mask_of(folder, row["file"]), row.get("label", "")
        cases.append(
            PictureCase(
                name=f"{within}/{Path(row['file']).stem}".removeprefix("./"),
                case=row["case"],
                source=row["source"],
                image=image_of(folder, row["file"]),
                mpp=mpp_of(row),
                split=row["split"],
                mask=None if label and not mask.is_file() else mask,
                label=label,
            )
        )
    return cases


def find_slides(
    folder: Path,
    *,
    annotations: Path | None = None,
    rest: Kind | None = None,
    source_mpp: float | None = None,
) -> list[Case]:
    """Return the slides that have an annotation file of the same name, in `annotations` or beside them.

    The case of a slide is a number made of its file, which names nobody, unless `cases.csv` (columns slide,
    case) says who several slides are of.
    """
    slides = slides_in(folder)
    files = annotation_files(annotations or folder)
    known = _cases(folder)
    cases: list[SlideCase] = []
    for slide in slides:
        name = hashlib.sha256(fingerprint(slide).encode()).hexdigest()[:16]
        cases.append(
            SlideCase(
                name=name,
                case=known.get(slide.stem, known.get(slide.name, name)),
                source=SOURCE,
                slide=slide,
                annotations=files.get(slide.stem.lower()),
                classify=by_class,
                rest=rest,
                mpp=source_mpp,
            )
        )
    if all(each.annotations is None for each in cases):
        raise DataError(
            f"No slide in {folder} has an annotation file of the same name; give its folder with --annotations."
        )
    return list(cases)


def _cases(folder: Path) -> dict[str, str]:
    file = folder / CASES
    if not file.is_file():
        return {}
    with file.open(newline="", encoding="utf-8-sig") as text:
        rows = list(csv.DictReader(text))
    if rows and not {"slide", "case"} <= set(rows[0]):
        raise DataError(f"{file} needs the columns slide and case.")
    return {row["slide"]: row["case"] for row in rows}
