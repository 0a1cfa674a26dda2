from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from segcore.annotations import Annotation, Origin, Project, ProjectImage, Taxonomy
from segcore.slides.base import Rgb
from viewer.document.properties import Properties
from viewer.jobs.exchange import ExportOrder
from viewer.jobs.packages import PackageAnswer, PackageQuestion
from viewer.rendering.viewport import Viewport


@dataclass(frozen=True, slots=True)
class Offer:
    """A button on a message."""

    title: str
    verb: Callable[[], object]
    closes: bool = False
    """Whether the message has done its work with it."""


class Tell(Protocol):
    """How the program speaks to the person: one sentence at a time, never in the way."""

    def info(self, text: str, *, offers: Sequence[Offer] = ()) -> None: ...

    def warn(self, text: str) -> None: ...

    def wrote(self, text: str, path: Path) -> None:
        """Say what was written to `path`, in which folder it is, and offer to go there."""
        ...

    def page(self, title: str, text: str) -> None:
        """Show a longer text (Markdown) that can be read beside the work."""

    def pictures(self, title: str, note: str, pictures: Mapping[str, Rgb]) -> None:
        """Show pictures by their names until the person closes them."""
        ...

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


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to go on."""

    value: str
    title: str
    note: str = ""
    """What it means, in a sentence."""


@dataclass(frozen=True, slots=True)
class ExportQuestion:
    """What there is to export, and what was chosen the last time."""

    slide: Path
    total: int
    selected: int
    has_mask: bool
    cropped: bool
    """The scanned part of the slide does not begin at its corner, so that there are two frames."""
    last: ExportOrder
    """Its path is the folder that was taken last."""
    frames: Mapping[str, Origin]
    """The frame that was chosen last, by the name of the format."""


class Clipboard(Protocol):
    """What other programs see when something is copied."""

    def put(self, geojson: str) -> None: ...

    def geojson(self) -> str | None:
        """Return the GeoJSON that was copied here or elsewhere; None where there is something else."""
        ...


class Ask(Protocol):
    """What the program asks the person; None or False means: leave it."""

    def slide_to_open(self) -> Path | None: ...

    def file_to_open(self, title: str, pattern: str) -> Path | None: ...

    def file_to_save(self, title: str, suggestion: Path, pattern: str) -> Path | None: ...

    def folder_to_make(self, title: str, suggestion: Path) -> Path | None: ...

    def pixel_size(self, slide_name: str, proposal: float | None) -> float | None: ...

    def text(self, title: str, question: str, suggestion: str = "") -> str | None: ...

    def properties(
        self, annotations: Sequence[Annotation], class_names: Sequence[str], taxonomy: Taxonomy
    ) -> Properties | None:
        """Ask what should be said of annotations; the answer holds only what was changed."""
        ...

    def picture(self, width: int, height: int) -> PictureOptions | None:
        """Ask how a picture of a view of so many screen pixels should be."""
        ...

    def choose(self, title: str, text: str, choices: Sequence[Choice]) -> str | None:
        """Return the value of the choice; the first one is proposed."""
        ...

    def export(self, question: ExportQuestion) -> ExportOrder | None: ...

    def project_images(self, project: Project) -> Sequence[ProjectImage] | None:
        """Ask which images of a project to open; those answered may have been found elsewhere."""
        ...

    def confirm(self, question: str, yes: str) -> bool: ...

    def model_to_use(self, installed: Sequence[str], current: str) -> str | None: ...

    def about_package(self, question: PackageQuestion) -> PackageAnswer | None: ...


class View(Protocol):
    """What an action may ask of the canvas."""

    viewport: Viewport

    @property
    def picture_size(self) -> tuple[int, int]:
        """Return the screen pixels of a picture of what is seen, both slides where two are shown."""
        ...

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
