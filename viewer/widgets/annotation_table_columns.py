"""The columns of tables of annotations: what each says, and what it is sorted by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from segcore.annotations import Annotation
from viewer.widgets.annotation_table_rows import SortKeys

LOCK_HINT = "Locked annotations are not changed or deleted; a click here locks or unlocks"
LARGE_MM2 = 0.01  # from which areas are told in mm²


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    text: Callable[[Annotation], str]
    """What a cell says; asked only of rows in sight."""
    keys: SortKeys | None
    """None where it cannot be sorted by."""
    number: bool = False
    """Whether it stands at the right."""
    shows_colour: bool = False
    shows_lock: bool = False
    sorts_by: str = ""
    """What it is sorted by, where its title does not say so."""
    hint: str = ""
    """What the tooltip of the header says."""


def panel_columns(mpp: float | None) -> tuple[Column, ...]:
    """Return the columns of the panel; `mpp` is micrometres per level-0 pixel."""
    size = "Area, of a line its length, of points their number"
    return (
        NAME,
        CLASS,
        Column("Size", lambda each: size_text(each, mpp), sizes, number=True, hint=size),
        LOCK,
    )


def title_of(annotation: Annotation) -> str:
    """Return the name of an annotation, else its class, else what shape it has."""
    return annotation.name or annotation.class_name or shape_of(annotation)


def name_or_shape(annotation: Annotation) -> str:
    return annotation.name or shape_of(annotation)


def shape_of(annotation: Annotation) -> str:
    """Return the kind of a shape in a word."""
    shape = annotation.geometry
    if annotation.ellipse:
        return "Ellipse"
    kind = shape.geom_type
    if kind == "Polygon" and shape.area and shape.area == shapely.box(*shape.bounds).area:
        return "Rectangle"
    words = {"LineString": "Line", "MultiLineString": "Lines", "Point": "Point"}
    return words.get(kind, "Points" if kind == "MultiPoint" else kind.removeprefix("Multi"))


def size_text(annotation: Annotation, mpp: float | None) -> str:
    """Return the area, length or number of points of an annotation with its unit."""
    dimension, size = sizes([annotation])[0]
    if dimension <= 0:
        return f"{size:,.0f} pt"
    if mpp is None:
        return f"{size:,.0f} px{'²' if dimension == 2 else ''}"
    if dimension == 1:
        return f"{size * mpp / 1000:,.3g} mm" if size * mpp >= 1000 else f"{size * mpp:,.0f} µm"
    area = size * mpp**2
    return f"{area / 1e6:,.3g} mm²" if area >= 1e6 * LARGE_MM2 else f"{area:,.0f} µm²"


def sizes(annotations: Sequence[Annotation]) -> list[tuple[int, float]]:
    """Return (dimension, points or length or area in level-0 pixels) of each."""
    shapes = np.array([each.geometry for each in annotations], object)
    dimensions = shapely.get_dimensions(shapes)
    size = np.where(
        dimensions == 2,
        shapely.area(shapes),
        np.where(dimensions == 1, shapely.length(shapes), shapely.get_num_coordinates(shapes)),
    )
    known = np.where(np.isfinite(size), size, 0.0)
    return list(zip(dimensions.tolist(), known.tolist(), strict=True))


def in_order(annotations: Sequence[Annotation]) -> Sequence[Any]:
    """Sort as they lie on the slide, the bottom one first."""
    return [0] * len(annotations)


def _titles(annotations: Sequence[Annotation]) -> Sequence[Any]:
    named = ((each.name is None, each.name or each.class_name or "") for each in annotations)
    return [(unnamed, text.casefold()) for unnamed, text in named]


def _names(annotations: Sequence[Annotation]) -> Sequence[Any]:
    return [(each.name is None, (each.name or "").casefold()) for each in annotations]


def _class_names(annotations: Sequence[Annotation]) -> Sequence[Any]:
    return [(each.class_name is None, (each.class_name or "").casefold()) for each in annotations]


def _locks(annotations: Sequence[Annotation]) -> Sequence[Any]:
    return [not each.locked for each in annotations]


NAME = Column("Name", title_of, _titles, shows_colour=True)
NAME_ALONE = Column("Name", name_or_shape, _names, shows_colour=True)
"""For a table in which the class always has a column of its own."""
CLASS = Column("Class", lambda each: each.class_name or "", _class_names)
LOCK = Column("", lambda _: "", _locks, shows_lock=True, sorts_by="lock", hint=LOCK_HINT)
