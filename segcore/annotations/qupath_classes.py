"""The list of classes that QuPath keeps in a project: `classifiers/classes.json`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from segcore.annotations.atomic import write_bytes
from segcore.annotations.colours import Colour, colour_for
from segcore.annotations.taxonomy import Class
from segcore.errors import AnnotationError

_OPAQUE = 0xFF


class NamedColour(NamedTuple):
    """A class as another program lists it."""

    name: str
    colour: Colour


class _PathClass(msgspec.Struct):
    name: str | None = None
    color: int | None = None


class _PathClasses(msgspec.Struct):
    pathClasses: list[_PathClass]  # noqa: N815 - QuPath's own name


def read_qupath_classes(path: Path) -> list[NamedColour]:
    """Return the classes of a `classes.json`, without "None". Raises AnnotationError."""
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=_PathClasses).pathClasses
    except OSError as error:
        raise AnnotationError(
            f"{path.name} cannot be read: {error.strerror}; choose another."
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise AnnotationError(
            f"{path.name} is no list of classes of QuPath ({error}); it is named classes.json and lies"
            " in the folder classifiers of a project."
        ) from error
    found: dict[str, NamedColour] = {}
    for each in listed:
        name = " ".join((each.name or "").split())
        if name and name != "None":
            colour = colour_for(name) if each.color is None else _unpacked(each.color)
            found.setdefault(name.casefold(), NamedColour(name, colour))
    return list(found.values())


def write_qupath_classes(path: Path, classes: Iterable[Class]) -> None:
    """Write a `classes.json` that QuPath reads, under QuPath's names."""
    listed = [_PathClass(each.qupath, _packed(each.colour)) for each in classes]
    write_bytes(path, msgspec.json.encode(_PathClasses(listed)))


def _packed(colour: Sequence[int]) -> int:
    """Return Java's signed 32-bit ARGB."""
    red, green, blue = colour
    return int.from_bytes(bytes((_OPAQUE, red, green, blue)), signed=True)


def _unpacked(packed: int) -> Colour:
    return (packed >> 16) & 255, (packed >> 8) & 255, packed & 255
