"""QuPath's own data files (`data.qpdata` in a project), read only: the objects of one image.

The file is a stream of serialised Java objects. What an object has written is told apart by the class of
each part, so that files of the versions 0.1 to 0.6 differ little: name, colour, metadata with the id,
measurements, children, lock, class, outline and, of a cell, the outline of its nucleus.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import msgspec
import shapely

from segcore.annotations.formats.ellipses import ellipse
from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.geojson_reading import annotations_from, with_own_ids
from segcore.annotations.java_objects import (
    MAGIC,
    DamagedStreamError,
    JavaObject,
    objects_of,
)
from segcore.annotations.reports import ReadReport
from segcore.errors import AnnotationError

_OBJECTS = "qupath.lib.objects."
_ROIS = "qupath.lib.roi."
_ID = "Object ID"
_MOST_PARENTS = 20


def read(source: Source, task: Task) -> Found:
    """Read all objects of the hierarchy, in QuPath's frame."""
    try:
        contents = objects_of(source.data)
    except DamagedStreamError as error:
        raise AnnotationError(f"{error}, or another version of QuPath wrote it") from error
    trees = [each for each in contents if _is(each, f"{_OBJECTS}hierarchy.PathObjectHierarchy")]
    if not trees:
        raise AnnotationError("there is no hierarchy of objects in it")
    features = [
        _feature(each) for tree in trees for each in _descendants(tree.fields.get("rootObject"))
    ]
    document = {"type": "FeatureCollection", "features": features}
    found, report = annotations_from(document, task.taxonomy, offset=task.offset("bounds"))
    return with_own_ids(found), ReadReport(report.features, report.skipped, report.repaired)


def _is(value: Any, *names: str) -> bool:
    return isinstance(value, JavaObject) and value.class_name in names


def _in(value: Any, package: str) -> bool:
    return isinstance(value, JavaObject) and value.class_name.startswith(package)


def _descendants(root: Any) -> Iterator[JavaObject]:
    """Yield the objects below the root, each once, however often a damaged file refers to it."""
    waiting, seen = [root], {id(root)}
    while waiting:
        each = waiting.pop()
        if not isinstance(each, JavaObject):
            continue
        if each is not root:
            yield each
        for child in reversed(each.contents):
            is_object = _in(child, f"{_OBJECTS}Path") or _is(child, f"{_OBJECTS}TMACoreObject")
            if is_object and id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)


def _feature(item: JavaObject) -> dict[str, Any]:
    """Return an object as QuPath itself would write it as GeoJSON."""
    parts = item.contents
    outlines = [_outline(each) for each in parts if _in(each, _ROIS)]
    properties: dict[str, Any] = {"objectType": item.class_name.removeprefix(_OBJECTS)}
    if parts and isinstance(parts[0], str):
        properties["name"] = parts[0]
    if len(parts) > 1 and (colour := _number(parts[1])) is not None:
        properties["color"] = colour
    feature: dict[str, Any] = {"type": "Feature", "properties": properties}
    for each in parts:
        if _in(each, "qupath.lib.measurements."):
            properties["measurements"] = dict(_measurements(each))
        elif _is(each, f"{_OBJECTS}MetadataMap"):
            properties["metadata"] = _metadata(each)
            feature["id"] = properties["metadata"].pop(_ID, None)
        elif _is(each, "java.util.UUID"):
            feature["id"] = _uuid(each)
        elif _is(each, "java.lang.Boolean"):
            properties["isLocked"] = each.fields.get("value") is True
        elif _is(each, f"{_OBJECTS}classes.PathClass"):
            properties["classification"] = _class(each)
    feature["geometry"] = outlines[0] if outlines else None
    if len(outlines) > 1 and outlines[1]:
        feature["nucleusGeometry"] = outlines[1]
    return feature


def _number(value: Any) -> Any:
    return value.fields.get("value") if _is(value, "java.lang.Integer") else None


def _uuid(value: JavaObject) -> str | None:
    halves = [value.fields.get(key) for key in ("mostSigBits", "leastSigBits")]
    if not all(isinstance(each, int) for each in halves):
        return None
    return str(
        UUID(
            bytes=b"".join(
                (each & (2**64 - 1)).to_bytes(8, "big") for each in halves if each is not None
            )
        )
    )


def _metadata(value: JavaObject) -> dict[str, str]:
    lists = [each for each in value.contents if isinstance(each, list)]
    if len(lists) != 2:
        return {}
    pairs = zip(*lists, strict=False)
    return {key: text for key, text in pairs if isinstance(key, str) and isinstance(text, str)}


def _measurements(value: JavaObject) -> Iterator[tuple[str, float]]:
    """Yield names and numbers of a list of measurements, or of a list of names beside one of numbers."""
    for each in _items(value.fields.get("list")):
        if isinstance(each, JavaObject):
            yield str(each.fields.get("name")), each.fields.get("value", float("nan"))
    names, values = _items(value.fields.get("names")), _items(value.fields.get("values"))
    for name, number in zip(names, values, strict=False):
        yield str(name), number


def _items(value: Any) -> list[Any]:
    """Return the members of an array or of a Java list."""
    if isinstance(value, JavaObject):
        inner = value.fields.get("a", value.fields.get("list"))
        if inner is not None and inner is not value:
            return _items(inner) if not isinstance(inner, JavaObject) else inner.contents[1:]
        return [each for each in value.contents if not isinstance(each, bytes)]
    return list(value) if isinstance(value, list | tuple) else []


def _class(value: JavaObject) -> dict[str, Any]:
    """Return the class with those that it is derived from; each names the one before it."""
    names: list[str] = []
    each: Any = value
    while isinstance(each, JavaObject) and len(names) < _MOST_PARENTS:
        names.insert(0, str(each.fields.get("name") or ""))
        each = each.fields.get("parentClass")
    own = [name for name in names if name]
    return {"names": own, "color": _number(value.fields.get("colorRGB"))} if own else {}


def _outline(roi: JavaObject) -> dict[str, Any] | None:
    """Return the GeoJSON geometry of an outline, None of a kind that is not known."""
    kind = roi.class_name.removeprefix(_ROIS).partition("$")[0]
    try:
        geometry = _SHAPES[kind](roi.fields)
    except (KeyError, TypeError, ValueError, shapely.GEOSException):
        return None
    planes = {key: roi.fields.get(key, 0) for key in "czt"}
    if planes != {"c": -1, "z": 0, "t": 0} and geometry:
        geometry["plane"] = planes
    return geometry


def _points(fields: dict[str, Any]) -> list[list[float]]:
    return [list(pair) for pair in zip(fields["x"], fields["y"], strict=True)]


def _corners(fields: dict[str, Any]) -> tuple[float, float, float, float]:
    x, y, x2, y2 = (float(fields[key]) for key in ("x", "y", "x2", "y2"))
    return min(x, x2), min(y, y2), max(x, x2), max(y, y2)


def _json(geometry: shapely.Geometry) -> dict[str, Any]:
    return msgspec.json.decode(shapely.to_geojson(geometry))


_SHAPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "PolygonROI": lambda of: {"type": "Polygon", "coordinates": [_points(of)]},
    "PolylineROI": lambda of: {"type": "LineString", "coordinates": _points(of)},
    "PointsROI": lambda of: {"type": "MultiPoint", "coordinates": _points(of)},
    "LineROI": lambda of: {
        "type": "LineString",
        "coordinates": [[of["x"], of["y"]], [of["x2"], of["y2"]]],
    },
    "RectangleROI": lambda of: _json(shapely.box(*_corners(of))),
    "EllipseROI": lambda of: {**_json(ellipse(_corners(of))), "isEllipse": True},
    "GeometryROI": lambda of: _json(shapely.from_wkb(bytes(each & 255 for each in of["wkb"]))),
}

FORMAT = Format(
    name="qpdata",
    title="QuPath data",
    suffixes=(".qpdata",),
    about="The objects of one image in a QuPath project.",
    recognises=lambda head: head.startswith(MAGIC),
    read=read,
    origin="bounds",
    moves=True,
)
