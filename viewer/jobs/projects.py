"""Projects of QuPath made into studies."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from segcore.annotations import (
    Annotation,
    Project,
    ProjectImage,
    Taxonomy,
    read_annotations_report,
)
from segcore.annotations.colours import Colour
from segcore.config import user_data
from segcore.errors import AcinusError, AnnotationError
from segcore.progress import Report, share
from segcore.slides import Slide, open_slide
from segcore.slides.fingerprint import fingerprint
from viewer.document import Study, edits
from viewer.jobs.exchange import colours_of, import_name, new_classes, settled


@dataclass
class ProjectStudy:
    """What a project became."""

    path: Path
    slides: int = 0
    annotations: int = 0
    classes: dict[str, Colour] = field(default_factory=dict)
    """Those that the program does not know yet."""
    left_out: list[str] = field(default_factory=list)
    """A sentence for everything that could not be taken over."""


def study_path(project_file: Path) -> Path:
    """Return where the study of a project lies, the same for the same project."""
    place = str(project_file.absolute())
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", project_file.absolute().parent.name).strip("-.")
    mark = hashlib.sha256(place.encode(errors="surrogateescape")).hexdigest()[:12]
    return user_data() / "studies" / f"{name[:60] or 'project'}-{mark}.acinus"


def make_study(
    path: Path, project: Project, images: Sequence[ProjectImage], taxonomy: Taxonomy, report: Report
) -> ProjectStudy:
    """Make a study of those images of a project; whole or not at all.

    Raises AnnotationError where none of them can be opened.
    """
    made = ProjectStudy(path, left_out=list(project.unread))
    for each in project.classes:
        if taxonomy.find(each.name) is None:
            made.classes[each.name] = each.colour
    try:
        with Study.open(path, create=True) as study:
            for number, image in enumerate(images):
                report(number / len(images), image.name)
                _take_over(study, image, made, taxonomy, share(report, number, len(images)))
            _check(study, project, made)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return made


def _check(study: Study, project: Project, made: ProjectStudy) -> None:
    if not study.slides():
        raise AnnotationError(f"No image of {project.name} can be opened: {made.left_out[-1]}")


def _take_over(
    study: Study, image: ProjectImage, made: ProjectStudy, taxonomy: Taxonomy, report: Report
) -> None:
    from segcore.slides.preflight import check_slide  # noqa: PLC0415 - keeps the start quick

    if image.path is None:
        made.left_out.append(f"{image.name} was not found.")
        return
    try:
        check_slide(image.path)
        with open_slide(image.path) as slide:
            mark = fingerprint(image.path)
            slide_id = study.add_slide(image.path, mark, *slide.dimensions, slide.mpp)
            read = _annotations(image, slide, made, taxonomy, report)
    except AcinusError as error:
        made.left_out.append(str(error))
        return
    made.slides += 1
    for name, colour in new_classes(read, taxonomy):
        made.classes.setdefault(name, colour)
    found = list(settled(read, {**colours_of(taxonomy), **made.classes}))
    if found:
        study.document(slide_id).apply(edits.add(found, name=import_name(len(found), image.name)))
        made.annotations += len(found)


def _annotations(
    image: ProjectImage, slide: Slide, made: ProjectStudy, taxonomy: Taxonomy, report: Report
) -> list[Annotation]:
    found: list[Annotation] = []
    for file in image.annotation_files:
        try:
            some, told = read_annotations_report(
                file, slide=slide, taxonomy=taxonomy, report=report
            )
        except AcinusError as error:
            made.left_out.append(str(error))
            continue
        found += some
        made.left_out += [f"{file.name}: {each}" for each in (*told.skipped, *told.doubts)]
    return list({each.id: each for each in found}.values())  # a project may hold an export twice
