"""`segcore convert`: annotation files and masks into one another."""

import argparse
from pathlib import Path
from typing import Any

from segcore.annotations import (
    FORMATS,
    Annotation,
    Format,
    ReadReport,
    Receipt,
    Written,
    check_written,
    format_for,
    format_named,
    read_annotations_report,
    write_annotations,
)
from segcore.cli.choices import add_mpp, checked_slide, pixel_size, require_mpp
from segcore.cli.console import Console
from segcore.errors import AnnotationError, ExportError
from segcore.progress import share

_ORIGINS = ("full", "bounds")
_TARGETS = [each.name for each in FORMATS if each.can_write]


def add_parser(commands: Any) -> None:
    known = ", ".join(f"{each.title} ({' '.join(each.suffixes[:2])})" for each in FORMATS)
    parser: argparse.ArgumentParser = commands.add_parser(
        "convert",
        help="convert annotations and masks",
        description=f"Convert files of annotations and masks into one another: {known}. What is read is known by "
        "its content, what is written by its name. The file is read again and compared.",
    )
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument(
        "--slide", type=Path, metavar="SLIDE", help="needed for frames, NDPA and masks"
    )
    parser.add_argument(
        "--to", choices=_TARGETS, metavar="FORMAT",
        help=f"of OUT, where its name does not say: {', '.join(_TARGETS)}",
    )  # fmt: skip
    parser.add_argument(
        "--origin", choices=_ORIGINS,
        help="frame of OUT: the scanned region (GeoJSON's custom) or the full slide (all others')",
    )  # fmt: skip
    parser.add_argument(
        "--input-origin", choices=_ORIGINS, help="frame of IN, where it does not say"
    )
    add_mpp(parser)
    parser.add_argument(
        "--mask-mpp",
        type=pixel_size,
        default=0.5,
        metavar="F",
        help="pixel size of a new mask (0.5)",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, console: Console) -> int:
    known = _format(arguments)
    slide = checked_slide(arguments.slide, arguments.mpp) if arguments.slide else None
    if known.needs_slide and slide is None:
        raise AnnotationError(f"{known.title} is measured by its slide; give --slide.")
    if known.is_picture and slide:
        require_mpp(slide)
    with console.progress("Converting") as report:
        annotations, read = read_annotations_report(
            arguments.source, slide=slide, origin=arguments.input_origin, report=share(report, 0, 3)
        )
        options: dict[str, Any] = {
            "slide": slide,
            "origin": arguments.origin,
            "format": known,
            "mask_mpp": arguments.mask_mpp,
        }
        target = arguments.target
        written = write_annotations(target, annotations, **options, report=share(report, 1, 3))
        receipt = check_written(target, annotations, written, **options, report=share(report, 2, 3))
    return _tell(arguments, console, read, (annotations, written, receipt))


def _format(arguments: argparse.Namespace) -> Format:
    """Return the format of OUT; raises where it cannot be written there."""
    known = format_named(arguments.to) if arguments.to else format_for(arguments.target)
    if arguments.target.exists() and not arguments.force:
        raise ExportError(
            f"{arguments.target} exists already; choose another name or give --force."
        )
    return known


def _tell(
    arguments: argparse.Namespace,
    console: Console,
    read: ReadReport,
    done: tuple[list[Annotation], Written, Receipt],
) -> int:
    """Say what was read, left out, written and found again; 1 where the file is not as it should be."""
    annotations, written, receipt = done
    lost = _lost(annotations, written)
    for sentence in (*read.doubts, *read.skipped, *lost):
        console.tell(sentence)
    for sentence in receipt.differences:
        console.tell(f"The written file differs: {sentence}")
    document = {
        "out": str(arguments.target),
        "format": read.format,
        "read": len(annotations),
        "repaired": read.repaired,
        "doubts": read.doubts,
        "skipped": read.skipped,
        "written": written.features,
        "left_out": lost,
        "found_again": receipt.found,
        "differences": receipt.differences,
    }
    counts = (
        f"{len(annotations):,} read, {len(read.skipped):,} left out, {read.repaired:,} repaired"
    )
    lines = [
        f"{arguments.source} ({read.format}): {counts}.",
        f"{arguments.target}: {written.features:,} written.",
        receipt.sentence,
    ]
    console.result(document, lines)
    return 0 if receipt.ok else 1


def _lost(annotations: list[Annotation], written: Written) -> list[str]:
    if written.lost or not written.dropped:
        return list(written.lost)
    names = {each.id: each.name for each in annotations}
    return [
        f"The annotation {names.get(each) or each} was left out: nothing of it is left."
        for each in written.dropped
    ]
