"""GeoJSON documents as annotations: QuPath's dialect of all versions since 0.2, and anything near it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import Colour, colour_from
from segcore.annotations.geojson_geometry import NUCLEUS, Offset, geometries_from, moved, repaired
from segcore.annotations.model import Annotation
from segcore.annotations.reports import ReadReport
from segcore.annotations.taxonomy import Taxonomy
from segcore.errors import AnnotationError

# A tuple, because the type in a foreign file may be anything, even what a set cannot look for.
_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
_KINDS = {
    each.lower(): each for each in ("annotation", "detection", "cell", "tile", "tmaCore", "root")
}
_KNOWN = frozenset(
    [
        "objectType",
        "object_type",
        "type",
        "name",
        "color",
        "classification",
        "isLocked",
        "measurements",
        "metadata",
        "childObjects",
        "children",
    ]
)


_FEATURE = frozenset(["type", "id", "geometry", "properties"])


def annotations_from(
    document: Any, taxonomy: Taxonomy, *, offset: Offset = (0, 0), first: int = 1
) -> tuple[list[Annotation], ReadReport]:
    """Return the annotations of a parsed document; bad features are left out and listed.

    `offset` is added to the coordinates; `first` is the number of the first feature in what is told about
    it. Raises AnnotationError where the document is no GeoJSON at all.
    """
    features = list(_features(document))
    if not features and not _is_empty(document):
        raise AnnotationError("there is no Feature, FeatureCollection or geometry in it")
    geometries = geometries_from([each.get("geometry") for each in features], offset=offset)
    sound = shapely.is_valid(
        [each if isinstance(each, BaseGeometry) else None for each in geometries]
    )
    found: list[Annotation] = []
    skipped: list[str] = []
    for number, (feature, geometry, valid) in enumerate(
        zip(features, geometries, sound, strict=True), first
    ):
        try:
            usable = _usable(geometry, valid=bool(valid))
            found.append(_annotation(feature, usable, taxonomy, offset))
        except AnnotationError as error:
            skipped.append(f"Feature {number} was left out: {error}.")
    # Every feature is found or skipped, and only what was a geometry can have been repaired.
    mended = len(found) - int(sound.sum())
    return found, ReadReport(len(features), tuple(skipped), mended)


def _usable(geometry: BaseGeometry | AnnotationError, *, valid: bool) -> BaseGeometry:
    if isinstance(geometry, AnnotationError):
        raise geometry
    return geometry if valid else repaired(geometry)


def with_own_ids(annotations: list[Annotation]) -> list[Annotation]:
    """Return the same list, a new id for each annotation whose id an earlier one has."""
    ids: set[str] = set()
    for index, each in enumerate(annotations):
        if each.id in ids:
            annotations[index] = each.with_(id=str(uuid4()))
        ids.add(annotations[index].id)
    return annotations


def _is_empty(document: Any) -> bool:
    """Whether a document is sound but holds nothing."""
    if isinstance(document, dict):
        return document.get("type") == "FeatureCollection" and document.get("features") == []
    return document == []


def _features(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the features in all containers that QuPath reads: collection, feature, geometry, nested arrays."""
    waiting = [document]
    while waiting:
        member = waiting.pop()
        if isinstance(member, list):
            waiting.extend(reversed(member))
        elif isinstance(member, dict):
            kind = member.get("type")
            if kind == "FeatureCollection" and isinstance(member.get("features"), list):
                members = [each for each in member["features"] if isinstance(each, dict)]
                # QuPath does not look at the type of a member either.
                waiting.extend({**each, "type": "Feature"} for each in reversed(members))
            elif kind == "Feature":
                yield member
                waiting.extend(_children(member))
            elif kind in _GEOMETRIES:
                yield {"type": "Feature", "geometry": member}


def _children(feature: dict[str, Any]) -> list[dict[str, Any]]:
    properties = _mapping(feature.get("properties"))
    children = properties.get("childObjects", properties.get("children"))
    return (
        [each for each in reversed(children) if isinstance(each, dict)]
        if isinstance(children, list)
        else []
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _annotation(
    feature: dict[str, Any], geometry: BaseGeometry, taxonomy: Taxonomy, offset: Offset
) -> Annotation:
    properties = _mapping(feature.get("properties"))
    class_name, class_colour = _classification(properties.get("classification"), taxonomy)
    name = properties.get("name")
    return Annotation(
        geometry,
        class_name=class_name,
        name=name if isinstance(name, str) else None,
        locked=properties.get("isLocked") is True,
        kind=_kind(feature, properties),
        ellipse=_mapping(feature.get("geometry")).get("isEllipse") is True,
        colour=colour_from(properties.get("color")) or class_colour,
        measurements=_measurements(properties.get("measurements")),
        metadata=_metadata(properties.get("metadata")),
        extra=_unknown(feature, properties, offset),
        id=_id(feature.get("id")),
    )


def _classification(value: Any, taxonomy: Taxonomy) -> tuple[str | None, Colour | None]:
    """Return our name of a class, and the colour that the file gives to a class that is not ours."""
    if isinstance(value, str):
        value = {"name": value}
    value = _mapping(value)
    names = value.get("names")
    if isinstance(names, list) and all(isinstance(each, str) for each in names):
        name: Any = ": ".join(names)
    else:
        name = value.get("name", value.get("parentClass"))
    if not isinstance(name, str) or not name.strip():
        return None, None
    if ours := taxonomy.find(name.strip()):
        return ours.name, None
    return name.strip(), colour_from(value.get("color", value.get("colorRGB")))


def _kind(feature: dict[str, Any], properties: dict[str, Any]) -> str:
    given = [properties.get(key) for key in ("objectType", "object_type", "type")]
    for each in (
        *given,
        feature.get("id"),
    ):  # until 0.2 the id said the type: "PathAnnotationObject"
        if isinstance(each, str):
            plain = each.lower().removeprefix("path").removesuffix("object")
            if plain in _KINDS or each.lower() == "tmacoreobject":
                return _KINDS.get(plain, "tmaCore")
    return "annotation"


def _id(value: Any) -> str:
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        return str(uuid4())


def _measurements(value: Any) -> dict[str, float]:
    """Return the measurements of a dict, or of the list of {name, value} that was written until 0.3."""
    if isinstance(value, list):
        value = {
            str(each["name"]): each.get("value")
            for each in value
            if isinstance(each, dict) and each.get("name") is not None
        }
    numbers = ((name, _number(each)) for name, each in _mapping(value).items())
    return {name: number for name, number in numbers if number is not None}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)  # also of "NaN", "Infinity", "-inf"
    except (ValueError, OverflowError):
        return None


def _metadata(value: Any) -> dict[str, str]:
    plain = (
        (key, each) for key, each in _mapping(value).items() if isinstance(each, str | int | float)
    )
    return {str(key): each if isinstance(each, str) else str(each) for key, each in plain}


def _unknown(feature: dict[str, Any], properties: dict[str, Any], offset: Offset) -> dict[str, Any]:
    """Return the members that `Annotation` has no place for, by where they stood."""
    beside = {key: each for key, each in feature.items() if key not in _FEATURE}
    if NUCLEUS in beside:
        beside[NUCLEUS] = moved(beside[NUCLEUS], offset)
    places = {
        "feature": beside,
        "properties": {key: each for key, each in properties.items() if key not in _KNOWN},
        "plane": _mapping(feature.get("geometry")).get("plane"),
    }
    return {place: members for place, members in places.items() if members}
