from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from viewer.jobs.packages import PackageAnswer, PackageQuestion
from viewer.rendering.viewport import Viewport


class Tell(Protocol):
    """How the program speaks to the person: one sentence at a time, never in the way."""

    def info(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def page(self, title: str, text: str) -> None:
        """Show a longer text (Markdown) that can be read beside the work."""

    def error(
        self, text: str, *, details: str = "", retry: Callable[[], None] | None = None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How the picture of a view should be."""

    finer: int = 2
    """Pixels of the picture for each of the screen's, in both directions."""
    scale_bar: bool = True
    legend: bool = True


class Ask(Protocol):
    """What the program asks the person; None or False means: leave it."""

    def slide_to_open(self) -> Path | None: ...

    def file_to_save(self, title: str, suggestion: Path, pattern: str) -> Path | None: ...

    def folder_to_make(self, title: str, suggestion: Path) -> Path | None: ...

    def pixel_size(self, slide_name: str, proposal: float | None) -> float | None: ...

    def text(self, title: str, question: str, suggestion: str = "") -> str | None: ...

    def picture(self, width: int, height: int) -> PictureOptions | None:
        """Ask how a picture of a view of so many screen pixels should be."""
        ...

    def confirm(self, question: str, yes: str) -> bool: ...

    def model_to_use(self, installed: Sequence[str], current: str) -> str | None: ...

    def about_package(self, question: PackageQuestion) -> PackageAnswer | None: ...


class View(Protocol):
    """What an action may ask of the canvas."""

    viewport: Viewport

    def look(self, view: Viewport) -> None: ...

    def centre_on(self, x: float, y: float) -> None: ...

    def turn(self, degrees: float) -> None: ...

    def mirror(self) -> None: ...

    def turn_upright(self) -> None: ...

    def fit(self) -> None: ...

    def show_region(self, left: float, top: float, right: float, bottom: float) -> None: ...

    def zoom(self, factor: float) -> None: ...

    def set_scale(self, scale: float) -> None: ...

    def screenshot(self, path: Path) -> None: ...

    def copy_picture(self) -> None: ...

    def export_picture(self, path: Path, options: PictureOptions) -> None: ...
