from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Tell(Protocol):
    """How the program speaks to the person: one sentence at a time, never in the way."""

    def info(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def page(self, title: str, text: str) -> None:
        """Show a longer text (Markdown) that can be read beside the work."""

    def error(
        self, text: str, *, details: str = "", retry: Callable[[], None] | None = None
    ) -> None: ...


class Ask(Protocol):
    """What the program asks the person; None or False means: leave it."""

    def slide_to_open(self) -> Path | None: ...

    def file_to_save(self, title: str, suggestion: Path, pattern: str) -> Path | None: ...

    def folder_to_make(self, title: str, suggestion: Path) -> Path | None: ...

    def pixel_size(self, slide_name: str, proposal: float | None) -> float | None: ...

    def confirm(self, question: str, yes: str) -> bool: ...


class View(Protocol):
    """What an action may ask of the canvas."""

    def fit(self) -> None: ...

    def show_region(self, left: float, top: float, right: float, bottom: float) -> None: ...

    def zoom(self, factor: float) -> None: ...

    def set_scale(self, scale: float) -> None: ...

    def screenshot(self, path: Path) -> None: ...
