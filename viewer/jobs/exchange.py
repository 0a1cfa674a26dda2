"""Annotations on their way into the window and out of it: read and made ready, written and read again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import numpy as np
import shapely

from segcore.annotations import (
    Annotation,
    LabelMap,
    Origin,
    ReadReport,
    Receipt,
    Taxonomy,
    Written,
    check_written,
    format_named,
    read_annotations_report,
    write_annotations,
)
from segcore.annotations.collector import collector_paused
from segcore.annotations.colours import Colour, colour_for
from segcore.annotations.qupath_classes import NamedColour
from segcore.annotations.taxonomy import tidied
from segcore.progress import Report, share
from segcore.slides import Slide
from viewer.document import Edit, StoredEdit, edits, store_edit
from viewer.jobs.provenance import marked

MACHINE = frozenset({"detection", "cell", "tile"})
"""Kinds of annotations that a program makes; they come in locked."""
MASK_MPP = 0.5
Clash = Literal["replace", "both", "skip"]
"""What to do with an annotation whose id is there already."""


@dataclass(frozen=True, eq=False)
class Arrival:
    """What was read of a file."""

    name: str
    annotations: Sequence[Annotation]
    report: ReadReport
    fits: Mapping[str, int]
    """How many would lie on the scanned part of the slide in either frame; empty where nobody doubts."""


@dataclass(frozen=True, eq=False)
class Import:
    """An edit that adds what has arrived, ready to be done."""

    edit: Edit
    stored: StoredEdit
    kept: int
    """How many stayed as they were because they are locked here."""


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What should be written, where, and how."""

    path: Path
    format: str
    """Name of a format in `segcore.annotations.FORMATS`."""
    annotations: Literal["all", "selected", "none"] = "all"
    mask: bool = True
    """The areas of the mask, too."""
    origin: Origin | None = None
    """None: the frame that the format has by custom."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and what was found when it was read again."""

    annotations: int
    areas: int
    written: Written
    receipt: Receipt


def read(
    path: Path, slide: Slide, origin: Origin | None, taxonomy: Taxonomy, report: Report
) -> Arrival:
    """Read an annotation file; raises AnnotationError."""
    report(0.0, "reading")
    found, told = read_annotations_report(
        path, slide=slide, origin=origin, taxonomy=taxonomy, report=report
    )
    fits: dict[str, int] = {}
    if told.doubts and origin is None and any(slide.bounds[:2]):
        report(0.9, "trying the other frame")
        full, _ = read_annotations_report(path, slide=slide, origin="full", taxonomy=taxonomy)
        fits = {"bounds": _inside(full, slide, slide.bounds[:2]), "full": _inside(full, slide)}
    return Arrival(path.name, found, told, fits)


def _inside(
    annotations: Sequence[Annotation], slide: Slide, moved: tuple[float, float] = (0, 0)
) -> int:
    """Return how many annotations have their middle on the scanned part of the slide."""
    boxes = shapely.bounds(np.array([each.geometry for each in annotations], object))
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 + moved
    corner, size = np.array(slide.bounds[:2]), np.array(slide.bounds[2:])
    return int(((middles >= corner) & (middles <= corner + size)).all(1).sum())


def new_classes(annotations: Sequence[Annotation], taxonomy: Taxonomy) -> list[NamedColour]:
    """Return the classes that the taxonomy lacks, each in the colour that most of its annotations have."""
    looks = Counter((each.class_name, each.colour) for each in annotations if each.class_name)
    colours: dict[str, Colour | None] = {}
    for (name, colour), _ in looks.most_common():
        if name and taxonomy.find(name) is None and colours.get(name) is None:
            colours[name] = colour
    return [NamedColour(name, colour or colour_for(name)) for name, colour in colours.items()]


def prepare(
    arrival: Arrival,
    present: Mapping[str, Annotation],
    clash: Clash,
    taxonomy: Taxonomy,
    report: Report,
) -> Import:
    """Make the edit that adds what has arrived; `present` are those annotations whose ids it has too."""
    with collector_paused():
        report(0.0, "making ready")
        came = list(settled(arrival.annotations, colours_of(taxonomy)))
        free = {key: each for key, each in present.items() if not each.locked}
        kept = len(present) - len(free) if clash == "replace" else 0
        if clash == "both":
            came = [each.with_(id=str(uuid4())) if each.id in present else each for each in came]
        elif clash == "skip":
            came = [each for each in came if each.id not in present]
        else:
            came = [each for each in came if each.id not in present or each.id in free]
        before = free.values() if clash == "replace" else ()
        edit = edits.replace(before, _unlike(came), name=import_name(len(came), arrival.name))
        return Import(edit, store_edit(edit, report=report), kept)


def colours_of(taxonomy: Taxonomy) -> dict[str, Colour]:
    return {each.name: each.colour for each in taxonomy.classes}


def settled(
    annotations: Iterable[Annotation], colours: Mapping[str, Colour]
) -> Iterator[Annotation]:
    """Yield annotations as they are here: what a program made, locked; classes by their tidy names.

    None has the colour of its class as its own, so that it follows when the class is given another.
    """
    names: dict[str, str] = {}
    for each in annotations:
        locked = each.locked or each.kind in MACHINE
        name = each.class_name
        if name is not None:
            name = names.setdefault(name, tidied(name))
        ours = colours.get(name) if name else None
        colour = None if each.colour == ours else each.colour
        same = (locked, name, colour) == (each.locked, each.class_name, each.colour)
        yield each if same else each.with_(locked=locked, class_name=name, colour=colour)


def _unlike(annotations: Sequence[Annotation]) -> Iterator[Annotation]:
    """Yield annotations of which no two have the same id, as entries of one archive may."""
    ids: set[str] = set()
    for each in annotations:
        yield each.with_(id=str(uuid4())) if each.id in ids else each
        ids.add(each.id)


def import_name(count: int, source: str) -> str:
    return f"Import {count:,} annotation{'' if count == 1 else 's'} from {source}"


def export(
    order: ExportOrder,
    annotations: Sequence[Annotation],
    labels: LabelMap | None,
    *,
    slide: Slide,
    taxonomy: Taxonomy,
    origin_of_mask: Mapping[str, str],
    report: Report,
) -> Exported:
    """Write annotations and the areas of a mask, read them again and compare.

    `origin_of_mask` is written into the areas' metadata.
    Raises AnnotationError and ExportError; the file is then as it was.
    """
    from segcore.annotations.tracing import annotations_from_labels  # noqa: PLC0415 - not needed at the start

    report(0.0, "tracing the mask" if labels is not None else "writing")
    traced = annotations_from_labels(labels, taxonomy) if labels is not None else []
    areas = marked(traced, origin_of_mask)
    everything = [*annotations, *areas]
    known, mpp = format_named(order.format), labels.mpp if labels is not None else MASK_MPP
    written = write_annotations(
        order.path, everything, slide=slide, origin=order.origin, taxonomy=taxonomy, format=known,
        mask_mpp=mpp, report=_saying("writing", share(report, 0, 2)),
    )  # fmt: skip
    receipt = check_written(
        order.path, everything, written, slide=slide, origin=order.origin, taxonomy=taxonomy,
        format=known, mask_mpp=mpp, report=_saying("reading it again", share(report, 1, 2)),
    )  # fmt: skip
    return Exported(len(annotations), len(areas), written, receipt)


def _saying(words: str, report: Report) -> Report:
    def say(fraction: float, text: str = "") -> None:  # noqa: ARG001 - a person need not know the engine's words
        report(fraction, words)

    return say
