"""The command line of the engine: `segcore COMMAND`, the same functions as the window calls, without Qt.

Exit codes: 0 done, 1 a known error told in one sentence on stderr, 2 wrong arguments, 130 interrupted.
torch is imported only by the commands that run a network.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from segcore.cli import (
    ablate,
    benchmark,
    convert,
    dataset,
    doctor,
    evaluate,
    explain,
    models,
    sample,
    segment,
    train,
)
from segcore.cli.console import Console
from segcore.config import user_data
from segcore.errors import AcinusError

COMMANDS = (
    segment,
    explain,
    convert,
    dataset,
    models,
    train,
    evaluate,
    ablate,
    benchmark,
    doctor,
    sample,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has told what is wrong, or shown its help
        return int(stop.code or 0)
    console = Console(json=getattr(arguments, "json", False))
    try:
        return arguments.run(arguments, console)
    except AcinusError as error:
        console.tell(str(error))
        return 1
    except KeyboardInterrupt:
        console.tell("Interrupted; nothing was written.")
        return 130
    except BrokenPipeError:  # the reader of our output has left, as in `segcore models | head`
        sys.stderr.close()
        return 1
    except Exception as error:  # noqa: BLE001 - the last barrier: a fault of ours is told in a sentence too
        console.tell(_fault(error))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segcore", description="Segment breast histology slides. Research use only."
    )
    parser.add_argument("--version", action="version", version=f"Acinus {version('acinus')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _fault(error: Exception) -> str:
    """Write the traceback to a file and return the sentence that names it."""
    lines = traceback.format_exception(error)
    try:
        folder = user_data() / "faults"
        folder.mkdir(exist_ok=True)
        file = folder / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}.txt"
        file.write_text("".join(lines), encoding="utf-8")
    except OSError:
        return (
            f"segcore failed for a reason it does not know ({lines[-1].strip()}); please report it."
        )
    return (
        f"segcore failed for a reason it does not know ({lines[-1].strip()}); please report {file}."
    )
