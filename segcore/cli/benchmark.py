"""`segcore benchmark`: how fast a network runs here in each of its forms, and whether they agree."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segcore.cli.choices import add_mpp, checked_slide, require_mpp
from segcore.cli.console import Console

if TYPE_CHECKING:
    from segcore.inference.benchmark import Benchmark, Measurement
    from segcore.models import Bundle

_TILES = 8


def add_parser(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "benchmark", help="measure how fast networks run here", description=__doc__
    )
    parser.add_argument(
        "--model",
        default="default",
        metavar="NAME|DIR",
        help="a bundle, or a network (with random weights)",
    )
    parser.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument(
        "--slide", type=Path, metavar="SLIDE", help="take its tissue, not painted tissue"
    )
    add_mpp(parser)
    parser.add_argument("--tile", type=_side, default=512, metavar="N", help="side of tiles (512)")
    parser.add_argument(
        "--batches", type=_batches, default=(1, 2, 4, 8), metavar="N,N", help="sizes (1,2,4,8)"
    )
    parser.add_argument(
        "--rounds", type=_count, default=5, metavar="N", help="turns of every engine (5)"
    )
    parser.add_argument("--threads", type=_count, metavar="N", help="threads of the processor")
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile too (takes minutes to start)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give 1 to 1000")
    return int(text)


def _side(text: str) -> int:
    if not text.isdecimal() or not 32 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"{text!r} is no tile size; give 32 to 4096 pixels")
    return int(text)


def _batches(text: str) -> tuple[int, ...]:
    sizes = [int(each) if each.strip().isdecimal() else 0 for each in text.split(",")]
    if not all(1 <= each <= 256 for each in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of batch sizes; give such as 1,2,4")
    return tuple(dict.fromkeys(sizes))


def run(arguments: argparse.Namespace, console: Console) -> int:
    import torch

    from segcore.inference.benchmark import benchmark

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    bundle = _bundle(arguments.model, arguments.device)
    tiles = _tiles(arguments, bundle)
    with console.progress("Measuring") as report:
        found = benchmark(
            bundle,
            tiles,
            batches=arguments.batches,
            rounds=arguments.rounds,
            compiled=arguments.compile,
            report=report,
        )
    console.result(_document(found), _lines(found))
    return 0


def _bundle(name: str, device: str) -> "Bundle":
    from segcore.models import load_bundle, model_names

    return _untrained(name, device) if name in model_names() else load_bundle(name, device)


def _untrained(name: str, device: str) -> "Bundle":
    """Return a bundle of a network with random weights, the same each time."""
    import torch

    from segcore.annotations import load_taxonomy
    from segcore.models import (
        IMAGENET,
        Architecture,
        Bundle,
        Card,
        TrainingData,
        choose_device,
        create_model,
    )

    classes = tuple(each.name for each in load_taxonomy().classes)
    torch.manual_seed(0)
    card = Card(
        format="acinus-bundle-1",
        name=name,
        title=f"{name} with random weights",
        architecture=Architecture(name),
        classes=classes,
        mpp=0.5,
        tile=512,
        halo=0,
        normalisation=IMAGENET,
        trained=False,
        training=TrainingData("Nothing: random weights."),
        metrics=(),
        licence="Apache-2.0",
        intended_use="Measuring speed.",
        limits="It knows nothing.",
        sha256="0" * 64,
    )
    return Bundle(card, create_model(name, classes=len(classes)), choose_device(device))


def _tiles(arguments: argparse.Namespace, bundle: "Bundle") -> Any:
    from segcore.inference.example_tiles import painted_tiles, tissue_tiles

    if not arguments.slide:
        return painted_tiles(_TILES, tile=arguments.tile)
    with checked_slide(arguments.slide, arguments.mpp) as slide:
        require_mpp(slide)
        return tissue_tiles(slide, _TILES, tile=arguments.tile, mpp=bundle.mpp)


def _document(found: "Benchmark") -> dict[str, Any]:
    from segcore.inference.benchmark import TARGET_AGREEMENT, TARGET_SPEED_UP

    summary = {
        "plain_tiles_per_s": found.plain.tiles_per_s,
        "best_tiles_per_s": found.best.tiles_per_s,
        "gain": found.gain,
        "gain_at_equal_batch": found.gain_at_equal_batch,
        "target_speed_up": TARGET_SPEED_UP,
        "target_agreement": TARGET_AGREEMENT,
        "reached": found.gain >= TARGET_SPEED_UP,
    }
    return {**asdict(found), "best": asdict(found.best), "summary": summary}


def _lines(found: "Benchmark") -> list[str]:
    """Return the table, the conditions and the conclusion."""
    from rich.console import Console as Terminal
    from rich.table import Table

    title = f"{found.model}: {found.tiles} tiles of {found.tile} x {found.tile}"
    table = Table(title=title, title_justify="left")
    for name in ("engine", "precision", "memory order"):
        table.add_column(name)
    for name in ("batch", "tiles/s", "speed-up", "agrees", "peak MB", "working MB"):
        table.add_column(name, justify="right")
    for each in found.measurements:
        table.add_row(*_row(each))
    terminal = Terminal(width=110, force_terminal=False)
    with terminal.capture() as captured:
        terminal.print(table)
    machine = ", ".join(f"{name} {value}" for name, value in found.machine.items())
    load = " to ".join(
        f"{each[0]:.1f}" for each in (found.load_before, found.load_after) if each is not None
    )
    return [
        *captured.get().rstrip().splitlines(),
        machine,
        f"Load of the system: {load or 'unknown'}. Medians of {found.rounds} rounds; engines take turns.",
        _conclusion(found),
    ]


def _row(each: "Measurement") -> tuple[str, ...]:
    def megabytes(size: int | None) -> str:
        return "unknown" if size is None else f"{size / 2**20:.0f}"

    return (
        each.engine,
        each.precision,
        "channels last" if each.channels_last else "planes",
        str(each.batch),
        f"{each.tiles_per_s:.1f}",
        f"{each.speed_up:.2f}",
        f"{each.agreement:.3f} %",
        megabytes(each.peak_memory),
        megabytes(each.working_memory),
    )


def _conclusion(found: "Benchmark") -> str:
    best = found.best
    return (
        f"Fastest that agrees: {best.engine} in {best.precision}, batch {best.batch}: {best.tiles_per_s:.1f} "
        f"tiles/s, {found.gain:.2f} times the plain network at its fastest, "
        f"up to {found.gain_at_equal_batch:.2f} times at an equal batch size."
    )
