"""The formats of annotation files: a table, with one module for each."""

from pathlib import Path

from segcore.annotations.formats import (
    asap,
    coco,
    dsa,
    geojson,
    imagescope,
    label_masks,
    ndpa,
    qpdata,
)
from segcore.annotations.formats.format import Format, Found, Origin, Source, Task
from segcore.errors import AnnotationError

FORMATS: tuple[Format, ...] = (
    geojson.FORMAT,
    asap.FORMAT,
    imagescope.FORMAT,
    dsa.FORMAT,
    ndpa.FORMAT,
    coco.FORMAT,
    label_masks.OME_TIFF,
    label_masks.PNG,
    qpdata.FORMAT,
)
"""In the order of menus; where a name fits several, a new file is of the first."""

__all__ = [
    "FORMATS",
    "Format",
    "Found",
    "Origin",
    "Source",
    "Task",
    "by_content",
    "by_name",
    "format_for",
    "format_named",
    "suffixes",
]


def suffixes() -> tuple[str, ...]:
    """Return the endings of all annotation files, each once."""
    return tuple(dict.fromkeys(each for known in FORMATS for each in known.suffixes))


def format_named(name: str) -> Format:
    """Return the format called `name`; raises AnnotationError."""
    for each in FORMATS:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in FORMATS)
    raise AnnotationError(f"There is no format {name!r}; choose one of {names}.")


def format_for(path: str | Path) -> Format:
    """Return the format that a new file of this name has; raises AnnotationError.

    Of several, the one with the longest ending: "a.coco.json" is COCO, "a.json" GeoJSON.
    """
    return by_name(Path(path))[0]


def by_name(path: Path) -> list[Format]:
    """Return the formats that a file of this name may be of, the likeliest first; raises AnnotationError."""
    name = path.name.lower()
    fits = [(_longest(each, name), each) for each in FORMATS]
    known = [each for length, each in sorted(fits, key=lambda fit: -fit[0]) if length]
    if known:
        return known
    raise AnnotationError(
        f"{path.name} is no annotation file that is known here; use one of {', '.join(suffixes())}."
    )


def _longest(known: Format, name: str) -> int:
    ends = (*known.suffixes, *(f"{each}.gz" for each in known.suffixes if not known.is_picture))
    return max((len(each) for each in ends if name.endswith(each)), default=0)


def by_content(source: Source) -> Format:
    """Return the format of a document: the one that its content says, else the one of its name."""
    head = source.data[: 1 << 16]
    for each in FORMATS:
        if each.recognises(head):
            return each
    return by_name(source.path)[0]
