"""`segcore evaluate`: how well a bundle does on pictures with reference masks, with intervals and tests."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from segcore.annotations.atomic import new_folder
from segcore.cli.console import Console
from segcore.errors import DataError
from segcore.progress import Report, share

if TYPE_CHECKING:
    from segcore.assessment import Assessment, CardCheck, Document
    from segcore.data import Sample
    from segcore.models import Bundle

SPLIT = "val"


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "evaluate", help="measure a model on pictures with reference masks", description=__doc__
    )
    parser.add_argument("--model", default="default", metavar="NAME|DIR", help="a bundle")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="a data set, or with --recipe the folder that its sources lie in",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", metavar="NAME", help="of the data set (val)")
    which.add_argument(
        "--recipe",
        metavar="NAME|FILE",
        help="take this recipe's validation pictures, and compare with the model's card",
    )
    parser.add_argument(
        "--against", metavar="NAME|DIR", help="another bundle, tested on the same cases"
    )
    parser.add_argument(
        "--refine", action="store_true", help="measure with label propagation as well"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a new folder for report.md, report.json, pictures"
    )
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, console: Console) -> int:
    import msgspec

    from segcore.assessment import FILES, write_report

    with new_folder(arguments.out) if arguments.out else nullcontext() as folder:
        document, found = _evaluate(arguments, console)
        if folder:
            write_report(folder, document, found)
    out = {"out": str(arguments.out), "files": list(FILES)} if arguments.out else {}
    console.result({**out, **msgspec.to_builtins(document)}, _lines(document, arguments.out))
    return 0


def _evaluate(arguments: argparse.Namespace, console: Console) -> "tuple[Document, Assessment]":
    from segcore.assessment import describe

    bundle = _load(arguments.model, arguments, console)
    other = _load(arguments.against, arguments, console) if arguments.against else None
    samples = _samples(arguments, bundle.mpp)
    with console.progress("Evaluating") as report:
        parts = 1 + bool(arguments.recipe) + bool(other)
        found, *refined = _assess(bundle, samples, arguments, share(report, 0, parts))
        against = None
        if other:
            same = samples if other.mpp == bundle.mpp else _samples(arguments, other.mpp)
            plain, *_ = _assess(other, same, arguments, share(report, 1, parts))
            against = (arguments.against, plain)
        card = None
        if arguments.recipe:
            card = _check_card(bundle, samples, share(report, parts - 1, parts))
    document = describe(
        bundle,
        found,
        data=_data(arguments),
        refined=refined[0] if refined else None,
        against=against,
        card=card,
    )
    return document, found


def _data(arguments: argparse.Namespace) -> str:
    """Say in a phrase what is measured on."""
    if arguments.recipe:
        return f"the validation pictures of {Path(arguments.recipe).stem}"
    return f"{arguments.data.resolve().name}, split {arguments.split or SPLIT}"


def _load(name: str, arguments: argparse.Namespace, console: Console) -> "Bundle":
    from segcore.models import load_bundle

    bundle = load_bundle(name, arguments.device)
    if not bundle.card.trained:
        console.tell(
            f"The weights of {bundle.card.name!r} are untrained: the figures mean nothing."
        )
    return bundle


def _samples(arguments: argparse.Namespace, mpp: float) -> "Sequence[Sample]":
    """Return the pictures at the pixel size `mpp`."""
    from segcore.data import read_manifest_folder

    if arguments.recipe:
        from segcore.training import read_recipe, read_sources

        recipe = read_recipe(arguments.recipe)
        fewer = tuple(replace(each, seeds=each.seeds[:1]) for each in recipe.sources)
        recipe = replace(recipe, mpp=mpp, sources=fewer)  # painting what trains takes long
        _, samples = read_sources(recipe, arguments.data)
        missing = f"The recipe {recipe.name!r} has no validation pictures"
    else:
        split = arguments.split or SPLIT
        samples = read_manifest_folder(arguments.data, split=split, mpp=mpp)
        missing = f"{arguments.data} has no pictures of the split {split!r}"
    if not samples:
        raise DataError(f"{missing}; there is nothing to measure on.")
    return samples


def _assess(
    bundle: "Bundle", samples: "Sequence[Sample]", arguments: argparse.Namespace, report: Report
) -> "tuple[Assessment, ...]":
    from segcore.assessment import assess
    from segcore.refinement import Refinement

    ways = (None, Refinement()) if arguments.refine else (None,)
    return assess(bundle, samples, report, refinements=ways)


def _check_card(bundle: "Bundle", samples: "Sequence[Sample]", report: Report) -> "CardCheck":
    from segcore.assessment import check_card, measure

    return check_card(bundle.card.metrics, measure(bundle, samples, report))


def _lines(document: "Document", out: Path | None) -> Iterator[str]:
    """Yield the result for people: the classes over cases, and what was compared."""
    from segcore.assessment.markdown import number, shown

    overall = document.overall
    yield f"{document.model.name} on {document.data}: {overall.cases} cases, {overall.rois} pictures"
    yield f"{'':12} {'IoU per case':26} {'Dice per case':26} cases"
    iou, dice = overall.overlap["case"]["IoU"], overall.overlap["case"]["Dice"]
    for name, figure in iou.items():
        yield f"{name:12} {shown(figure):26} {shown(dice[name]):26} {figure.cases:5}"
    yield f"Calibration error {shown(overall.calibration_error)}, pixel accuracy {number(overall.accuracy)}"
    for other in (document.refined, document.against):
        if other:
            mean = other.tests[-1]
            change = number(mean.difference, sign="+")
            yield f"{other.name}: mean IoU per case {change} ({mean.conclusion})"
    if document.card:
        yield document.card.sentence
        for each in document.card.differences:
            yield f"  {each.metric} {each.class_name}, {each.split}: card {each.card}, here {each.measured}"
    if out:
        yield f"Written to {out}. Research use only."
