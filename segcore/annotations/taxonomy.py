"""The classes a mask pixel or an annotation can have, read from `resources/taxonomies`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from segcore.config import resources
from segcore.errors import AnnotationError


@dataclass(frozen=True, slots=True)
class Class:
    """One class: `code` is its pixel value in masks (1 to 255), `hatch` its pattern beside colour."""

    code: int
    name: str
    colour: tuple[int, int, int]
    hatch: str
    qupath: str
    emphasis: float = 1.0
    """How strongly overlays draw it, beside the others (0 to 1)."""
    about: str = ""
    """What belongs to it, in a phrase."""

    @property
    def ignored(self) -> bool:
        """Whether it marks what is left out (its name ends with `*`): drawn unfilled, not counted, not trained."""
        return is_ignored(self.name)

    @property
    def parent(self) -> str | None:
        """The class that it is derived from: "Tumor" of "Tumor: Positive", None of "Tumor"."""
        return parent_of(self.name)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    name: str
    classes: tuple[Class, ...]

    def find(self, name: str) -> Class | None:
        """Return the class called `name` (ours or QuPath's), ignoring case, None where there is none."""
        wanted = name.casefold()
        for each in self.classes:
            if wanted in (each.name.casefold(), each.qupath.casefold()):
                return each
        return None

    def named(self, name: str) -> Class:
        """Return the class called `name` (ours or QuPath's), ignoring case."""
        if found := self.find(name):
            return found
        names = ", ".join(each.name for each in self.classes)
        raise AnnotationError(f"There is no class {name!r}; choose one of {names}.")

    def colour_of(self, name: str | None) -> tuple[int, int, int] | None:
        """Return the colour of a class, else that of what it is derived from, else None."""
        while name:
            if found := self.find(name):
                return found.colour
            name = parent_of(name)
        return None

    def coded(self, code: int) -> Class:
        """Return the class whose pixel value is `code`."""
        for each in self.classes:
            if each.code == code:
                return each
        raise AnnotationError(f"No class has the pixel value {code} in the taxonomy {self.name!r}.")


def is_ignored(name: str) -> bool:
    """Tell whether a class marks what is left out, as QuPath writes it: by an asterisk at the end."""
    return name.endswith("*")


def tidied(name: str) -> str:
    """Return a name as QuPath writes it: no line breaks, ": " between its parts."""
    return ": ".join(part for part in (" ".join(each.split()) for each in name.split(":")) if part)


def parent_of(name: str) -> str | None:
    """Return what a class is derived from, None where it stands for itself."""
    parent, colon, _ = name.rpartition(":")
    return parent.rstrip() or None if colon else None


@cache
def load_taxonomy(name: str = "breast") -> Taxonomy:
    """Read `resources/taxonomies/<name>.toml`."""
    file = resources() / "taxonomies" / f"{name}.toml"
    if not file.is_file():
        raise AnnotationError(f"There is no taxonomy {name!r} in {file.parent}.")
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Taxonomy(table["name"], tuple(_read_class(row) for row in table["class"]))


def _read_class(row: dict[str, Any]) -> Class:
    red, green, blue = bytes.fromhex(row["colour"].removeprefix("#"))
    return Class(
        code=int(row["code"]),
        name=row["name"],
        colour=(red, green, blue),
        hatch=row["hatch"],
        qupath=row["qupath"],
        emphasis=float(row.get("emphasis", 1.0)),
        about=row.get("about", ""),
    )
