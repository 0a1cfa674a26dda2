"""`segcore ablate`: the ablations of the three papers, trained and measured on your data from one command."""

import argparse
import sys
from pathlib import Path
from typing import Any

from segcore.cli.console import Console
from segcore.progress import Report

INTERRUPTED = 130


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "ablate",
        help="train a recipe with one thing after another left out",
        description=f"{__doc__} Finished variants are not trained again.",
    )
    parser.add_argument(
        "--recipe", required=True, metavar="NAME|FILE", help="what all variants have in common"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="of the recipe, as for train"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="of this study; goes on"
    )
    parser.add_argument("--steps", type=_count, metavar="N", help="over what the recipe says")
    parser.add_argument(
        "--only",
        type=_names,
        default=(),
        metavar="NAME,NAME",
        help="variants, or groups of them: lightmuseg, unet, hi-net",
    )
    parser.add_argument(
        "--encoder", type=Path, metavar="FILE", help="torchvision's mobilenet_v2, safetensors"
    )
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps; give 1 or more")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _spoken(console: Console) -> Report:
    """Return a report that says where each variant begins, for where there is no terminal to draw a bar."""
    said = ""

    def report(fraction: float, text: str = "") -> None:
        nonlocal said
        name, colon, _ = text.partition(":")
        if colon and name != said:
            said = name
            console.tell(f"{fraction:4.0%}  {name}")

    return report


def run(arguments: argparse.Namespace, console: Console) -> int:
    import msgspec

    from segcore.models import choose_device
    from segcore.training.ablation_table import ablation_table
    from segcore.training.ablations import TABLE, ablate
    from segcore.training.recipe import read_recipe
    from segcore.training.weights import read_weights

    recipe = read_recipe(arguments.recipe)
    if arguments.steps:
        recipe = msgspec.structs.replace(recipe, steps=arguments.steps, epochs=0)
    try:
        with console.progress("Ablating") as report:
            found = ablate(
                recipe,
                arguments.data,
                arguments.out,
                report if sys.stderr.isatty() else _spoken(console),
                only=arguments.only,
                encoder=read_weights(arguments.encoder) if arguments.encoder else None,
                device=choose_device(arguments.device),
            )
    except KeyboardInterrupt:
        console.tell(f"Stopped; the same command goes on with what is in {arguments.out}.")
        return INTERRUPTED
    document = {"out": str(arguments.out), **msgspec.to_builtins(found)}
    lines = ablation_table(found).splitlines()
    console.result(document, [*lines, f"Written to {arguments.out / TABLE}."])
    return 0
