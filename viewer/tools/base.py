from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from segcore.annotations.labelmap import Labels
from segcore.slides.base import Rgb
from viewer.document import Document, Edit, MaskGrid

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pointer:
    """One event of mouse, pen or key, in level-0 pixels.

    `move` has no button down, `drag` has; `finish` is Enter, `back` is Backspace.
    """

    kind: Literal["press", "move", "drag", "release", "double", "finish", "back"]
    x: float
    y: float
    scale: float = 1.0
    """Level-0 pixels per screen pixel: what a distance on the screen means on the slide."""
    shift: bool = False
    alt: bool = False
    """Also where the eraser of a pen is used."""
    ctrl: bool = False
    pressure: float = 1.0
    """Of a pen, 0 to 1; 1 for a mouse."""

    @property
    def point(self) -> Point:
        return self.x, self.y


@dataclass(frozen=True, slots=True)
class Outline:
    """A line being drawn, vertex by vertex; `closed` where it is the border of an area."""

    points: tuple[Point, ...]
    closed: bool = True
    vertices: tuple[Point, ...] = ()
    """Those to be marked."""
    text: str = ""
    """What to say beside the last point: a length."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Shapes as they will be once the gesture is finished."""

    shapes: tuple[BaseGeometry, ...]
    replaces: frozenset[str] = frozenset()
    """The annotations that they take the place of; these are not shown meanwhile."""
    offset: Point = (0.0, 0.0)
    """How far they are moved; one shape can so be shown at many places without being made anew."""
    class_name: str | None = None
    """Whose colour they have."""
    text: str = ""
    """What to say beside the pointer."""


@dataclass(frozen=True, slots=True)
class MaskPreview:
    """Mask tiles as they will be once the stroke is finished, and those that just changed."""

    grid: MaskGrid
    tiles: Mapping[tuple[int, int], Labels]
    dirty: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Scribble:
    """A line over tissue of one class, from which a proposal for the mask grows; a preview until it is finished."""

    points: tuple[Point, ...]
    radius: float
    """Level-0 pixels."""
    code: int
    """The class; 0 where the tissue is of none."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in level-0 pixels."""
        across, down = zip(*self.points, strict=True)
        r = self.radius
        return min(across) - r, min(down) - r, max(across) + r, max(down) + r


@dataclass(frozen=True, slots=True)
class AcceptRegion:
    """That the region of the proposal at level-0 (x, y) is right."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Choice:
    """What a gesture selects: it changes nothing, so it is no edit."""

    ids: frozenset[str]
    how: Literal["replace", "add", "remove"] = "replace"

    def of(self, selected: frozenset[str]) -> frozenset[str]:
        """Return what is selected after it."""
        if self.how == "replace":
            return self.ids
        return selected | self.ids if self.how == "add" else selected - self.ids


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a gesture came to nothing, as a sentence with the way out."""

    text: str


Preview = Outline | Sketch | MaskPreview | Scribble
Result = Edit | Choice | Scribble | AcceptRegion | Refusal
Gesture = Generator[Preview | None, Pointer, Result | None]


class Tissue(Protocol):
    """What a gesture may see of the slide."""

    def pixels(self, left: float, top: float, side: int, scale: float) -> Rgb:
        """Return (side, side, 3) at `scale` level-0 pixels per pixel from level-0 (left, top); white outside.

        Raises SlideError.
        """
        ...

    def probabilities(self, x: float, y: float) -> "Probabilities | None":
        """Return what the model makes of the window around level-0 (x, y); None until it is loaded."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Of each class at each pixel of a window."""

    values: npt.NDArray[np.float32]
    """(classes, height, width)."""
    codes: tuple[int, ...]
    """The pixel value in masks of each class."""
    names: tuple[str, ...]
    """The name of each class, as annotations have it."""
    left: float
    top: float
    scale: float
    """Level-0 pixels per pixel."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a gesture may know of the session when it begins."""

    document: Document
    width: int
    height: int
    grid: MaskGrid | None = None
    """The mask grid that a first stroke would start, None while the pixel size is unknown."""
    class_name: str = "Tumor"
    class_code: int = 1
    brush_px: float = 50.0
    """Brush diameter in screen pixels, so that it follows the zoom."""
    on_mask: bool = True
    """Whether tools that paint work on the mask, or on annotations."""
    selection: tuple[Annotation, ...] = ()
    """The selected annotations, the locked ones too."""
    mpp: float | None = None
    """Micrometres per level-0 pixel."""
    tissue: Tissue | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A named gesture. `sticky` tools stay after a gesture; others give the hand back to Move."""

    name: str
    title: str
    key: str
    icon: str
    hint: str
    begin: Callable[[Pointer, Context], Gesture] | None
    """None: the pointer pans and selects."""
    sticky: bool = False
    paints: bool = False
    """Whether the tool sweeps a footprint of the brush's size."""
    works_on: Literal["annotations", "mask", "either"] = "annotations"
    """"either": as `Context.on_mask` says."""
    family: str = ""
    """Tools of one family share a button."""
    by_vertices: bool = False
    """Whether a shape is clicked together, not dragged."""

    def is_on_mask(self, context: Context) -> bool:
        return self.works_on == "mask" or (self.works_on == "either" and context.on_mask)
