"""The files that a segmentation leaves: mask, polygons, areas, picture, record."""

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openslide
import shapely

from segcore.annotations import Annotation, LabelMap, Taxonomy, load_taxonomy, write_annotations
from segcore.annotations.masks import write_mask
from segcore.annotations.statistics import statistics
from segcore.annotations.tracing import annotations_from_labels
from segcore.cli.overview import draw_overview
from segcore.slides import Slide, fingerprint

MASK, POLYGONS, AREAS, PICTURE, RECORD = OUTPUTS = (
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
    areas = _areas(run, taxonomy)
    _write_json(folder / AREAS, areas)
    draw_overview(run.slide, run.masks, [each.geometry for each in run.rois], taxonomy).save(
        folder / PICTURE
    )
    record = _record(run)
    _write_json(folder / RECORD, record)
    return {"statistics": areas, "run": record}


def _areas(run: Run, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the areas of all, and of each region by itself."""
    rois = [
        {
            "id": each.id,
            "name": each.name,
            **asdict(statistics(run.masks, taxonomy, region=each.geometry)),
        }
        for each in run.rois
    ]
    score = {"classification": run.classification} if run.classification else {}
    return {**asdict(statistics(run.masks, taxonomy)), **score, "rois": rois}


def _record(run: Run) -> dict[str, Any]:
    """Return what is needed to do the same again. The slide's name stays out: it may name a patient."""
    slide = run.slide
    region = shapely.union_all([shapely.make_valid(each.geometry) for each in run.rois])
    return {
        "format": "acinus-run-1",
        "slide": {
            "fingerprint": fingerprint(slide.path),
            "dimensions": list(slide.dimensions),
            "bounds": list(slide.bounds),
            "mpp": slide.mpp,
            "vendor": slide.vendor,
        },
        "region": shapely.geometry.mapping(region),
        "mask": _frame(run.masks),
        **run.recipe,
        "versions": _versions(),
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - run.started).total_seconds(), 2),
    }


def _frame(masks: list[LabelMap]) -> dict[str, Any]:
    """Return where the masks lie on the mask grid; the file spans the whole slide."""
    parts = [
        {"column": each.column, "row": each.row, "shape": list(each.labels.shape)} for each in masks
    ]
    return {"file": MASK, "scale": masks[0].scale, "mpp": masks[0].mpp, **parts[0], "parts": parts}


def _versions() -> dict[str, str]:
    packages = ("acinus", "torch", "numpy", "scipy", "numba", "shapely", "pillow", "tifffile")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "openslide": openslide.__library_version__,
        **{name: version(name) for name in packages},
    }


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
