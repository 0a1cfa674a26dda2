"""The interface of every format: how it is known, read and written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.progress import Report, silent
from segcore.slides.base import Slide

Origin = Literal["bounds", "full"]
"""Where a file has its (0, 0): at the corner of the scanned region, as QuPath, or of the full slide."""
Offset = tuple[float, float]
Found = tuple[list[Annotation], ReadReport]


@dataclass(frozen=True, eq=False)
class Task:
    """What reading and writing need besides the file."""

    slide: Slide | None = None
    origin: Origin | None = None
    """None: the frame that the file names, else the one its format has by custom."""
    taxonomy: Taxonomy = field(default_factory=load_taxonomy)
    report: Report = silent
    mask_mpp: float = 0.5
    """Micrometres per pixel of a mask that is written."""

    def offset(self, custom: Origin) -> Offset:
        """Return what is to be added to the coordinates of the file, in level-0 pixels."""
        bounds = self.slide is not None and (self.origin or custom) == "bounds"
        return self.slide.bounds[:2] if self.slide and bounds else (0, 0)


class Source(NamedTuple):
    """One document: a file, unpacked, or an entry of an archive."""

    path: Path
    """The file; the name of an entry is beside it, and never a place to write to."""
    name: str
    data: bytes
    """All of a text, in UTF-8 where it was in UTF-16; the first bytes of a picture."""


Recognise = Callable[[bytes], bool]
"""Whether the first bytes of a document are of a format."""
Read = Callable[[Source, Task], Found]
"""Read a document into the coordinates of its own frame; raises AnnotationError with a reason or a sentence."""
Write = Callable[[BinaryIO, Sequence[Annotation], Task], Written]
"""Write annotations that are in the frame of the file; raises AnnotationError."""


@dataclass(frozen=True, eq=False)
class Format:
    name: str
    title: str
    """As file dialogs call it."""
    suffixes: tuple[str, ...]
    """In lower case; the first is that of new files."""
    about: str
    """What it keeps and what it cannot hold, in a sentence."""
    recognises: Recognise
    read: Read | None = None
    write: Write | None = None
    origin: Origin | None = "full"
    """Where its files have (0, 0) by custom; None where coordinates are none of pixels."""
    keeps: frozenset[str] = frozenset()
    """Which members of an annotation besides geometry and class its files hold."""
    needs_slide: bool = False
    moves: bool = False
    """Whether reading and writing move coordinates by `Task.offset` themselves, as more than outlines have some."""
    is_picture: bool = False
    drawn: Callable[[Sequence[Annotation], Task], list[Annotation]] | None = None
    """What a file of pixels makes of annotations, where it is no list of shapes."""

    @property
    def can_read(self) -> bool:
        return self.read is not None

    @property
    def can_write(self) -> bool:
        return self.write is not None
