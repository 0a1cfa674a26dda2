"""HistomicsUI's JSON (Digital Slide Archive): elements by type, in level-0 pixels of the full slide."""

from collections.abc import Callable, Iterator, Sequence
from math import degrees
from typing import Any, BinaryIO

import msgspec
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import colour_from
from segcore.annotations.formats.ellipses import ellipse, is_ellipse, rectangle
from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.formats.json_documents import parsed, says
from segcore.annotations.formats.pieces import (
    AREAS,
    LINES,
    POINTS,
    colour_of,
    corners,
    pieces,
)
from segcore.annotations.geojson_geometry import FARTHEST, geometry_from, repaired
from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy
from segcore.errors import AnnotationError

TITLE = "HistomicsUI (DSA)"
_TYPES_WITHOUT_SHAPE = ("image", "pixelmap", "griddata", "heatmap")


def read(source: Source, task: Task) -> Found:
    """Read one annotation document, or a list of them; a group, else the document's name, is the class."""
    found: list[Annotation] = []
    skipped: list[str] = []
    count = mended = 0
    for document in _documents(parsed(source.data)):
        elements = document["elements"]
        for element in elements:
            count += 1
            try:
                annotation, was_mended = _annotation(element, document, task.taxonomy)
            except AnnotationError as error:
                skipped.append(f"Element {count} was left out: {error}.")
                continue
            found.append(annotation)
            mended += was_mended
    return found, ReadReport(count, tuple(skipped), mended)


def _documents(member: Any) -> Iterator[dict[str, Any]]:
    """Yield the annotation documents in a file: one, one in its database record, or a list of either."""
    any_found = False
    for each in member if isinstance(member, list) else [member]:
        inner = each.get("annotation", each) if isinstance(each, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("elements"), list):
            any_found = True
            yield inner
    if not any_found:
        raise AnnotationError("there is no list of elements in it")


def _annotation(
    element: Any, document: dict[str, Any], taxonomy: Taxonomy
) -> tuple[Annotation, bool]:
    if not isinstance(element, dict):
        raise AnnotationError("it is no element")
    geometry = _geometry(element)
    sound = bool(shapely.is_valid(geometry))
    group = element.get("group") or document.get("name")
    said = group.strip() if isinstance(group, str) else ""
    ours = taxonomy.find(said) if said else None
    label = element.get("label")
    text = label.get("value") if isinstance(label, dict) else label
    annotation = Annotation(
        geometry if sound else repaired(geometry),
        class_name=ours.name if ours else (element.get("group") and said) or None,
        name=text if isinstance(text, str) and text else None,
        colour=None if ours else colour_from(element.get("lineColor")),
        ellipse=element.get("type") in {"ellipse", "circle"} and not element.get("rotation"),
        metadata=_metadata(element.get("user")),
    )
    return annotation, not sound


def _metadata(user: Any) -> dict[str, str]:
    members = user.items() if isinstance(user, dict) else ()
    return {str(key): value for key, value in members if isinstance(value, str)}


def _geometry(element: dict[str, Any]) -> BaseGeometry:
    kind = element.get("type")
    if not isinstance(kind, str) or kind not in _SHAPES:
        said = "a picture" if kind in _TYPES_WITHOUT_SHAPE else f"of the type {str(kind)[:40]!r}"
        raise AnnotationError(f"it is {said}")
    geometry = _SHAPES[kind](element)
    bounds = geometry.bounds
    if geometry.is_empty or not all(abs(each) <= FARTHEST for each in bounds):
        raise AnnotationError("its coordinates are no numbers or lie outside any slide")
    return geometry


def _polyline(element: dict[str, Any]) -> BaseGeometry:
    points = element.get("points")
    if not element.get("closed"):
        return geometry_from({"type": "LineString", "coordinates": points})
    holes = element.get("holes")
    rings = [points, *(holes if isinstance(holes, list) else [])]
    return geometry_from({"type": "Polygon", "coordinates": rings})


def _box(element: dict[str, Any]) -> tuple[float, float, float, float]:
    x, y = _centre(element)
    wide, high = (_number(element, each) / 2 for each in ("width", "height"))
    if not (wide > 0 and high > 0):
        raise AnnotationError("it has no size")
    return x - wide, y - high, x + wide, y + high


def _circle(element: dict[str, Any]) -> BaseGeometry:
    x, y = _centre(element)
    radius = _number(element, "radius")
    if not radius > 0:
        raise AnnotationError("it has no size")
    return ellipse((x - radius, y - radius, x + radius, y + radius))


def _turn(element: dict[str, Any]) -> float:
    """Return the angle in degrees, clockwise on the screen."""
    return degrees(_number(element, "rotation")) if element.get("rotation") else 0.0


def _centre(element: dict[str, Any]) -> tuple[float, float]:
    point = geometry_from({"type": "Point", "coordinates": element.get("center")})
    return point.x, point.y  # type: ignore[attr-defined] - it is a point


def _number(element: dict[str, Any], key: str) -> float:
    value = element.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > FARTHEST:
        raise AnnotationError(f"its {key} is no number")
    return float(value)


_SHAPES: dict[str, Callable[[dict[str, Any]], BaseGeometry]] = {
    "polyline": _polyline,
    "arrow": lambda each: geometry_from({"type": "LineString", "coordinates": each.get("points")}),
    "rectangle": lambda each: rectangle(_box(each), _turn(each)),
    "rectanglegrid": lambda each: rectangle(_box(each), _turn(each)),
    "ellipse": lambda each: ellipse(_box(each), _turn(each)),
    "circle": _circle,
    "point": lambda each: geometry_from({"type": "Point", "coordinates": each.get("center")}),
}


def write(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write one annotation document; each class is a group."""
    parts, written = pieces(annotations, TITLE, {AREAS, LINES, POINTS})
    elements = []
    for annotation, geometry in parts:
        common = _common(annotation, task.taxonomy)
        elements += [{**shape, **common} for shape in _elements(annotation, geometry)]
    file.write(msgspec.json.encode({"name": "Acinus", "elements": elements}))
    return written._replace(features=len(elements))


def _common(annotation: Annotation, taxonomy: Taxonomy) -> dict[str, Any]:
    red, green, blue = colour_of(annotation, taxonomy)
    members: dict[str, Any] = {
        "lineColor": f"rgb({red},{green},{blue})",
        "fillColor": "rgba(0,0,0,0)",
        "lineWidth": 2,
    }
    if annotation.class_name:
        members["group"] = annotation.class_name
    if annotation.name:
        members["label"] = {"value": annotation.name}
    if annotation.metadata:
        members["user"] = annotation.metadata
    return members


def _elements(annotation: Annotation, geometry: BaseGeometry) -> Iterator[dict[str, Any]]:
    if geometry.geom_type in {"Point", "MultiPoint"}:
        for x, y in shapely.get_coordinates(geometry).tolist():
            yield {"type": "point", "center": [x, y, 0]}
    elif not isinstance(geometry, Polygon):
        yield {"type": "polyline", "points": _points(geometry), "closed": False}
    elif is_ellipse(annotation, geometry):
        left, top, right, bottom = geometry.bounds
        centre = [(left + right) / 2, (top + bottom) / 2, 0]
        size = {"width": right - left, "height": bottom - top, "rotation": 0}
        yield {"type": "ellipse", "center": centre, **size}
    else:
        holes = [_points(each) for each in geometry.interiors]
        shape = {"type": "polyline", "points": _points(geometry.exterior), "closed": True}
        yield {**shape, "holes": holes} if holes else shape


def _points(outline: BaseGeometry) -> list[list[float]]:
    return [[x, y, 0] for x, y in corners(outline)]


FORMAT = Format(
    name="dsa",
    title=TITLE,
    suffixes=(".anot", ".json"),
    about="Keeps outlines with holes, names as labels, classes as groups, colours and notes.",
    recognises=lambda head: says(head, "elements") and not says(head, "coordinates"),
    read=read,
    write=write,
    keeps=frozenset({"name", "colour", "ellipse", "metadata"}),
)
