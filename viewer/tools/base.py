from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from segcore.annotations.labelmap import Labels
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

    @property
    def point(self) -> Point:
        return self.x, self.y


@dataclass(frozen=True, slots=True)
class Outline:
    """A shape being drawn: its points so far."""

    points: tuple[Point, ...]
    closed: bool = True


@dataclass(frozen=True, slots=True)
class MaskPreview:
    """Mask tiles as they will be once the stroke is finished, and those that just changed."""

    grid: MaskGrid
    tiles: Mapping[tuple[int, int], Labels]
    dirty: frozenset[tuple[int, int]]


Preview = Outline | MaskPreview
Gesture = Generator[Preview | None, Pointer, Edit | None]


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
    locked: frozenset[str] = field(default_factory=frozenset)


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
    """Whether the tool works on the mask and shows its footprint."""
