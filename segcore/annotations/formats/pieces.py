"""Annotations taken apart into what plain formats know: points, lines, polygons."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import Colour, colour_for
from segcore.annotations.geojson_writing import on_grid, simple
from segcore.annotations.model import Annotation
from segcore.annotations.reports import Written
from segcore.annotations.taxonomy import Taxonomy

AREAS, LINES, POINTS = 2, 1, 0
"""Dimensions of geometries."""
UNCLASSIFIED = "Unclassified"
"""What stands for no class where a format needs one, as in QuPath."""
_YELLOW = (255, 255, 0)
_WORDS = {AREAS: "areas", LINES: "lines", POINTS: "points"}


class Piece(NamedTuple):
    """A valid Polygon, LineString, Point or MultiPoint with two decimals, and whose it is."""

    annotation: Annotation
    geometry: BaseGeometry


def pieces(
    annotations: Sequence[Annotation], title: str, holds: Iterable[int]
) -> tuple[list[Piece], Written]:
    """Return what a format that `holds` these dimensions can write, and what becomes of the rest."""
    geometries, owners = simple(annotations)
    ready = on_grid(shapely.force_2d(geometries)) if len(geometries) else geometries
    dimensions = np.where(shapely.is_empty(ready), -1, shapely.get_dimensions(ready))
    fits = np.isin(dimensions, list(holds))
    found = [
        Piece(annotations[owner], part)
        for geometry, owner in zip(ready[fits], owners[fits].tolist(), strict=True)
        for part in _single(geometry)
    ]
    written = set(owners[fits].tolist())
    dropped = tuple(each.id for at, each in enumerate(annotations) if at not in written)
    lost = tuple(_lost(Counter(dimensions[~fits].tolist()), title, holds))
    return found, Written(len(found), dropped, lost)


def _single(geometry: BaseGeometry) -> Iterator[BaseGeometry]:
    if geometry.geom_type == "MultiPolygon":
        yield from shapely.get_parts(geometry)
    else:
        yield geometry


def _lost(counts: Counter[int], title: str, holds: Iterable[int]) -> Iterator[str]:
    known = " and ".join(_WORDS[each] for each in sorted(holds, reverse=True))
    for dimension, count in sorted(counts.items()):
        if dimension in _WORDS:
            what = (
                f"{count:,} {_WORDS[dimension]} were"
                if count > 1
                else f"A {_WORDS[dimension][:-1]} was"
            )
            yield f"{what} left out: {title} holds {known} only."


def corners(ring: BaseGeometry) -> list[tuple[float, float]]:
    """Return the vertices of a ring, each once, or of a line or points."""
    points = [(x, y) for x, y in shapely.get_coordinates(ring).tolist()]
    return points[:-1] if len(points) > 1 and ring.geom_type == "LinearRing" else points


def colour_of(annotation: Annotation, taxonomy: Taxonomy) -> Colour:
    """Return the colour that an annotation is drawn in: its own, that of its class, or yellow."""
    name = annotation.class_name
    return annotation.colour or taxonomy.colour_of(name) or (colour_for(name) if name else _YELLOW)


def hexadecimal(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
