"""Annotations from files of other programs, and into such files."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from segcore.annotations import FORMATS, Origin
from segcore.annotations.qupath_classes import NamedColour
from segcore.errors import AcinusError
from viewer.actions.registry import action, has_slide
from viewer.actions.sentences import counted, listed
from viewer.actions.table import go_to
from viewer.jobs import Job, exchange
from viewer.jobs.exchange import Arrival, Clash, Exported, ExportOrder, Import
from viewer.jobs.provenance import origin_of
from viewer.session import Session, Workspace
from viewer.session.ports import Choice, ExportQuestion, Offer

CLASHES = (
    Choice("replace", "Replace them", "They become what the file says; locked ones stay as they are."),
    Choice("both", "Keep both", "Those of the file are added under new ids."),
    Choice("skip", "Leave them out", "Only those that are not here yet are added."),
)  # fmt: skip


@action(
    "file.import", "Import annotations…", menu="File", shortcut="Ctrl+I",
    icon="mdi6.file-import-outline", enabled=has_slide,
)  # fmt: skip
def import_annotations(session: Session) -> None:
    """Add annotations of a file: of QuPath, ASAP, ImageScope, HistomicsUI, NDP.view, COCO, or a mask."""
    path = session.ask.file_to_open("Import annotations", _pattern())
    if path is not None:
        import_from(session, path)


def _pattern() -> str:
    known = [each for each in FORMATS if each.can_read]
    everything = " ".join(dict.fromkeys(f"*{s}" for each in known for s in each.suffixes))
    each_one = (f"{each.title} ({' '.join(f'*{s}' for s in each.suffixes)})" for each in known)
    return ";;".join((f"Annotations ({everything})", *each_one, "All files (*)"))


def import_from(session: Session, path: Path, origin: Origin | None = None) -> Job | None:
    """Add the annotations of a file to the open slide in one edit; asks only where something is doubtful."""
    workspace, taxonomy = session.workspace, session.taxonomy
    if workspace is None:
        session.tell.info(f"Open the slide that {path.name} belongs to; then import it.")
        return None
    job = session.jobs.start(
        f"Reading {path.name}",
        lambda report: exchange.read(path, workspace.slide, origin, taxonomy, report),
        owner=workspace,
    )
    job.succeeded.connect(
        lambda arrival: _check_frame(session, workspace, path, arrival, sure=origin is not None)
    )
    job.failed.connect(
        lambda error: session.tell_failure(error, lambda: import_from(session, path, origin))
    )
    return job


def _check_frame(
    session: Session, workspace: Workspace, path: Path, arrival: Arrival, *, sure: bool
) -> None:
    """Ask where a file counts from if that is in doubt; then go on, or read it again."""
    doubts = arrival.report.doubts
    if sure or not doubts or not arrival.annotations:
        _check_ids(session, workspace, arrival)
        return
    frames = _frames(arrival)
    text = "\n".join(doubts)
    if len(frames) > 1:
        text = (
            f"It is not sure from which corner of the slide the coordinates of {path.name} count."
        )
    answer = session.ask.choose(f"Import {path.name}", text, frames)
    if answer in arrival.fits:
        import_from(session, path, cast("Origin", answer))
    elif answer is not None:
        _check_ids(session, workspace, arrival)


def _frames(arrival: Arrival) -> tuple[Choice, ...]:
    """Return the ways to read a doubtful file, the likeliest first."""
    fits, total = arrival.fits, len(arrival.annotations)
    if len(set(fits.values())) < 2:
        return (Choice("as it is", "Import anyway", "The annotations lie where the file says."),)
    told = {
        key: f"Coordinates count from the corner of {corner}: {fits[key]:,} of {total:,} lie on the scan."
        for key, corner in (("bounds", "the scanned part"), ("full", "the whole slide"))
    }
    choices = (
        Choice("bounds", "QuPath's frame", told["bounds"]),
        Choice("full", "The full slide", told["full"]),
    )
    return choices if fits["bounds"] > fits["full"] else choices[::-1]


def _check_ids(session: Session, workspace: Workspace, arrival: Arrival) -> None:
    """Ask what to do with annotations that are here already; then make the edit, on a thread."""
    held = workspace.document.annotations
    present = {each.id: held[each.id] for each in arrival.annotations if each.id in held}
    answer = "both"
    if present:
        of = counted(len(arrival.annotations), "annotation")
        some = "All" if len(present) == len(arrival.annotations) else f"{len(present):,} of the"
        text = f"{some} {of} of {arrival.name} are on this slide already."
        answer = session.ask.choose(f"Import {arrival.name}", text, CLASHES)
    if answer is None:
        return
    adopt_classes(session, exchange.new_classes(arrival.annotations, session.taxonomy))
    taxonomy, clash = session.taxonomy, cast("Clash", answer)
    job = session.jobs.start(
        f"Importing {arrival.name}",
        lambda report: exchange.prepare(arrival, present, clash, taxonomy, report),
        owner=workspace,
    )
    job.succeeded.connect(lambda ready: _put_in(session, arrival, ready))
    job.failed.connect(session.tell_failure)


def adopt_classes(session: Session, found: Iterable[NamedColour]) -> None:
    """Add classes that the study lacks; where it cannot have them, annotations keep class and colour."""
    try:
        session.classes.adopt(found)
    except AcinusError as error:
        session.tell.warn(str(error))


def _put_in(session: Session, arrival: Arrival, ready: Import) -> None:
    done = session.apply(ready.edit, stored=ready.stored)
    if done or ready.edit.is_empty:
        _tell_import(session, arrival, ready)


def _tell_import(session: Session, arrival: Arrival, ready: Import) -> None:
    """Say how many came and what became of the others."""
    report = arrival.report
    came = [each.after for each in ready.edit.changes if each.after is not None]
    parts = [f"{counted(len(came), 'annotation')} came from {arrival.name}"]
    parts += [f"{len(report.skipped):,} could not be read"] if report.skipped else []
    parts += [f"{report.repaired:,} crossed themselves and were mended"] if report.repaired else []
    parts += [f"{ready.kept:,} locked ones were kept as they are"] if ready.kept else []
    offers = [Offer("Show them", lambda: go_to(session, came))] if came else []
    if report.skipped or report.doubts:
        offers.append(Offer("Details…", lambda: _show_details(session, arrival)))
    session.tell.info(f"{'; '.join(parts)}.", offers=offers)


def _show_details(session: Session, arrival: Arrival) -> None:
    report = arrival.report
    text = f"Read as {report.format}: {counted(report.features, 'feature')}.\n\n"
    text += listed("What is doubtful", report.doubts) + listed("What was left out", report.skipped)
    session.tell.page(f"Import of {arrival.name}", text)


@action(
    "file.export", "Export annotations…", menu="File", shortcut="Ctrl+E",
    icon="mdi6.file-export-outline", enabled=has_slide,
)  # fmt: skip
def export(session: Session) -> None:
    """Write annotations and the mask's areas for QuPath, ASAP, ImageScope and others, then read them again."""
    workspace = session.workspace
    if workspace is None:
        return
    order = session.ask.export(_question(session, workspace))
    if order is not None:
        _remember(session, order)
        export_as(session, order)


def _question(session: Session, workspace: Workspace) -> ExportQuestion:
    settings, slide = session.settings, workspace.slide
    folder = Path(settings["folder.exports"] or slide.path.parent)
    return ExportQuestion(
        slide=slide.path,
        total=len(workspace.document.annotations),
        selected=len(session.selection),
        has_mask=bool(workspace.document.mask.tiles),
        cropped=any(slide.bounds[:2]),
        last=ExportOrder(
            folder if folder.is_dir() else slide.path.parent,
            settings["export.format"],
            settings["export.annotations"],
            settings["export.mask"],
        ),
        frames=settings["export.frames"],
    )


def _remember(session: Session, order: ExportOrder) -> None:
    settings = session.settings
    settings["folder.exports"] = str(order.path.parent)
    settings["export.format"] = order.format
    settings["export.annotations"] = order.annotations
    settings["export.mask"] = order.mask
    if order.origin is not None:
        settings["export.frames"] = {**settings["export.frames"], order.format: order.origin}


def export_as(session: Session, order: ExportOrder) -> Job | None:
    """Export without asking."""
    workspace = session.workspace
    if workspace is None:
        return None
    slide, document, taxonomy = workspace.slide, workspace.document, session.taxonomy
    chosen = {
        "all": tuple(document.annotations.values()),
        "selected": tuple(session.selection),
        "none": (),
    }[order.annotations]
    labels = document.mask.label_map() if order.mask else None
    origin = origin_of(workspace.study.runs(workspace.slide_id))
    job = session.jobs.start(
        f"Exporting {order.path.name}",
        lambda report: exchange.export(
            order,
            chosen,
            labels,
            slide=slide,
            taxonomy=taxonomy,
            origin_of_mask=origin,
            report=report,
        ),
    )
    job.succeeded.connect(lambda done: _tell_export(session, order, done))
    job.failed.connect(lambda error: session.tell_failure(error, lambda: export_as(session, order)))
    return job


def _tell_export(session: Session, order: ExportOrder, done: Exported) -> None:
    """Say what is in the file as it was read again, and list what is not."""
    path, receipt, lost = order.path, done.receipt, done.written.lost
    areas = counted(done.areas, "mask area") if done.areas else "no mask"
    text = f"{counted(done.annotations, 'annotation')} and {areas} are in {path.name}."
    if receipt.ok and not lost:
        session.tell.wrote(f"{text} It was read again and compared: all are there.", path)
        return
    session.tell.wrote(f"{path.name} is written, but not all could be kept.", path)
    found = f"{counted(receipt.found, 'shape')} of {receipt.written:,} are in {path.name}.\n\n"
    differences = listed("What was found to differ", receipt.differences)
    session.tell.page(f"Export to {path.name}", found + listed("What this format cannot keep", lost) + differences)  # fmt: skip
