"""`segcore sample`: the sample slide and its truth mask, painted by the program."""

import argparse
from pathlib import Path
from typing import Any

from segcore.cli.console import Console
from segcore.errors import ExportError


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "sample", help="paint the sample slide", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, metavar="SLIDE", help="a new .tif file")
    parser.add_argument(
        "--size", type=_side, default=8192, metavar="N", help="pixels of a side (8192)"
    )
    parser.add_argument(
        "--seed", type=int, default=42, metavar="N", help="another seed, another slide"
    )
    parser.add_argument("--force", action="store_true", help="replace SLIDE and its truth")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def _side(text: str) -> int:
    if not text.isdecimal() or not 512 <= int(text) <= 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give 512 to 65536 pixels")
    return int(text)


def run(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.slides.procedural import MPP, make_sample_slide

    slide: Path = arguments.out
    truth = slide.with_name(f"{slide.stem}-truth.tif")
    if slide.suffix.lower() not in {".tif", ".tiff"}:
        raise ExportError(f"The sample slide is a TIFF; call it {slide.stem or 'sample'}.tif.")
    for each in (slide, truth):
        if each.exists() and not arguments.force:
            raise ExportError(f"{each} exists already; choose another name or give --force.")
    with console.progress("Painting") as report:
        make_sample_slide(slide, truth, size=arguments.size, seed=arguments.seed, report=report)
    document = {"out": str(slide), "truth": str(truth), "size": arguments.size, "mpp": MPP}
    console.result(document, [f"Written to {slide}, its truth to {truth}."])
    return 0
