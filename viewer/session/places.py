"""Places on a slide that a person wants to find again; they are kept in the study."""

import re
from dataclasses import replace
from typing import TypeVar

import msgspec

from viewer.document import Study
from viewer.rendering.viewport import Viewport

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True):
    """A view by its name: its centre in level-0 pixels, scale, turn and mirror."""

    name: str
    x: float
    y: float
    scale: float
    turn: float = 0.0
    mirrored: bool = False

    @classmethod
    def of(cls, view: Viewport, name: str = "") -> "Place":
        return cls(name, view.x, view.y, view.scale, view.turn, view.mirrored)

    def seen_from(self, view: Viewport) -> Viewport:
        """Return `view` moved here; the size of the screen stays."""
        return replace(
            view, x=self.x, y=self.y, scale=self.scale, turn=self.turn, mirrored=self.mirrored
        )


class Places:
    """The bookmarks of one slide and where it was looked at last."""

    def __init__(self, study: Study, slide_id: int) -> None:
        self._study = study
        self.damaged = ""
        """One sentence where what the study holds cannot be read."""
        self._marks_key, self._last_key = f"bookmarks:{slide_id}", f"view:{slide_id}"
        self._marks = self._read(self._marks_key, list[Place]) or []
        self._turn = 0

    @property
    def bookmarks(self) -> tuple[Place, ...]:
        return tuple(self._marks)

    def add(self, view: Viewport) -> Place:
        """Keep a view under the first free number."""
        taken = {each.name for each in self._marks}
        number = next(n for n in range(1, len(taken) + 2) if f"View {n}" not in taken)
        place = Place.of(view, f"View {number}")
        self._marks.append(place)
        self._write(self._marks_key, self._marks)
        return place

    def remove(self, place: Place) -> None:
        self._marks.remove(place)
        self._write(self._marks_key, self._marks)

    def rename(self, place: Place, name: str) -> None:
        self._marks[self._marks.index(place)] = msgspec.structs.replace(place, name=name)
        self._write(self._marks_key, self._marks)

    def next(self) -> Place | None:
        """Return one bookmark after the other, round and round."""
        if not self._marks:
            return None
        place = self._marks[self._turn % len(self._marks)]
        self._turn += 1
        return place

    @property
    def last(self) -> Place | None:
        """Return where the slide was looked at when it was closed."""
        return self._read(self._last_key, Place)

    def leave(self, view: Viewport) -> None:
        """Keep where the slide is looked at, for the next time."""
        self._write(self._last_key, Place.of(view))

    def _read(self, key: str, kind: type[T]) -> T | None:
        text = self._study.get_setting(key)
        try:
            return msgspec.json.decode(text, type=kind) if text else None
        except msgspec.MsgspecError as error:
            self.damaged = f"The bookmarks in {self._study.path.name} cannot be read ({error})."
            return None

    def _write(self, key: str, value: object) -> None:
        if not self._study.read_only:
            self._study.set_setting(key, msgspec.json.encode(value).decode())


def read_position(text: str, mpp: float | None) -> tuple[float, float] | None:
    """Return the level-0 pixel that a text names: "x, y" in µm, or "x, y px"; None if it names none."""
    found = re.fullmatch(
        r"\s*x?\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*y?\s*(-?\d+(?:\.\d+)?)\s*(px|µm|um)?\s*", text
    )
    if found is None:
        return None
    x, y, unit = float(found[1]), float(found[2]), found[3]
    if unit == "px" or (unit is None and mpp is None):
        return x, y
    return None if mpp is None else (x / mpp, y / mpp)
