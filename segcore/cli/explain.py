"""`segcore explain`: why a model answered as it did in a region, how sure it is, and how far to trust the map."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from segcore.annotations import Annotation
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
from segcore.errors import ModelError
from segcore.progress import Report, share
from segcore.reporting.provenance import of_model, of_slide, versions
from segcore.slides import Slide

if TYPE_CHECKING:
    from segcore.explain import Readout, RegionHeat
    from segcore.models import Bundle

DOCUMENT = "explanation.json"
METHODS = ("grad-cam", "shap", "uncertainty", "robustness")
OF_A_CLASS = ("grad-cam", "shap")


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain", help="show why a model answered as it did in a region", description=__doc__
    )
    parser.add_argument("slide", type=Path, metavar="SLIDE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--method",
        choices=METHODS,
        default="grad-cam",
        help="grad-cam and shap explain a class; uncertainty is the entropy of the answer; "
        "robustness tells where it flips under other stains, turned and mirrored",
    )
    parser.add_argument("--class", dest="class_name", metavar="NAME", help="what is explained")
    parser.add_argument(
        "--layer", metavar="NAME", help="that Grad-CAM looks at; a wrong one is answered with all"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of what is drawn at random"
    )
    add_regions(parser)
    add_model(parser)
    add_mpp(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, console: Console) -> int:
    started = datetime.now(UTC)
    with (
        checked_slide(arguments.slide, arguments.mpp) as slide,
        new_folder(arguments.out) as folder,
    ):
        require_mpp(slide)
        rois = chosen_regions(arguments, slide)
        bundle = _bundle(arguments, console)
        maps = []
        with console.progress("Explaining") as report:
            for number, roi in enumerate(rois):
                part = share(report, number, len(rois))
                heat, readout = _explained(arguments, slide, bundle, roi, part)
                maps.append(_write(folder, slide, roi, heat, readout, number=number + 1))
        document = _document(arguments, slide, bundle, maps, started)
        text = json.dumps(document, indent=1) + "\n"
        (folder / DOCUMENT).write_text(text, encoding="utf-8")
    document = {"out": str(arguments.out), **document}
    console.result(document, _lines(document))
    return 0


def _bundle(arguments: argparse.Namespace, console: Console) -> "Bundle":
    """Load the model and check that it can do what is asked; raises ModelError."""
    from segcore.models import load_bundle

    bundle = load_bundle(arguments.model, arguments.device, trust=arguments.trust_model)
    if not bundle.card.trained:
        console.tell(f"The weights of {bundle.card.name!r} are untrained: the map means nothing.")
    if arguments.method not in OF_A_CLASS:
        return bundle
    known = ", ".join(bundle.classes)
    if arguments.class_name is None:
        raise ModelError(f"{arguments.method} explains a class; name one of {known} (--class).")
    if arguments.class_name not in bundle.classes:
        raise ModelError(
            f"{bundle.card.name!r} does not know the class {arguments.class_name!r}; choose one of {known}."
        )
    return bundle


def _explained(
    arguments: argparse.Namespace, slide: Slide, bundle: "Bundle", roi: Annotation, report: Report
) -> "tuple[RegionHeat, Readout | None]":
    """Return the map of a region, and of an explanation also how far to trust it."""
    from segcore.explain import check_map, explain_region, robustness_map, uncertainty_map

    if arguments.method == "uncertainty":
        return uncertainty_map(slide, bundle, roi.geometry, report=report), None
    if arguments.method == "robustness":
        seed = arguments.seed
        return robustness_map(slide, bundle, roi.geometry, seed=seed, report=report), None
    heat = explain_region(
        slide,
        bundle,
        roi.geometry,
        bundle.classes.index(arguments.class_name),
        method="shap" if arguments.method == "shap" else "grad_cam",
        layer=arguments.layer,
        seed=arguments.seed,
        report=share(report, 0, 2),
    )
    seed, rest = arguments.seed, share(report, 1, 2)
    return heat, check_map(slide, bundle, heat, seed=seed, report=rest)


def _write(
    folder: Path,
    slide: Slide,
    roi: Annotation,
    heat: "RegionHeat",
    readout: "Readout | None",
    *,
    number: int,
) -> dict[str, Any]:
    """Write a region's map and picture; returns what the document says of it."""
    import numpy as np

    from segcore.explain import write_heat
    from segcore.reporting.heat_picture import draw_heat

    numbers, picture = f"map-{number}.ome.tif", f"map-{number}.png"
    write_heat(folder / numbers, heat, slide)
    draw_heat(slide, heat, roi.geometry).save(folder / picture)
    known = heat.values[np.isfinite(heat.values)]
    return {
        "id": roi.id,
        "name": roi.name,
        "region": shapely.geometry.mapping(roi.geometry),
        "files": [numbers, picture],
        "title": heat.title,
        "bounds": list(heat.bounds),
        "shape": list(heat.values.shape),
        "one": heat.one,
        "unit": heat.unit,
        "mean": float(known.mean()) if known.size else None,
        "readout": readout.to_json() if readout else None,
    }


def _document(
    arguments: argparse.Namespace,
    slide: Slide,
    bundle: "Bundle",
    maps: list[dict[str, Any]],
    started: datetime,
) -> dict[str, Any]:
    """Return the maps, and what is needed to make them again."""
    from segcore.explain import ATTENTION

    return {
        "format": "acinus-explanation-1",
        "note": f"{ATTENTION}. Research use only.",
        "method": arguments.method,
        "class": arguments.class_name if arguments.method in OF_A_CLASS else None,
        "layer": arguments.layer,
        "seed": arguments.seed,
        "temperature": bundle.card.temperature,
        "slide": of_slide(slide),
        "model": of_model(bundle.card),
        "device": str(bundle.device),
        "versions": versions("captum"),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 2),
        "maps": maps,
    }


def _lines(document: dict[str, Any]) -> list[str]:
    """Return the result for people."""
    lines = []
    for each in document["maps"]:
        lines.append(f"{each['name'] or 'Region'}: {each['title']}, mean {each['mean'] or 0:.3f}")
        if readout := each["readout"]:
            curve, rest = readout["deletion"], readout["infidelity"]
            lines.append(
                f"  deletion: area {curve['area']:.3f}, {curve['gain']:+.3f} better than chance; "
                f"infidelity {'unknown' if rest is None else f'{rest:.2f}'}; {readout['off_tissue']:.0%} on bare glass"
            )
            lines += [f"  {sentence}" for sentence in readout["flags"]]
    lines.append(f"Written to {document['out']} in {document['seconds']:.1f} s. {document['note']}")
    return lines
