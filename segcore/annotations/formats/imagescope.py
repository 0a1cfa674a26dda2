"""Aperio ImageScope's XML: layers of regions, in level-0 pixels of the full slide."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import Colour
from segcore.annotations.formats.ellipses import ellipse, is_ellipse
from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.formats.holes import cut_out, less
from segcore.annotations.formats.pieces import (
    AREAS,
    LINES,
    UNCLASSIFIED,
    Piece,
    colour_of,
    corners,
    pieces,
)
from segcore.annotations.geojson_geometry import geometry_from, repaired
from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.annotations.xml_files import read_root, root_of, root_tag, write_root
from segcore.errors import AnnotationError

ROOT = "Annotations"
TITLE = "Aperio ImageScope"
_POLYGON, _RECTANGLE, _ELLIPSE, _ARROW, _RULER = "01234"
_NO_NAME = "Description"
"""What ImageScope calls the attribute of a layer before anybody has given it a name."""
_HOLE = "\0hole"
"""No class of a file can be called so: XML knows no such character."""


def read_imagescope(
    path: str | Path, taxonomy: Taxonomy | None = None
) -> tuple[list[Annotation], ReadReport]:
    """Read ImageScope's XML; regions that are unsound are left out and listed.

    A region's class is what its attribute, its text or its layer says; negative regions are holes in their
    layer, or in the one region that they name. Raises AnnotationError where the file is no ImageScope file
    at all.
    """
    path = Path(path)
    return _annotations(read_root(path), path.name, taxonomy or load_taxonomy())


def read(source: Source, task: Task) -> Found:
    return _annotations(root_of(source.data, source.name), source.name, task.taxonomy)


def _annotations(root: Any, name: str, taxonomy: Taxonomy) -> Found:
    if root.tag != ROOT:
        raise AnnotationError(
            f"{name} is no file of ImageScope; choose an XML file that ImageScope saved."
        )
    found: list[Annotation] = []
    skipped: list[str] = []
    count = mended = 0
    for layer in root.iter("Annotation"):
        regions: list[tuple[Any, Annotation]] = []
        for region in layer.iter("Region"):
            count += 1
            try:
                annotation, was_mended = _annotation(region, layer, taxonomy)
            except AnnotationError as error:
                skipped.append(f"Region {count} was left out: {error}.")
                continue
            mended += was_mended
            regions.append((region, annotation))
        found += _with_holes(regions)
    return found, ReadReport(count, tuple(skipped), mended)


def _with_holes(regions: list[tuple[Any, Annotation]]) -> list[Annotation]:
    """Return the regions of a layer less its negative ones: those that name a region from that alone."""
    owners = {region.get("Id") for region, each in regions if each.class_name != _HOLE}
    named: dict[str, list[BaseGeometry]] = {}
    left = []
    for region, each in regions:
        owner = region.get("InputRegionId")
        if each.class_name == _HOLE and owner in owners:
            named.setdefault(owner, []).append(each.geometry)
        else:
            left.append((region.get("Id"), each))
    cut = [
        each.with_(geometry=less(each.geometry, named.get(own, ()))) if own in named else each
        for own, each in left
    ]
    return cut_out(cut, {_HOLE})


def _annotation(region: Any, layer: Any, taxonomy: Taxonomy) -> tuple[Annotation, bool]:
    said = _class_of(region, layer)
    ours = taxonomy.find(said) if said else None
    negative = region.get("NegativeROA") == "1"
    kind = region.get("Type", _POLYGON)
    geometry = _geometry(region, kind)
    sound = bool(shapely.is_valid(geometry))
    annotation = Annotation(
        geometry if sound else repaired(geometry),
        class_name=_HOLE if negative else ours.name if ours else said or None,
        name=region.get("Text") or None,
        colour=None if ours else _colour(layer.get("LineColor")),
        ellipse=kind == _ELLIPSE,
    )
    return annotation, not sound


def _class_of(region: Any, layer: Any) -> str:
    said = [each.get("Value") for each in region.iterfind("Attributes/Attribute")]
    said += [region.get("Text"), layer.get("Name")]
    names = (each.get("Name") for each in layer.iterfind("Attributes/Attribute"))
    said += [each for each in names if each != _NO_NAME]
    nearest = next((each.strip() for each in said if each and each.strip()), "")
    return "" if nearest == UNCLASSIFIED else nearest


def _colour(packed: str | None) -> Colour | None:
    """Return the colour in a packed integer, of which blue is the highest byte."""
    if not (packed or "").isdecimal():
        return None
    value = int(packed or "") if len(packed or "") < 12 else 0
    return value & 255, (value >> 8) & 255, (value >> 16) & 255


def _packed(colour: Colour) -> str:
    red, green, blue = colour
    return str(red | green << 8 | blue << 16)


def _geometry(region: Any, kind: str) -> BaseGeometry:
    try:
        points = [[float(each.get("X")), float(each.get("Y"))] for each in region.iter("Vertex")]
    except (TypeError, ValueError) as error:
        raise AnnotationError("its vertices are no numbers") from error
    if kind in {_ARROW, _RULER}:
        return geometry_from({"type": "LineString", "coordinates": points})
    if len(points) == 2:  # the corners of the box around it
        (x0, y0), (x1, y1) = points
        points = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    geometry = geometry_from({"type": "Polygon", "coordinates": [points]})
    return ellipse(geometry.bounds) if kind == _ELLIPSE else geometry


def write(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write ImageScope's XML: a layer for each class, holes as negative regions that name their region."""
    parts, written = pieces(annotations, TITLE, {AREAS, LINES})
    size = {"MicronsPerPixel": f"{task.slide.mpp:.6f}"} if task.slide and task.slide.mpp else {}
    root = ET.Element(ROOT, size)
    layers: dict[str, ET.Element] = {}
    for number, piece in enumerate(parts, 1):
        name = piece.annotation.class_name or UNCLASSIFIED
        if name not in layers:
            layers[name] = _layer(root, name, colour_of(piece.annotation, task.taxonomy))
        _append(layers[name], piece, str(number))
    write_root(file, root)
    return written


def _layer(root: ET.Element, name: str, colour: Colour) -> ET.Element:
    number = str(len(root) + 1)
    members = {"Id": number, "Name": name, "LineColor": _packed(colour)}
    element = ET.SubElement(root, "Annotation", members, Type="4", Visible="1", Selected="0")
    regions = ET.SubElement(element, "Regions")
    headers = ET.SubElement(regions, "RegionAttributeHeaders")
    ET.SubElement(headers, "AttributeHeader", Id="1", Name="Class", ColumnWidth="-1")
    return regions


def _append(regions: ET.Element, piece: Piece, number: str) -> None:
    annotation, geometry = piece
    if not isinstance(geometry, Polygon):
        _region(regions, geometry, annotation, number, Type=_RULER)
        return
    if is_ellipse(annotation, geometry):
        left, top, right, bottom = geometry.bounds
        box = shapely.LineString([(left, top), (right, bottom)])
        _region(regions, box, annotation, number, Type=_ELLIPSE)
        return
    _region(regions, geometry.exterior, annotation, number, Type=_POLYGON)
    for at, hole in enumerate(geometry.interiors, 1):
        _region(
            regions, hole, annotation, f"{number}{at:03}", Type=_POLYGON, negative=True, of=number
        )


def _region(
    regions: ET.Element,
    outline: BaseGeometry,
    annotation: Annotation,
    number: str,
    *,
    Type: str,
    negative: bool = False,
    of: str = "0",
) -> None:
    members = {
        "Id": number, "Type": Type, "Selected": "0", "Text": annotation.name or "",
        "NegativeROA": str(int(negative)), "InputRegionId": of, "Analyze": "1", "DisplayId": number,
    }  # fmt: skip
    region = ET.SubElement(regions, "Region", members)
    attributes = ET.SubElement(region, "Attributes")
    value = annotation.class_name or UNCLASSIFIED
    ET.SubElement(attributes, "Attribute", Id="1", Name="Class", Value=value)
    vertices = ET.SubElement(region, "Vertices")
    for x, y in corners(outline):
        ET.SubElement(vertices, "Vertex", X=f"{x:.10g}", Y=f"{y:.10g}", Z="0")


FORMAT = Format(
    name="imagescope",
    title=TITLE,
    suffixes=(".xml", ".imagescope.xml"),
    about="Keeps outlines, names, classes as layers and their colours; it cannot hold points.",
    recognises=lambda head: root_tag(head) == ROOT,
    read=read,
    write=write,
    keeps=frozenset({"name", "colour", "ellipse"}),
)
