from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import uuid4

from shapely.geometry.base import BaseGeometry

NOTES = "ANNOTATION_DESCRIPTION"
"""The key of QuPath in `metadata` under which notes are kept."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One region drawn or computed on a slide; a value, never changed in place.

    `geometry` is in level-0 pixels of the full slide. `extra` holds members of a foreign file that we do
    not know, so that they survive a round trip.
    """

    geometry: BaseGeometry
    class_name: str | None = None
    name: str | None = None
    locked: bool = False
    kind: str = "annotation"
    ellipse: bool = False
    colour: tuple[int, int, int] | None = None
    measurements: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def notes(self) -> str:
        """What a person wrote about it."""
        return self.metadata.get(NOTES, "")

    def with_(self, **changes: Any) -> Self:
        """Return a copy that differs in `changes` and keeps its id."""
        return replace(self, **changes)

    def __hash__(self) -> int:
        return hash(self.id)
