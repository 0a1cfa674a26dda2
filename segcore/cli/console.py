"""What a command says: results on stdout, everything else on stderr."""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from segcore.progress import Report, silent


class Console:
    def __init__(self, *, json: bool) -> None:
        self.json = json
        if isinstance(
            sys.stdout, io.TextIOWrapper
        ):  # a name may hold what the terminal cannot show
            sys.stdout.reconfigure(errors="backslashreplace")

    def tell(self, sentence: str) -> None:
        """Say something to people, on stderr."""
        print(sentence, file=sys.stderr)

    def result(self, document: Any, lines: Iterable[str]) -> None:
        """Print the result: the document alone with --json, else the lines."""
        if self.json:
            print(json.dumps(document, indent=1))
        else:
            for line in lines:
                print(line)

    @contextmanager
    def progress(self, title: str) -> Iterator[Report]:
        """Give a report that draws a bar on stderr where that is a terminal."""
        if not sys.stderr.isatty():
            yield silent
            return
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        text = TextColumn("{task.description}")
        columns = (text, BarColumn(), TextColumn("{task.fields[now]}"), TimeRemainingColumn())
        with Progress(*columns, console=Terminal(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=1.0, now="")

            def report(fraction: float, text: str = "") -> None:
                bar.update(task, completed=fraction, now=text)

            yield report
