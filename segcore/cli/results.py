"""The files that a segmentation leaves: mask, polygons, counts, picture, record."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely

from segcore.annotations import Annotation, LabelMap, Taxonomy, load_taxonomy, write_annotations
from segcore.annotations.masks import write_mask
from segcore.annotations.tracing import annotations_from_labels
from segcore.counting import MEANINGS, count
from segcore.reporting.overview import draw_overview
from segcore.reporting.provenance import of_slide, versions
from segcore.slides import Slide

MASK, POLYGONS, COUNTS, PICTURE, RECORD = OUTPUTS = (
    "mask.ome.tif",
    "annotations.geojson",
    "statistics.json",
    "overview.png",
    "run.json",
)


@dataclass(frozen=True, eq=False)
class Run:
    """What was segmented, and how."""

    slide: Slide
    rois: list[Annotation]
    masks: list[LabelMap]
    recipe: dict[str, Any]
    started: datetime
    classification: dict[str, Any] | None = None
    """What the tissue as a whole is, where the model says so."""


def write_results(folder: Path, run: Run) -> dict[str, Any]:
    """Write all files into `folder`; returns what statistics.json and run.json say."""
    taxonomy = load_taxonomy()
    write_mask(folder / MASK, run.masks, run.slide, taxonomy)
    polygons = [each for mask in run.masks for each in annotations_from_labels(mask, taxonomy)]
    write_annotations(folder / POLYGONS, polygons, slide=run.slide, taxonomy=taxonomy)
    counts = _counts(run, taxonomy)
    _write_json(folder / COUNTS, counts)
    draw_overview(run.slide, run.masks, [each.geometry for each in run.rois], taxonomy).save(
        folder / PICTURE
    )
    record = _record(run)
    _write_json(folder / RECORD, record)
    return {"statistics": counts, "run": record}


def _counts(run: Run, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the counts of all, and of each region by itself, with what they mean."""
    rois = [
        {
            "id": each.id,
            "name": each.name,
            **count(run.masks, taxonomy, region=each.geometry).to_json(),
        }
        for each in run.rois
    ]
    score = {"classification": run.classification} if run.classification else {}
    whole = count(run.masks, taxonomy).to_json()
    return {**whole, **score, "rois": rois, "meanings": MEANINGS}


def _record(run: Run) -> dict[str, Any]:
    """Return what is needed to do the same again. The slide's name stays out: it may name a patient."""
    slide = run.slide
    region = shapely.union_all([shapely.make_valid(each.geometry) for each in run.rois])
    return {
        "format": "acinus-run-1",
        "slide": of_slide(slide),
        "region": shapely.geometry.mapping(region),
        "mask": _frame(run.masks),
        **run.recipe,
        "versions": versions(),
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - run.started).total_seconds(), 2),
    }


def _frame(masks: list[LabelMap]) -> dict[str, Any]:
    """Return where the masks lie on the mask grid; the file spans the whole slide."""
    parts = [
        {"column": each.column, "row": each.row, "shape": list(each.labels.shape)} for each in masks
    ]
    return {"file": MASK, "scale": masks[0].scale, "mpp": masks[0].mpp, **parts[0], "parts": parts}


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
