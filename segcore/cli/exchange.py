"""`segcore models import` and `segcore models export`: models from and for other programs."""

import argparse
import re
from pathlib import Path
from typing import Any

from segcore.annotations import load_taxonomy
from segcore.cli.choices import pixel_size
from segcore.cli.console import Console
from segcore.errors import ModelError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
RESERVED = re.compile(r"(?i)default|con|prn|aux|nul|(com|lpt)\d")
"""The shipped bundle, and what Windows keeps for devices."""
OF_WEIGHTS = ("architecture", "argument", "tile", "halo", "mean", "std", "licence")
"""Options that a package answers by itself."""


def add_import(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="take in a .pth file or a package of another program",
        description="Make a bundle of a state dict (.pth, .pt), of which nothing but numbers is read, in a child "
        "process; or take in a bioimage.io package (zip, folder) or a WSInfer folder, which then go by NAME like "
        "bundles. Nothing is measured with either, and their cards say so.",
    )
    parser.add_argument("file", type=Path, metavar="FILE|PACKAGE")
    parser.add_argument("--as", dest="name", type=_name, required=True, metavar="NAME")
    parser.add_argument(
        "--trust-model", action="store_true",
        help="for ever run the TorchScript, which is a program, of this package",
    )  # fmt: skip
    parser.add_argument("--architecture", metavar="A", help="of a .pth; see `segcore models`")
    parser.add_argument(
        "--argument", type=_setting, action="append", default=[], metavar="KEY=VALUE",
        help="of the architecture, as depth=50",
    )  # fmt: skip
    parser.add_argument(
        "--classes", nargs="+", metavar="CLASS",
        help="in channel order; if absent what the package says, of a .pth all of the taxonomy's",
    )  # fmt: skip
    parser.add_argument(
        "--mpp", type=pixel_size, metavar="F",
        help="micrometres per pixel; if absent what the package says, of a .pth 0.5",
    )  # fmt: skip
    for each, usual in (("tile", 512), ("halo", 48)):
        parser.add_argument(
            f"--{each}", type=int, metavar="N", help=f"of a .pth; {usual} if absent"
        )
    for each, meaning in (("mean", "mean"), ("std", "standard deviation")):
        parser.add_argument(
            f"--{each}", nargs=3, type=float, metavar=("R", "G", "B"),
            help=f"{meaning} of a .pth's pixels / 255; ImageNet's if absent",
        )  # fmt: skip
    parser.add_argument("--licence", metavar="TEXT", help="of a .pth")
    _add_json(parser)
    parser.set_defaults(run=run_import)


def add_export(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "export",
        help="write a bundle as a bioimage.io package",
        description="Write a bundle as a bioimage.io 0.5 package, which QuPath, ilastik and deepImageJ read.",
    )
    parser.add_argument("name", metavar="NAME|DIR", help="a bundle")
    parser.add_argument("out", type=Path, metavar="OUT.zip", help="a new file")
    _add_json(parser)
    parser.set_defaults(run=run_export)


def run_import(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.config import user_data
    from segcore.models.foreign_models import is_foreign

    folder = user_data() / "models" / arguments.name
    take_in = _import_package if is_foreign(arguments.file) else _import_weights
    card = take_in(arguments, folder)
    document = {
        "name": arguments.name,
        "folder": str(folder),
        "sha256": card.sha256,
        "classes": list(card.classes),
        "mpp": card.mpp,
    }
    classes = ", ".join(card.classes)
    line = f"{arguments.file.name} is now the model {arguments.name!r} ({classes} at {card.mpp:g} µm/px)."
    console.result(document, [line, "Nothing has been measured with it."])
    return 0


def _import_package(arguments: argparse.Namespace, folder: Path) -> Any:
    from segcore.models.foreign_models import import_package
    from segcore.models.package_answers import Answers

    if given := [f"--{name}" for name in OF_WEIGHTS if getattr(arguments, name)]:
        raise ModelError(f"{arguments.file.name} brings its own network; leave {given[0]} out.")
    answers = Answers(arguments.trust_model, arguments.mpp, tuple(arguments.classes or ()))
    return import_package(arguments.file, folder, answers)


def _import_weights(arguments: argparse.Namespace, folder: Path) -> Any:
    from segcore.models import model_names
    from segcore.models.foreign_weights import import_weights

    if not arguments.file.is_file():
        raise ModelError(
            f"{arguments.file} is no file with weights, no bioimage.io package and no WSInfer folder; check the name."
        )
    if arguments.architecture is None:
        names = ", ".join(model_names())
        raise ModelError(f"Weights alone do not say their network; give --architecture: {names}.")
    return import_weights(arguments.file, folder, _card(arguments), assumed=_assumed(arguments))


def run_export(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.models import load_bundle
    from segcore.models.bioimage_writing import write_package

    bundle = load_bundle(arguments.name, "cpu")
    weights = write_package(bundle, arguments.out)
    if bundle.card.classification:
        console.tell("The classification is left out: the format has no place for it.")
    document = {"out": str(arguments.out), "weights": list(weights)}
    console.result(document, [f"Written to {arguments.out} with {' and '.join(weights)} weights."])
    return 0


def _card(arguments: argparse.Namespace) -> Any:
    from segcore.models import IMAGENET, Architecture, Card, Normalisation, TrainingData

    classes = arguments.classes or [each.name for each in load_taxonomy().classes]
    (mean_r, mean_g, mean_b) = arguments.mean or IMAGENET.mean
    (std_r, std_g, std_b) = arguments.std or IMAGENET.std
    return Card(
        format="acinus-bundle-1",
        name=arguments.name,
        title=f"{arguments.name} (imported)",
        architecture=Architecture(arguments.architecture, dict(arguments.argument)),
        classes=tuple(classes),
        mpp=arguments.mpp or 0.5,
        tile=arguments.tile or 512,
        halo=48 if arguments.halo is None else arguments.halo,
        normalisation=Normalisation((mean_r, mean_g, mean_b), (std_r, std_g, std_b)),
        trained=True,
        training=TrainingData("Unknown."),
        metrics=(),
        licence=arguments.licence or "unknown",
        intended_use="Research use only.",
        limits="Nothing has been measured.",
        sha256="0" * 64,
    )


def _assumed(arguments: argparse.Namespace) -> list[str]:
    """Return what the bundle says about the weights although nobody has said it."""
    given = {
        "its classes": arguments.classes,
        "its pixel size": arguments.mpp,
        "its normalisation": arguments.mean and arguments.std,
    }
    return [name for name, value in given.items() if not value]


def _name(text: str) -> str:
    if not NAME.fullmatch(text) or RESERVED.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot name a bundle; use letters, digits, - and _, not 'default'"
        )
    return text


def _setting(text: str) -> tuple[str, bool | float | str]:
    """Read KEY=VALUE; the value is a number or true or false where it looks like one."""
    key, equals, value = text.partition("=")
    if not (key.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no setting; give it as depth=50")
    if value in ("true", "false"):
        return key, value == "true"
    try:
        return key, int(value) if value.isdecimal() else float(value)
    except ValueError:
        return key, value


def _add_json(parser: argparse.ArgumentParser) -> None:
    # What `segcore models --json import` has said must not be unsaid by this parser's own default.
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
    )
