"""`segcore segment`: from a slide to a folder with mask, polygons, areas, a picture and a record."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segcore.annotations import Annotation, LabelMap
from segcore.annotations.atomic import new_folder
from segcore.cli.choices import (
    add_model,
    add_mpp,
    add_regions,
    checked_slide,
    chosen_regions,
    require_mpp,
)
from segcore.cli.console import Console
from segcore.cli.results import OUTPUTS, Run, write_results
from segcore.progress import Report
from segcore.reporting.provenance import of_model
from segcore.slides import Slide


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "segment", help="segment a slide, or regions of it", description=__doc__
    )
    parser.add_argument("slide", type=Path, metavar="SLIDE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    add_regions(parser)
    add_model(parser)
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
        rois = chosen_regions(arguments, slide)
        masks, recipe, score = _segment(arguments, console, slide, rois)
        document = write_results(folder, Run(slide, rois, masks, recipe, started, score))
    document = {"out": str(arguments.out), "files": list(OUTPUTS), **document}
    console.result(document, _lines(document))
    return 0


def _segment(
    arguments: argparse.Namespace, console: Console, slide: Slide, rois: list[Annotation]
) -> tuple[list[LabelMap], dict[str, Any], dict[str, Any] | None]:
    """Return a mask for each part, none overlapping, what the record says of model and recipe, and the score."""
    from segcore.inference import apart, check_region, classify_tissue, segment_region
    from segcore.models import load_bundle
    from segcore.refinement import Refinement

    bundle = load_bundle(arguments.model, arguments.device, trust=arguments.trust_model)
    if not bundle.card.trained:
        console.tell(f"The weights of {bundle.card.name!r} are untrained: the mask means nothing.")
    concerns = check_region(slide, bundle, [each.geometry for each in rois])
    for concern in concerns:
        console.tell(concern.sentence)
    retreats: list[str] = []
    refine = None if arguments.no_refine else Refinement()
    parts = apart(each.geometry for each in rois)
    masks = []
    with console.progress("Segmenting") as report:
        for done, part in enumerate(parts):
            share = _share(report, done, len(parts))
            mask = segment_region(
                slide, bundle, part, refine=refine, report=share, warn=retreats.append
            )
            masks.append(mask)
    for sentence in retreats:
        console.tell(sentence)
    score = classify_tissue(slide, bundle, masks)
    recipe = {
        "model": of_model(bundle.card),
        "device": str(bundle.device),
        "refine": asdict(refine) if refine else None,
        "concerns": [asdict(each) for each in concerns],
        "retreats": retreats,
    }
    return masks, recipe, asdict(score) if score else None


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
