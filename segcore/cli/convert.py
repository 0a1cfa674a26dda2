"""`segcore convert`: annotation files and masks into one another."""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import (
    Annotation,
    LabelMap,
    load_taxonomy,
    read_annotations_report,
    write_annotations,
)
from segcore.annotations.masks import read_mask, write_mask
from segcore.annotations.raster import rasterize
from segcore.annotations.tracing import annotations_from_labels
from segcore.cli.choices import add_mpp, checked_slide, pixel_size, require_mpp
from segcore.cli.console import Console
from segcore.errors import AnnotationError, ExportError
from segcore.slides import Slide

_MASKS = (".tif", ".tiff")
_MOST_PIXELS = 4 << 30


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "convert",
        help="convert annotations and masks",
        description="Convert GeoJSON (.geojson .json, .gz, .zip) and masks (.ome.tif) into one another.",
    )
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--slide", type=Path, metavar="SLIDE", help="needed for frames and masks")
    origins = ("full", "bounds")
    parser.add_argument(
        "--origin",
        choices=origins,
        default="bounds",
        help="frame of OUT: the scanned region (QuPath) or all",
    )
    parser.add_argument(
        "--input-origin", choices=origins, help="frame of IN, where it does not say"
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
    if arguments.target.exists() and not arguments.force:
        raise ExportError(
            f"{arguments.target} exists already; choose another name or give --force."
        )
    slide = checked_slide(arguments.slide, arguments.mpp) if arguments.slide else None
    annotations, skipped = _read(arguments, slide)
    if _is_mask(arguments.target):
        count, left_out = _write_as_mask(arguments, slide, annotations)
    else:
        written = write_annotations(
            arguments.target, annotations, slide=slide, origin=arguments.origin
        )
        count = written.features
        left_out = [
            f"The annotation {each} was left out: nothing of it is left."
            for each in written.dropped
        ]
    for sentence in (*skipped, *left_out):
        console.tell(sentence)
    document = {"out": str(arguments.target), "written": count, "skipped": [*skipped, *left_out]}
    console.result(document, [f"Written to {arguments.target}: {count} annotations."])
    return 0


def _is_mask(path: Path) -> bool:
    return path.suffix.lower() in _MASKS


def _read(
    arguments: argparse.Namespace, slide: Slide | None
) -> tuple[list[Annotation], tuple[str, ...]]:
    if _is_mask(arguments.source):
        return annotations_from_labels(read_mask(arguments.source, slide=slide)), ()
    found, report = read_annotations_report(
        arguments.source, slide=slide, origin=arguments.input_origin
    )
    return found, report.skipped


def _write_as_mask(
    arguments: argparse.Namespace, slide: Slide | None, annotations: list[Annotation]
) -> tuple[int, list[str]]:
    """Write the areas that have a class; returns how many, and a sentence for each other one."""
    if slide is None:
        raise AnnotationError("A mask has the size of its slide; give --slide.")
    scale = arguments.mask_mpp / require_mpp(slide)
    taxonomy = load_taxonomy()
    shapes, left_out = [], []
    for each in annotations:
        known = taxonomy.find(each.class_name) if each.class_name else None
        if known and each.geometry.area:
            shapes.append((known.code, each.geometry))
        else:
            reason = "is no area" if known else f"has no class of the taxonomy {taxonomy.name!r}"
            left_out.append(f"The annotation {each.name or each.id} was left out: it {reason}.")
    if not shapes:
        raise AnnotationError(
            f"{arguments.source.name} holds no area with a class; give each one a class first."
        )
    labels = _painted(shapes, slide, scale, arguments.mask_mpp)
    write_mask(arguments.target, labels, slide, taxonomy)
    return len(shapes), left_out


def _painted(
    shapes: list[tuple[int, BaseGeometry]], slide: Slide, scale: float, mpp: float
) -> LabelMap:
    box = shapely.box(0, 0, *slide.dimensions)
    bounds = shapely.total_bounds([each for _, each in shapes])
    inside = shapely.intersection(shapely.box(*bounds), box).bounds
    if not inside or any(map(math.isnan, inside)):
        raise AnnotationError(
            "All annotations lie outside the slide; give the slide that they belong to."
        )
    column, row = (math.floor(each / scale) for each in inside[:2])
    width, height = math.ceil(inside[2] / scale) - column, math.ceil(inside[3] / scale) - row
    if width * height > _MOST_PIXELS:
        raise AnnotationError(
            f"A mask of {width} x {height} pixels is too large; give a larger --mask-mpp."
        )
    labels = rasterize(shapes, shape=(height, width), column=column, row=row, scale=scale)
    return LabelMap(np.ascontiguousarray(labels), column, row, scale, mpp)
