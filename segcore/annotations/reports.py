"""What became of annotations on their way out of a file or into one."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class ReadReport:
    """What became of the features of a file."""

    features: int
    skipped: tuple[str, ...] = ()
    """A sentence for each feature that could not be read."""
    repaired: int = 0
    """How many outlines crossed themselves and were made valid."""
    doubts: tuple[str, ...] = ()
    """A sentence for each thing that makes one ask whether this is the right file, slide or frame."""
    format: str = ""
    """The title of the format that the file was read as."""


class Written(NamedTuple):
    """What became of the annotations of an export."""

    features: int
    """Shapes in the file; what a format cannot hold as one thing became several."""
    dropped: tuple[str, ...]
    """The ids of annotations of which nothing is in the file."""
    lost: tuple[str, ...] = ()
    """A sentence for each sort of thing that the format cannot hold."""
