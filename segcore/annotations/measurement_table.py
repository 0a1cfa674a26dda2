"""Measurements of annotations as a CSV file, one row each, with the column names of QuPath's export."""

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segcore.annotations import hierarchy, shapes
from segcore.annotations.atomic import replacing
from segcore.annotations.labelmap import LabelMap
from segcore.annotations.measuring import class_areas, measure_all
from segcore.annotations.model import Annotation
from segcore.annotations.taxonomy import Taxonomy
from segcore.progress import Report, silent

Row = dict[str, str | float]
_STEP = 1000  # rows from one report to the next


def write_csv(
    path: str | Path,
    annotations: Sequence[Annotation],
    *,
    image: str,
    mpp: float | None,
    masks: Sequence[LabelMap] = (),
    taxonomy: Taxonomy | None = None,
    report: Report = silent,
) -> int:
    """Write who each annotation is, what is measured of it, and what came with it; return how many rows.

    Where `masks` and `taxonomy` are given, areas also have the area of each class in them. The file is
    UTF-8 with a byte order mark, without which spreadsheets misread µ; text that a spreadsheet would take
    for a formula has an apostrophe before it. Raises ExportError.
    """
    rows = [
        {"Image": image, **about, **measured}
        for about, measured in zip(
            _about(annotations, report), _measured(annotations, mpp), strict=True
        )
    ]
    if masks and taxonomy:
        _add_class_areas(rows, annotations, masks, taxonomy, report)
    columns = dict.fromkeys(name for row in rows for name in row)
    report(0.9, "writing")
    with (
        replacing(Path(path)) as temporary,
        temporary.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow([_cell(name) for name in columns])
        writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return len(rows)


def _about(annotations: Sequence[Annotation], report: Report) -> Iterator[Row]:
    """Yield who each annotation is."""
    report(0.0, "finding what lies in what")
    parents = hierarchy.parents(annotations)
    by_id = {each.id: each for each in annotations}
    for each in annotations:
        parent = by_id.get(parents[each.id] or "")
        yield {
            "Object ID": each.id,
            "Object type": each.kind.capitalize(),
            "Name": each.name or "",
            "Classification": each.class_name or "",
            "Parent": (parent.name or parent.class_name or "Annotation") if parent else "",
            "Parent ID": parent.id if parent else "",
            "Notes": each.notes,
            "Locked": "true" if each.locked else "false",
        }


def _measured(annotations: Sequence[Annotation], mpp: float | None) -> Iterator[Row]:
    """Yield what is measured of each, and after it what came with it under other names."""
    measured = measure_all([each.geometry for each in annotations], mpp)
    columns = {name: values for name, values in measured.items() if np.isfinite(values).any()}
    for number, each in enumerate(annotations):
        row: Row = {name: float(values[number]) for name, values in columns.items()}
        yield row | {key: value for key, value in each.measurements.items() if key not in row}


def _add_class_areas(
    rows: Sequence[Row],
    annotations: Sequence[Annotation],
    masks: Sequence[LabelMap],
    taxonomy: Taxonomy,
    report: Report,
) -> None:
    for number, (row, each) in enumerate(zip(rows, annotations, strict=True)):
        if number % _STEP == 0:
            report(0.1 + 0.8 * number / len(rows), "measuring the mask")
        if shapes.kind_of(each.geometry) == shapes.AREAS:
            row.update(class_areas(each.geometry, masks, taxonomy))


def _cell(value: str | float | None) -> str | float:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    if value is None or not math.isfinite(value):
        return ""
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else round(value, 6)
