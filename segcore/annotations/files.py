"""Annotation files, read and written by their name and content."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import shapely

from segcore.annotations.atomic import replacing
from segcore.annotations.collector import collector_paused
from segcore.annotations.documents import documents, packing
from segcore.annotations.formats import (
    Format,
    Found,
    Origin,
    Source,
    Task,
    by_content,
    by_name,
    format_for,
    suffixes,
)
from segcore.annotations.formats.format import Offset
from segcore.annotations.frames import doubts_of_frame
from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.errors import AnnotationError
from segcore.progress import Report, silent
from segcore.slides.base import Slide

_HEAD = 1 << 16


def read_annotations(
    path: str | Path, *, slide: Slide | None = None, origin: Origin | None = None
) -> list[Annotation]:
    """Read an annotation file into level-0 pixels of the full slide; features that are unsound are left out.

    Without `origin` the frame is the one that the file names (ours do), else the one that its format has
    by custom: of GeoJSON QuPath's, where `slide` is given, of all others the full slide. Raises
    AnnotationError.
    """
    return read_annotations_report(path, slide=slide, origin=origin)[0]


def read_annotations_report(
    path: str | Path,
    *,
    slide: Slide | None = None,
    origin: Origin | None = None,
    taxonomy: Taxonomy | None = None,
    report: Report = silent,
) -> Found:
    """Read as `read_annotations` does, and also tell what was left out, repaired or is doubtful."""
    path = Path(path)
    task = Task(slide, origin, taxonomy or load_taxonomy(), report)
    found: list[Annotation] = []
    reports: list[ReadReport] = []
    failures: list[AnnotationError] = []
    with collector_paused():
        for source in _sources(path, report):
            try:
                annotations, read = read_source(source, task)
            except AnnotationError as error:
                failures.append(error)  # the other entries of an archive are still good
            else:
                found += annotations
                reports.append(read)
    if failures and not reports:
        raise failures[0]
    skipped = [line for each in reports for line in each.skipped] + [str(each) for each in failures]
    doubts = dict.fromkeys(line for each in reports for line in each.doubts)
    titles = ", ".join(dict.fromkeys(each.format for each in reports))
    features, repaired = sum(r.features for r in reports), sum(r.repaired for r in reports)
    return found, ReadReport(features, tuple(skipped), repaired, tuple(doubts), titles)


def read_source(source: Source, task: Task) -> Found:
    """Read one document into level-0 pixels of the full slide; raises AnnotationError with a sentence."""
    known = by_content(source)
    if known.read is None:
        raise AnnotationError(f"{source.name} is {known.title}, which can only be written.")
    try:
        found, report = known.read(source, task)
    except AnnotationError as error:
        raise _sentence(source, known, error) from error
    offset = _offset(known, task)
    if any(offset):
        found = [_moved(each, offset) for each in found]
    doubts = (*report.doubts, *doubts_of_frame(found, task.slide))
    return found, replace(report, doubts=doubts, format=known.title)


def _sentence(source: Source, known: Format, error: AnnotationError) -> AnnotationError:
    """Return the error of a reader as a sentence; readers give either that or the mere reason."""
    if str(error).endswith("."):
        return error
    return AnnotationError(
        f"{source.name} cannot be read: {error}; export it again as {known.title}."
    )


def _offset(known: Format, task: Task) -> Offset:
    """Return by how much coordinates of a file are to be moved that its format does not move itself."""
    return task.offset(known.origin) if known.origin and not known.moves else (0, 0)


def _moved(annotation: Annotation, offset: Offset) -> Annotation:
    return annotation.with_(
        geometry=shapely.transform(annotation.geometry, lambda points: points + offset)
    )


def _sources(path: Path, report: Report) -> Iterator[Source]:
    if by_name(path)[0].is_picture:
        try:
            with path.open("rb") as file:
                yield Source(path, path.name, file.read(_HEAD))
        except OSError as error:
            reason = error.strerror or str(error)
            raise AnnotationError(
                f"{path.name} cannot be read: {reason}; check that it is there."
            ) from error
        return
    for name, data in documents(path, suffixes(), report):
        yield Source(path, name, data)


def format_of(path: str | Path) -> Format:
    """Return the format that a file is read as, by its name and content; raises AnnotationError."""
    for source in _sources(Path(path), silent):
        return by_content(source)
    return format_for(path)


def write_annotations(
    path: str | Path,
    annotations: Iterable[Annotation],
    *,
    slide: Slide | None = None,
    origin: Origin | None = None,
    taxonomy: Taxonomy | None = None,
    format: Format | None = None,  # noqa: A002 - the word for it
    mask_mpp: float = 0.5,
    report: Report = silent,
) -> Written:
    """Write annotations, whole or not at all; returns how many and which came to nothing.

    The format is that of the name; the frame, without `origin`, the one that the format has by custom (see
    `read_annotations`). Masks have pixels of `mask_mpp` micrometres. Raises AnnotationError for a name that
    says no known format and where the slide is needed, ExportError where writing fails.
    """
    path = Path(path)
    known = format or format_for(path)
    task = Task(slide, origin, taxonomy or load_taxonomy(), report, mask_mpp)
    if known.write is None:
        raise AnnotationError(f"{known.title} can only be read; choose another format.")
    kept = list(annotations)
    inner = f"{path.name.split('.')[0]}{known.suffixes[0]}"
    with (
        collector_paused(),
        replacing(path) as temporary,
        temporary.open("wb") as file,
        packing(path, file, inner) as stream,
    ):
        written = known.write(stream, _in_frame_of_file(kept, known, task), task)
    report(1.0, "Written")
    return written._replace(lost=(*written.lost, *_not_kept(kept, known)))


def _in_frame_of_file(
    annotations: Sequence[Annotation], known: Format, task: Task
) -> Sequence[Annotation]:
    x, y = _offset(known, task)
    return [_moved(each, (-x, -y)) for each in annotations] if x or y else annotations


_MEMBERS: dict[str, tuple[str, Callable[[Annotation], object]]] = {
    "name": ("names", lambda each: each.name),
    "locked": ("locks", lambda each: each.locked),
    "measurements": ("measurements", lambda each: each.measurements),
    "metadata": ("notes and other metadata", lambda each: each.metadata),
}


def _not_kept(annotations: Sequence[Annotation], known: Format) -> Iterator[str]:
    lost = [
        words
        for member, (words, value) in _MEMBERS.items()
        if member not in known.keeps and any(value(each) for each in annotations)
    ]
    if lost:
        listed = " and ".join(filter(None, [", ".join(lost[:-1]), lost[-1]]))
        yield f"{known.title} does not keep {listed}."
