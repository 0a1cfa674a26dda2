"""ASAP's XML: polygons, splines, rectangles and points in groups, in level-0 pixels of the full slide.

The group of an annotation is its class. ASAP knows no holes: what is to be left out of a region lies in a
group of its own. A spline is the polygon of its knots, as in ASAP's own masks.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import colour_from
from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.formats.holes import cut_out, less
from segcore.annotations.formats.pieces import (
    AREAS,
    LINES,
    POINTS,
    Piece,
    colour_of,
    corners,
    hexadecimal,
    pieces,
)
from segcore.annotations.geojson_geometry import geometry_from, repaired
from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.annotations.xml_files import read_root, root_of, root_tag, write_root
from segcore.errors import AnnotationError

ROOT = "ASAP_Annotations"
TITLE = "ASAP"
EXCLUSION = "Exclusion"
"""The group that holds are written into; read, other customary names of it are known too."""
_EXCLUSIONS = frozenset({"exclusion", "exclude", "hole", "holes"})
_HOLE = " hole"
"""After the name of an annotation, what is cut out of it alone."""
_NO_GROUP = frozenset({"", "none"})
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
_TYPES = {"Point": "Dot", "MultiPoint": "PointSet", "LineString": "Measurement"}


def read_asap(
    path: str | Path, taxonomy: Taxonomy | None = None
) -> tuple[list[Annotation], ReadReport]:
    """Read ASAP's XML as it stands, holes beside what they are cut out of; see `cut_out`.

    Annotations that are unsound are left out and listed. Class: that of the taxonomy with the name of the
    group, or of a group around it, else the group's name. Raises AnnotationError where the file is no ASAP
    file at all.
    """
    path = Path(path)
    return _annotations(read_root(path), path.name, taxonomy or load_taxonomy())


def read(source: Source, task: Task) -> Found:
    """Read ASAP's XML; what lies in a group called Exclusion, exclude or holes is cut out of the others.

    A hole that is called after an annotation before it, as we write them, is cut out of that alone.
    """
    found, report = _annotations(root_of(source.data, source.name), source.name, task.taxonomy)
    whole: list[Annotation] = []
    own_holes: dict[int, list[BaseGeometry]] = {}
    others: list[Annotation] = []
    places: dict[str, int] = {}
    for each in found:
        name = each.name or ""
        if (each.class_name or "").casefold() not in _EXCLUSIONS:
            places[name + _HOLE] = len(whole)
            whole.append(each)
        elif name in places:
            own_holes.setdefault(places[name], []).append(each.geometry)
        else:
            others.append(each)
    for at, holes in own_holes.items():
        whole[at] = whole[at].with_(geometry=less(whole[at].geometry, holes))
    return cut_out([*whole, *others], {each.class_name or "" for each in others}), report


def _annotations(root: Any, name: str, taxonomy: Taxonomy) -> Found:
    if root.tag != ROOT:
        raise AnnotationError(f"{name} is no file of ASAP; choose an XML file that ASAP saved.")
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
        class_name=ours or (None if group.casefold() in _NO_GROUP else group),
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


def write(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write ASAP's XML: a group for each class, holes in a group of their own, to be subtracted."""
    parts, written = pieces(annotations, TITLE, {AREAS, LINES, POINTS})
    root = ET.Element(ROOT)
    listed = ET.SubElement(root, "Annotations")
    colours: dict[str, str] = {}
    for number, part in enumerate(parts):
        group = part.annotation.class_name or "None"
        colour = hexadecimal(colour_of(part.annotation, task.taxonomy))
        colours.setdefault(group, colour)
        for name, of, kind, ring in _elements(part, number):
            _append(listed, ring, Name=name, Type=kind, PartOfGroup=of or group, Color=colour)
            if of:
                colours[of] = "#000000"
    groups = ET.SubElement(root, "AnnotationGroups")
    for group, colour in colours.items():
        if group != "None":
            element = ET.SubElement(groups, "Group", Name=group, PartOfGroup="None", Color=colour)
            ET.SubElement(element, "Attributes")
    write_root(file, root)
    return written


def _elements(piece: Piece, number: int) -> Iterator[tuple[str, str, str, Any]]:
    """Yield name, group (empty: its class), type and outline of a piece, then of each hole in it."""
    geometry = piece.geometry
    kind = _type(piece)
    if not isinstance(geometry, Polygon):
        yield piece.annotation.name or "", "", kind, geometry
        return
    holes = geometry.interiors
    name = piece.annotation.name or (f"Annotation {number}" if holes else "")
    yield name, "", kind, geometry.exterior
    for hole in holes:
        yield name + _HOLE, EXCLUSION, "Polygon", hole


def _type(piece: Piece) -> str:
    geometry = piece.geometry
    if not isinstance(geometry, Polygon):
        return _TYPES[geometry.geom_type]
    drawn = str(piece.annotation.extra.get("asap", {}).get("type", ""))
    if drawn.lower() == "spline":
        return "Spline"
    is_box = len(geometry.exterior.coords) == 5 and geometry.area == geometry.envelope.area
    return "Rectangle" if is_box else "Polygon"


def _append(listed: ET.Element, outline: Any, **members: str) -> None:
    element = ET.SubElement(listed, "Annotation", members)
    places = ET.SubElement(element, "Coordinates")
    for order, (x, y) in enumerate(corners(outline)):
        ET.SubElement(places, "Coordinate", Order=str(order), X=f"{x:.10g}", Y=f"{y:.10g}")


FORMAT = Format(
    name="asap",
    title=TITLE,
    suffixes=(".xml", ".asap.xml"),
    about="Keeps outlines, names, classes as groups and colours; holes lie in a group Exclusion.",
    recognises=lambda head: root_tag(head) == ROOT,
    read=read,
    write=write,
    keeps=frozenset({"name", "colour"}),
)
