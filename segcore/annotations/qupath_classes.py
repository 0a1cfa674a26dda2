"""The list of classes that QuPath keeps in a project: `classifiers/classes.json`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from segcore.annotations.atomic import write_bytes
from segcore.annotations.colours import Colour, colour_for, colour_from
from segcore.annotations.documents import as_utf8
from segcore.annotations.taxonomy import Class
from segcore.errors import AnnotationError

_OPAQUE = 0xFF


class NamedColour(NamedTuple):
    """A class as another program lists it."""

    name: str
    colour: Colour


class _PathClasses(msgspec.Struct):
    pathClasses: list[Any]  # noqa: N815 - QuPath's own name


def read_qupath_classes(path: Path) -> list[NamedColour]:
    """Return the classes of a `classes.json`; of two names alike the first. Raises AnnotationError.

    "None" is left out, and so are entries that are no classes.
    """
    try:
        text = as_utf8(path.read_bytes()).decode(errors="replace")
        listed = msgspec.json.decode(text, type=_PathClasses).pathClasses
    except OSError as error:
        raise AnnotationError(
            f"{path.name} cannot be read: {error.strerror}; choose another."
        ) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise AnnotationError(
            f"{path.name} is no list of classes of QuPath ({error}); it is named classes.json and lies"
            " in the folder classifiers of a project."
        ) from error
    found: dict[str, NamedColour] = {}
    for each in listed:
        given = each.get("name") if isinstance(each, dict) else None
        name = " ".join(given.split()) if isinstance(given, str) else ""
        if name and name != "None":
            colour = colour_from(each.get("color", each.get("colorRGB"))) or colour_for(name)
            found.setdefault(name.casefold(), NamedColour(name, colour))
    return list(found.values())


def write_qupath_classes(path: Path, classes: Iterable[Class]) -> None:
    """Write a `classes.json` that QuPath reads, under QuPath's names."""
    listed = [{"name": each.qupath, "color": _packed(each.colour)} for each in classes]
    write_bytes(path, msgspec.json.encode(_PathClasses(listed)))


def _packed(colour: Sequence[int]) -> int:
    """Return Java's signed 32-bit ARGB."""
    red, green, blue = colour
    return int.from_bytes(bytes((_OPAQUE, red, green, blue)), signed=True)
