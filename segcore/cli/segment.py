"""`segcore segment`: from a slide to a folder with mask, polygons, areas, a picture and a record."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation, LabelMap, read_annotations
from segcore.annotations.atomic import new_folder
from segcore.cli.choices import add_mpp, checked_slide, rectangle, require_mpp
from segcore.cli.console import Console
from segcore.cli.results import OUTPUTS, Run, write_results
from segcore.errors import RegionError
from segcore.progress import Report
from segcore.slides import Slide

if TYPE_CHECKING:
    from segcore.models import Card


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "segment", help="segment a slide, or regions of it", description=__doc__
    )
    parser.add_argument("slide", type=Path, metavar="SLIDE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    regions = parser.add_mutually_exclusive_group()
    regions.add_argument(
        "--roi",
        type=rectangle,
        action="append",
        metavar="X,Y,W,H",
        help="a rectangle in level-0 pixels",
    )
    regions.add_argument("--annotations", type=Path, metavar="FILE", help="regions drawn elsewhere")
    parser.add_argument(
        "--model",
        default="default",
        metavar="NAME|DIR|ZIP",
        help="a bundle, a bioimage.io package or a WSInfer folder; what a package leaves open, "
        "`segcore models import` takes",
    )
    parser.add_argument(
        "--trust-model",
        action="store_true",
        help="run the TorchScript, which is a program, of a package",
    )
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    add_mpp(parser)
    parser.add_argument("--no-refine", action="store_true", help="leave out label propagation")
    parser.add_argument("--force", action="store_true", help="replace an earlier result in DIR")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, console: Console) -> int:
    started = datetime.now(UTC)
    replace = OUTPUTS if arguments.force else ()
    with (
        checked_slide(arguments.slide, arguments.mpp) as slide,
        new_folder(arguments.out, replace=replace) as folder,
    ):
        require_mpp(slide)
        rois = _rois(arguments, slide)
        masks, recipe, score = _segment(arguments, console, slide, rois)
        document = write_results(folder, Run(slide, rois, masks, recipe, started, score))
    document = {"out": str(arguments.out), "files": list(OUTPUTS), **document}
    console.result(document, _lines(document))
    return 0


def _rois(arguments: argparse.Namespace, slide: Slide) -> list[Annotation]:
    """Return the regions that were asked for: rectangles, drawn areas, or all that was scanned."""
    if arguments.annotations:
        drawn = read_annotations(arguments.annotations, slide=slide)
        areas = [each for each in drawn if each.geometry.area > 0]
        if not areas:
            name = arguments.annotations.name
            raise RegionError(f"{name} holds no areas; draw a region, or leave --annotations out.")
        return areas
    if arguments.roi:
        boxes = [shapely.box(x, y, x + width, y + height) for x, y, width, height in arguments.roi]
        return [Annotation(box, name=f"ROI {number}") for number, box in enumerate(boxes, 1)]
    x, y, width, height = slide.bounds
    return [Annotation(shapely.box(x, y, x + width, y + height), name="Slide")]


def _segment(
    arguments: argparse.Namespace, console: Console, slide: Slide, rois: list[Annotation]
) -> tuple[list[LabelMap], dict[str, Any], dict[str, Any] | None]:
    """Return a mask for each part, none overlapping, what the record says of model and recipe, and the score."""
    from segcore.inference import classify_tissue, segment_region
    from segcore.models import load_bundle
    from segcore.refinement import Refinement

    bundle = load_bundle(arguments.model, arguments.device, trust=arguments.trust_model)
    if not bundle.card.trained:
        console.tell(f"The weights of {bundle.card.name!r} are untrained: the mask means nothing.")
    refine = None if arguments.no_refine else Refinement()
    parts = _parts(rois)
    masks = []
    with console.progress("Segmenting") as report:
        for done, part in enumerate(parts):
            share = _share(report, done, len(parts))
            masks.append(segment_region(slide, bundle, part, refine=refine, report=share))
    score = classify_tissue(slide, bundle, masks)
    recipe = {
        "model": _model(bundle.card),
        "device": str(bundle.device),
        "refine": asdict(refine) if refine else None,
    }
    return masks, recipe, asdict(score) if score else None


def _model(card: "Card") -> dict[str, Any]:
    """Return what the record says of the model."""
    return {
        "name": card.name,
        "title": card.title,
        "architecture": card.architecture.name,
        "sha256": card.sha256,
        "trained": card.trained,
        "classes": list(card.classes),
        "mpp": card.mpp,
        "licence": card.licence,
    }


def _parts(rois: list[Annotation]) -> list[BaseGeometry]:
    """Return the union of the regions, cut where nothing lies between, so that no mask spans empty slide."""
    outlines = [shapely.make_valid(each.geometry) for each in rois]
    boxes = shapely.union_all([shapely.box(*each.bounds) for each in outlines])
    places = shapely.STRtree(outlines)
    together = (places.query(part, predicate="intersects") for part in shapely.get_parts(boxes))
    return [shapely.union_all([outlines[at] for at in indices]) for indices in together]


def _share(report: Report, done: int, total: int) -> Report:
    """Return a report for the part `done` of `total`."""

    def share(fraction: float, text: str = "") -> None:
        report(
            (done + fraction) / total,
            text if total == 1 else f"region {done + 1} of {total}: {text}",
        )

    return share


def _lines(document: dict[str, Any]) -> list[str]:
    """Return the result for people."""
    areas = document["statistics"]
    lines = [
        f"{name:12} {area:9.4f} mm²  {areas['fraction'][name]:6.1%}"
        for name, area in areas["area_mm2"].items()
    ]
    ratio = areas["tumor_to_stroma"]
    lines.append(f"Tumor to stroma: {'no stroma' if ratio is None else f'{ratio:.2f}'}")
    if score := areas.get("classification"):
        tissue = " and ".join(score["inside"])
        lines.append(
            f"Classified as {score['label']}, confidence {score['confidence']:.0%}, from {score['area_mm2']:.4f} mm² of {tissue}."
        )
    lines.append(
        f"Written to {document['out']} in {document['run']['seconds']:.1f} s. Research use only."
    )
    return lines
