"""`segcore train`: train a network as a recipe says, or go on where a run was stopped; publish its bundle.

On several GPUs of one computer: `torchrun --nproc-per-node 2 -m -- segcore train ...`.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from segcore.cli.console import Console
from segcore.errors import ExportError
from segcore.progress import Cancelled, Report, silent

if TYPE_CHECKING:
    import torch

    from segcore.training import Processes, Recipe

INTERRUPTED = 130
BETWEEN_LINES = 30.0
"""Seconds between two lines of progress where there is no terminal for a bar."""
SAME_WISH = 2.0
"""Seconds within which a second signal is no second wish."""


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "train", help="train a network, or go on with it", description=__doc__
    )
    parser.add_argument("--recipe", required=True, metavar="NAME|FILE", help="what is trained, how")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="a data set (manifest.csv, images, labels), or the folder of the recipe's sources",
    )
    parser.add_argument(
        "--run", type=Path, required=True, metavar="DIR", dest="folder", help="of this run; goes on"
    )
    first = parser.add_mutually_exclusive_group()
    first.add_argument(
        "--encoder", type=Path, metavar="FILE", help="ImageNet weights by torchvision, safetensors"
    )
    first.add_argument(
        "--start", metavar="FILE|DIR|NAME", help="a checkpoint, a run or a bundle to start from"
    )
    parser.add_argument("--fold", type=int, metavar="N", help="validate on this fold of the data")
    parser.add_argument("--steps", type=_steps, metavar="N", help="over what the recipe says")
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--out", type=Path, metavar="BUNDLE", help="a folder for the bundle")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def _steps(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps; give 1 or more")
    return int(text)


def run(arguments: argparse.Namespace, console: Console) -> int:
    from segcore.training import joined_processes

    recipe = _recipe(arguments)
    _check_out(arguments.out)
    with joined_processes(arguments.device) as (processes, device):
        try:
            document = _train(arguments, console, recipe, processes, device)
        except Cancelled:
            if processes.is_first:
                again = "give the same command again to go on"
                console.tell(f"Stopped after a whole step, saved in {arguments.folder}; {again}.")
            return INTERRUPTED
    if processes.is_first:
        console.result(document, _lines(document))
    return 0


def _check_out(folder: Path | None) -> None:
    """Raise ExportError before a long training where its bundle would replace something else."""
    if folder and folder.exists():
        if not folder.is_dir():
            raise ExportError(f"{folder} is a file; give a folder for the bundle.")
        if any(folder.iterdir()) and not (folder / "bundle.json").is_file():
            raise ExportError(f"{folder} holds other things than a bundle; give a new folder.")


def _recipe(arguments: argparse.Namespace) -> "Recipe":
    import msgspec

    from segcore.training import read_recipe

    recipe = read_recipe(arguments.recipe)
    if arguments.steps is not None:
        return msgspec.structs.replace(recipe, steps=arguments.steps, epochs=0)
    return recipe


def _train(
    arguments: argparse.Namespace,
    console: Console,
    recipe: "Recipe",
    processes: "Processes",
    device: "torch.device",
) -> dict[str, Any]:
    from segcore.training import manifest_hash, publish, read_sources, read_start, train
    from segcore.training.record import describe_data, open_record
    from segcore.training.weights import read_weights

    training, validation = read_sources(recipe, arguments.data, fold=arguments.fold)
    if not validation and processes.is_first:
        console.tell(_without_validation(arguments.data))
    start = read_start(arguments.start) if arguments.start else None
    encoder = read_weights(arguments.encoder) if arguments.encoder else None
    origin = start.origin if start else "ImageNet's encoder" if encoder else ""
    with _progress(console, "Reading", processes) as report:
        data = describe_data(training, validation, manifest_hash(training, report))
    if processes.is_first:
        open_record(arguments.folder, recipe, data, origin=origin, device=device)
    with _progress(console, "Training", processes) as report, _stopping(report) as watched:
        train(
            recipe,
            training,
            arguments.folder,
            watched,
            validation=validation,
            encoder=encoder,
            weights=start.weights if start else None,
            device=device,
            processes=processes,
        )
    document = _document(arguments.folder)
    if arguments.out and processes.is_first:
        with console.progress("Measuring") as report:
            card = publish(
                recipe, arguments.folder, training, validation, folder=arguments.out, report=report
            )
        document |= {"bundle": str(arguments.out), "sha256": card.sha256}
    return document


def _without_validation(data: Path) -> str:
    return (
        f"No picture of {data} is kept for validation (split val), so nobody will know how good the network "
        "is: the last weights are taken. `segcore dataset tiles` joins exports of several slides, and `segcore "
        "dataset split` divides them by cases."
    )


@contextmanager
def _progress(console: Console, title: str, processes: "Processes") -> Iterator[Report]:
    """Give a report for the first process: a bar, or a line now and then where there is no terminal."""
    if not processes.is_first:
        yield silent
    elif sys.stderr.isatty():
        with console.progress(title) as report:
            yield report
    else:
        yield _spoken(console, title)


def _spoken(console: Console, title: str) -> Report:
    said = time.monotonic()

    def report(fraction: float, text: str = "") -> None:
        nonlocal said
        if time.monotonic() - said >= BETWEEN_LINES:
            said = time.monotonic()
            console.tell(f"{title}: {fraction:.0%}, {text}")

    return report


@contextmanager
def _stopping(report: Report) -> Iterator[Report]:
    """Give a report that raises Cancelled when Ctrl+C was pressed or the system ends the process.

    A later Ctrl+C interrupts at once. torchrun passes on what its processes have heard themselves, so a
    second signal within moments is the same wish.
    """
    wished: list[float] = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        wished.append(time.monotonic())
        if wished[-1] - wished[0] > SAME_WISH:
            raise KeyboardInterrupt

    def watched(fraction: float, text: str = "") -> None:
        report(fraction, text)
        if wished:
            raise Cancelled

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield watched
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _document(folder: Path) -> dict[str, Any]:
    """Return what the run has come to; figures are None where nothing was validated."""
    from segcore.training.weights import CHECKPOINT, read_checkpoint

    state = read_checkpoint(folder / CHECKPOINT)
    course, points = state["course"], state["points"]
    validated = course["best"] >= 0
    return {
        "run": str(folder),
        "step": state["step"],
        "loss": points[-1]["loss"],
        "dice": points[-1]["dice"] if validated else None,
        "best": {"dice": course["best"], "step": course["best_step"]} if validated else None,
        "files": sorted(each.name for each in folder.iterdir()),
    }


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [f"Trained to step {document['step']}, loss {document['loss']:.3f}."]
    if best := document["best"]:
        where = f"at step {best['step']}" if best["step"] else "before the first step: no gain"
        lines.append(f"Best validation Dice {best['dice']:.3f}, {where}.")
    lines.append(f"Curves, weights and record are in {document['run']}.")
    if "bundle" in document:
        lines.append(f"The bundle is in {document['bundle']}.")
    return lines
