"""ASAP's XML: polygons, splines, rectangles and points in groups, in level-0 pixels of the full slide.

The group of an annotation is its class. ASAP knows no holes: what is to be left out of a region lies in a
group of its own, which `cut_out` takes away. A spline is the polygon of its knots, as in ASAP's own masks.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import shapely

from segcore.annotations.colours import colour_from
from segcore.annotations.geojson_geometry import geometry_from, repaired, solid
from segcore.annotations.geojson_reading import ReadReport
from segcore.annotations.model import Annotation
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.annotations.xml_files import read_root
from segcore.errors import AnnotationError

ROOT = "ASAP_Annotations"
_GEOMETRIES = {
    "polygon": "Polygon",
    "spline": "Polygon",
    "rectangle": "Polygon",
    "dot": "Point",
    "pointset": "MultiPoint",
    "measurement": "LineString",
}
_COORDINATES: dict[str, Callable[[list[list[float]]], Any]] = {
    "Polygon": lambda points: [points],
    "Point": lambda points: points[0],
    "MultiPoint": lambda points: points,
    "LineString": lambda points: points,
}


def read_asap(
    path: str | Path, taxonomy: Taxonomy | None = None
) -> tuple[list[Annotation], ReadReport]:
    """Read ASAP's XML; annotations that are unsound are left out and listed.

    Class: that of the taxonomy with the name of the group, or of a group around it, else the group's name.
    Raises AnnotationError where the file is no ASAP file at all.
    """
    path = Path(path)
    root = read_root(path)
    if root.tag != ROOT:
        raise AnnotationError(
            f"{path.name} is no file of ASAP; choose an XML file that ASAP saved."
        )
    taxonomy = taxonomy or load_taxonomy()
    parents = {each.get("Name", ""): each.get("PartOfGroup", "") for each in root.iter("Group")}
    found: list[Annotation] = []
    skipped: list[str] = []
    mended = 0
    elements = list(root.iter("Annotation"))
    for number, element in enumerate(elements, 1):
        try:
            annotation, was_mended = _annotation(element, parents, taxonomy)
        except AnnotationError as error:
            skipped.append(f"Annotation {number} was left out: {error}.")
            continue
        found.append(annotation)
        mended += was_mended
    return found, ReadReport(len(elements), tuple(skipped), mended)


def _annotation(
    element: Any, parents: dict[str, str], taxonomy: Taxonomy
) -> tuple[Annotation, bool]:
    kind = element.get("Type", "")
    geometry_type = _GEOMETRIES.get(kind.lower())
    if geometry_type is None:
        raise AnnotationError(f"its type is {kind[:40]!r}")
    points = _points(element)
    geometry = geometry_from(
        {"type": geometry_type, "coordinates": _COORDINATES[geometry_type](points)}
    )
    sound = bool(shapely.is_valid(geometry))
    group = element.get("PartOfGroup", "")
    ours = _class_of(group, parents, taxonomy)
    annotation = Annotation(
        geometry if sound else repaired(geometry),
        class_name=ours or (group if group not in {"", "None"} else None),
        name=element.get("Name") or None,
        colour=None if ours else colour_from(element.get("Color")),
        extra={"asap": {"type": kind, "group": group}},
    )
    return annotation, not sound


def _points(element: Any) -> list[list[float]]:
    """Return the points of an annotation in their order."""
    try:
        placed = sorted(
            (int(each.get("Order", at)), float(each.get("X")), float(each.get("Y")))
            for at, each in enumerate(element.iter("Coordinate"))
        )
    except (TypeError, ValueError) as error:
        raise AnnotationError("its coordinates are no numbers") from error
    if not placed:
        raise AnnotationError("it is empty")
    return [[x, y] for _, x, y in placed]


def _class_of(group: str, parents: dict[str, str], taxonomy: Taxonomy) -> str | None:
    """Return the class that the group, or the nearest group around it, is called after."""
    seen: set[str] = set()
    while group not in seen:  # a file may put a group into itself
        if group and (known := taxonomy.find(group)):
            return known.name
        seen.add(group)
        group = parents.get(group, "")
    return None


def cut_out(annotations: Collection[Annotation], holes: Collection[str]) -> list[Annotation]:
    """Return the annotations less the areas of the classes `holes`, which go; what is all hole goes too."""
    areas = [each.geometry for each in annotations if each.class_name in holes]
    others = [each for each in annotations if each.class_name not in holes]
    if not areas:
        return others
    tree = shapely.STRtree(areas)
    left = []
    for each in others:
        inside = tree.query(each.geometry, predicate="intersects")
        if len(inside) and each.geometry.area:
            remaining = each.geometry.difference(shapely.union_all([areas[at] for at in inside]))
            each = each.with_(geometry=_areas(remaining))  # noqa: PLW2901 - a value, less its holes
        if not each.geometry.is_empty:
            left.append(each)
    return left


def _areas(geometry: Any) -> Any:
    return solid(geometry) if geometry.geom_type == "GeometryCollection" else geometry
