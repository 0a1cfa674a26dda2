"""`segcore dataset`: data sets of other people, and our own exports, as one kind of folder to train on."""

import argparse
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segcore.annotations import load_taxonomy
from segcore.cli import dataset_upkeep
from segcore.cli.choices import pixel_size
from segcore.cli.console import Console
from segcore.errors import AnnotationError

if TYPE_CHECKING:
    from segcore.data.building import Built
    from segcore.data.cases import Case, Cut
    from segcore.data.formats import Format

TILE = 512
_TOLD = 20
"""How many things that were left out are told one by one."""


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "dataset",
        help="make, split and check data sets",
        description="Turn a data set into a folder with manifest.csv, images and labels (0 in a mask is "
        "unlabelled), streamed; a killed run goes on where it was. Or split or check such a folder.",
    )
    verbs = parser.add_subparsers(title="formats and verbs", required=True, metavar="FORMAT")
    for each in _formats():
        _add_format(verbs, each)
    dataset_upkeep.add_parsers(verbs)


def _formats() -> "Sequence[Format]":
    from segcore.data.formats import FORMATS

    return FORMATS


def _add_format(verbs: Any, each: "Format") -> None:
    parser: argparse.ArgumentParser = verbs.add_parser(
        each.name, help=each.about, description=f"{each.about[0].upper()}{each.about[1:]}."
    )
    parser.add_argument("folder", type=Path, metavar="IN", help="the data set's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    mpp = each.mpp
    parser.add_argument(
        "--mpp", type=pixel_size, metavar="F", default=mpp,
        help=f"pixel size of the new pictures ({mpp or 'as they are'})",
    )  # fmt: skip
    tile = TILE if mpp else None
    parser.add_argument(
        "--tile", type=_tile, metavar="N", default=tile,
        help=f"cut into tiles of N pixels ({tile or 'pictures stay whole'})",
    )  # fmt: skip
    for option in each.options:
        _OPTIONS[option](parser, each)
    if each.name == "hinet":
        parser.add_argument("--no-stain", action="store_true", help="keep the slides' own colours")
    parser.add_argument(
        "--picture", choices=("png", "jpg"), default="png", help="file format (png)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run, format=each)


def _add_rest(parser: argparse.ArgumentParser, each: "Format") -> None:
    parser.add_argument(
        "--rest", type=_class, metavar="CLASS", default=_class(each.rest or "unlabelled"),
        help=f"what nothing is marked on, a class or 'unlabelled' ({each.rest or 'unlabelled'})",
    )  # fmt: skip


def _add_source_mpp(parser: argparse.ArgumentParser, _: "Format") -> None:
    parser.add_argument(
        "--source-mpp", type=pixel_size, metavar="F", help="pixel size of IN, where it does not say"
    )  # fmt: skip


def _add_annotations(parser: argparse.ArgumentParser, _: "Format") -> None:
    parser.add_argument(
        "--annotations", type=Path, metavar="DIR", help="folder of the annotation files (IN)"
    )


def _add_pseudo(parser: argparse.ArgumentParser, _: "Format") -> None:
    parser.add_argument("--pseudo", type=Path, metavar="DIR", help="masks of the training tiles")


def _add_magnification(parser: argparse.ArgumentParser, _: "Format") -> None:
    choices = ("40", "100", "200", "400")
    parser.add_argument("--magnification", choices=choices, help="of one only (all)")


def _add_codes(parser: argparse.ArgumentParser, _: "Format") -> None:
    parser.add_argument(
        "--codes", type=_codes, metavar="VALUE=CLASS,...",
        help="meaning of mask values, as 255=Tumor,0=Other (they are class codes already)",
    )  # fmt: skip


def _add_case(parser: argparse.ArgumentParser, _: "Format") -> None:
    parser.add_argument(
        "--case",
        type=_pattern,
        metavar="REGEX",
        help=r"finds the case in a name, as '(.+?)__' (the whole name)",
    )


_OPTIONS: "dict[str, Callable[[argparse.ArgumentParser, Format], None]]" = {
    "rest": _add_rest,
    "source_mpp": _add_source_mpp,
    "annotations": _add_annotations,
    "pseudo": _add_pseudo,
    "magnification": _add_magnification,
    "codes": _add_codes,
    "case": _add_case,
}


def _tile(text: str) -> int:
    if not text.isdecimal() or not 32 <= int(text) <= 8192:
        raise argparse.ArgumentTypeError(f"{text!r} is no tile size; give 32 to 8192 pixels")
    return int(text)


def _class(text: str) -> int:
    """Read a class; returns its code, 0 for "unlabelled"."""
    if text.casefold() == "unlabelled":
        return 0
    try:
        return load_taxonomy().named(text).code
    except AnnotationError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
    return text


def _codes(text: str) -> dict[int, int]:
    pairs = [each.partition("=") for each in text.split(",")]
    if not all(value.strip().isdecimal() and int(value) < 256 for value, _, _ in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of codes; give 255=Tumor,0=Other")
    return {int(value): _class(name.strip()) for value, _, name in pairs}


def run(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.data.building import build
    from segcore.data.formats.hinet import divided

    chosen = arguments.format
    cases = chosen.find(arguments.folder, **_options(arguments))
    try:
        with console.progress("Building") as report:
            built = build(
                cases,
                arguments.out,
                _cut(arguments),
                settings=_settings(arguments),
                picture=arguments.picture,
                divide=divided if chosen.name == "hinet" else list,
                report=report,
            )
    except KeyboardInterrupt:
        console.tell("Interrupted; the same command goes on where it was.")
        return 130
    _tell(arguments.out, built, cases, console)
    return 0


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the format's `find` takes."""
    from segcore.data.regions import Kind

    values = {name: getattr(arguments, name) for name in arguments.format.options}
    if "rest" in values:
        values["rest"] = Kind(values["rest"]) if values["rest"] else None
    return values


def _cut(arguments: argparse.Namespace) -> "Cut":
    from segcore.data.cases import Cut
    from segcore.data.formats.hinet import COVERAGE

    if arguments.format.name != "hinet":
        return Cut(arguments.mpp, arguments.tile)
    return Cut(arguments.mpp, arguments.tile, tumor=COVERAGE, regularise=not arguments.no_stain)


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what decides the result besides `Cut`, as JSON has it; where things lie does not."""
    values = {name: getattr(arguments, name) for name in arguments.format.options}
    plain = {name: isinstance(value, Path) or value for name, value in values.items()}
    return {"source": arguments.format.name, "options": plain}


def _tell(out: Path, built: "Built", cases: "Sequence[Case]", console: Console) -> None:
    from segcore.data.building import file_names
    from segcore.data.manifest import read_manifest

    titles = dict(zip(file_names(cases), (each.title for each in cases), strict=True))
    left_out = [
        sentence if sentence.startswith(titles[name]) else f"{titles[name]}: {sentence}"
        for name, sentences in built.left_out.items()
        for sentence in sentences
    ]
    for sentence in left_out[:_TOLD]:
        console.tell(sentence)
    if len(left_out) > _TOLD:
        console.tell(f"And {len(left_out) - _TOLD} more; dataset.json in {out} has them all.")
    splits = Counter(row["split"] for row in read_manifest(out))
    document = {
        "out": str(out),
        "pictures": built.pictures,
        "cases": built.cases,
        "splits": dict(splits),
        "left_out": left_out,
    }
    parts = ", ".join(f"{count} {name}" for name, count in splits.items())
    line = f"Written to {out}: {built.pictures} pictures of {built.cases} cases ({parts})."
    console.result(document, [line])
