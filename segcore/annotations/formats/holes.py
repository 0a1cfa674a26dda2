"""Formats without holes: what is to be left out of an area lies beside it as an area of its own."""

from collections.abc import Collection

import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.geojson_geometry import solid
from segcore.annotations.model import Annotation


def cut_out(annotations: Collection[Annotation], holes: Collection[str]) -> list[Annotation]:
    """Return the annotations less the areas of the classes `holes`, which go; what is all hole goes too."""
    areas = [each.geometry for each in annotations if each.class_name in holes]
    others = [each for each in annotations if each.class_name not in holes]
    if not areas:
        return others
    tree = shapely.STRtree(areas)
    left = []
    for each in others:
        inside = tree.query(each.geometry, predicate="intersects") if each.geometry.area else ()
        rest = less(each.geometry, [areas[at] for at in inside])
        if not rest.is_empty:
            left.append(each.with_(geometry=rest))
    return left


def less(geometry: BaseGeometry, holes: Collection[BaseGeometry]) -> BaseGeometry:
    """Return the area of `geometry` without the holes; itself where there are none."""
    if not holes:
        return geometry
    rest = geometry.difference(shapely.union_all(list(holes)))
    return solid(rest) if rest.geom_type == "GeometryCollection" else rest
