from dataclasses import dataclass, replace
from typing import Protocol

from segcore.annotations import Annotation, Taxonomy
from viewer.rendering.viewport import Viewport

SMALLEST, LARGEST, USUAL = 120.0, 700.0, 380.0  # screen pixels along a side of a place


class UncertainPlace(Protocol):
    """A square of the slide at which the network is not sure, in level-0 pixels."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def size(self) -> float: ...
    @property
    def entropy(self) -> float: ...
    @property
    def codes(self) -> tuple[int, ...]: ...


@dataclass(eq=False)
class Visits:
    """The places of a region that are worth a look, the most uncertain first, and which is looked at."""

    places: tuple[UncertainPlace, ...]
    region: Annotation
    model: str
    at: int | None = None
    """The number of the place that is looked at, from 0."""

    def are_of(self, region: Annotation, model: str) -> bool:
        """Tell whether these are the places of a region as it is now, for this model."""
        return self.model == model and self.region.geometry == region.geometry

    @property
    def current(self) -> UncertainPlace | None:
        return None if self.at is None else self.places[self.at]

    def step(self, by: int) -> UncertainPlace | None:
        """Go on, or back, round and round; None where there are no places."""
        if not self.places:
            return None
        first = 0 if by > 0 else len(self.places) - 1
        self.at = first if self.at is None else (self.at + by) % len(self.places)
        return self.places[self.at]

    def text(self, taxonomy: Taxonomy) -> str:
        """Return what to say of the place that is looked at: its rank, how unsure, between which classes."""
        place = self.current
        if place is None or self.at is None:
            return ""
        names = {each.code: each.name.lower() for each in taxonomy.classes}
        meet = " or ".join(names[code] for code in place.codes[:2] if code in names)
        said = f"{self.at + 1} of {len(self.places)}, entropy {place.entropy:.2f}"
        return f"{said}, {meet}" if meet else said


def seen(place: UncertainPlace, view: Viewport) -> Viewport:
    """Return the view with the place in its middle, nearer or farther only where it could not be judged."""
    on_screen = place.size / view.scale
    fits = SMALLEST <= on_screen <= min(LARGEST, 0.8 * min(view.width, view.height))
    scale = view.scale if fits else place.size / USUAL
    return replace(view, x=place.x, y=place.y, scale=scale)
