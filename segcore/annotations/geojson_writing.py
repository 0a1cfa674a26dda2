"""Annotations as GeoJSON that every QuPath from 0.4 to 0.7 reads.

Each rule comes from a version that refused a file: one invalid or empty outline, a MultiPolygon of one
part, a null or a class without colour makes QuPath refuse everything.
"""

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from shapely import MultiPolygon, Polygon

from segcore.annotations.colours import colour_for
from segcore.annotations.geojson_geometry import NUCLEUS, Offset, geometries_from, solid
from segcore.annotations.model import Annotation
from segcore.annotations.reports import Written
from segcore.annotations.taxonomy import Taxonomy

_GRID = 0.01  # of QuPath's own coordinates
_MISREAD = frozenset({"type", "object_type"})  # QuPath takes these for the type of the object
_KINDS = frozenset({"annotation", "detection", "cell", "tile", "tmaCore"})
_MULTILINE, _COLLECTION = 5, 7

Geometries = npt.NDArray[np.object_]


def features_from(
    annotations: Sequence[Annotation], taxonomy: Taxonomy, *, offset: Offset = (0, 0)
) -> tuple[list[dict[str, Any]], Written]:
    """Return features for `msgspec.json.encode`; `offset` is added to the coordinates.

    Collections and MultiLineStrings, which QuPath cannot read or write, become several features.
    """
    parts, owners = simple(annotations)
    ready = on_grid(shapely.transform(shapely.force_2d(parts), lambda points: points + offset))
    nuclei = _nuclei(annotations, offset)
    features: list[dict[str, Any]] = []
    written: set[int] = set()
    left = ~shapely.is_empty(ready)
    for text, owner in zip(shapely.to_geojson(ready[left]), owners[left].tolist(), strict=True):
        feature = _feature(annotations[owner], text, taxonomy, nuclei.get(owner))
        if owner in written:
            feature["id"] = str(uuid4())  # an id names one object
        written.add(owner)
        features.append(feature)
    dropped = tuple(each.id for at, each in enumerate(annotations) if at not in written)
    return features, Written(len(features), dropped)


def simple(annotations: Sequence[Annotation]) -> tuple[Geometries, npt.NDArray[np.int64]]:
    """Return geometries of the types that QuPath has, and the annotation of each."""
    geometries = np.array([each.geometry for each in annotations], object)
    owners = np.arange(len(geometries))
    mixed = np.isin(shapely.get_type_id(geometries), (_MULTILINE, _COLLECTION))
    if not mixed.any():
        return geometries, owners
    split = [_parts(each) if mix else [each] for each, mix in zip(geometries, mixed, strict=True)]
    owners = np.repeat(owners, [len(each) for each in split])
    return np.array([part for each in split for part in each], object), owners


def _parts(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the polygons of a collection as one geometry, and its lines and points one by one."""
    parts = np.array([geometry])
    while np.isin(shapely.get_type_id(parts), (_MULTILINE, _COLLECTION)).any():
        parts = shapely.get_parts(parts)
    flat = shapely.get_dimensions(parts) == 2
    polygons = [solid(shapely.GeometryCollection(parts[flat].tolist()))] if flat.any() else []
    return [*polygons, *parts[~flat]]


def on_grid(geometries: Geometries) -> Geometries:
    """Return valid geometries with two decimals; empty where nothing is left of one.

    QuPath 0.5 refuses a MultiPolygon of one part, so that is given as a Polygon.
    """
    rounded = _rounded(geometries)
    # Repairing and snapping cost thirty times the rounding, and few outlines need them: those that are
    # crossed or that the rounding broke, and those so narrow that QuPath, which snaps all, would be left
    # with nothing.
    wrong = np.flatnonzero(~shapely.is_valid(rounded) | _is_sliver(rounded))
    if len(wrong):
        snapped = _snapped(_valid(geometries[wrong]))
        snapped[~shapely.is_valid(snapped)] = Polygon()
        rounded[wrong] = snapped
    single = np.isin(shapely.get_type_id(rounded), (4, 6)) & (
        shapely.get_num_geometries(rounded) == 1
    )
    rounded[single] = shapely.get_geometry(rounded[single], 0)
    return rounded


def _valid(geometries: Geometries) -> Geometries:
    """Repair; what has a coordinate that is no number becomes empty, for repairing it raises."""
    numbers, owner = shapely.get_coordinates(geometries, return_index=True)
    valid = geometries.copy()
    valid[owner[~np.isfinite(numbers).all(axis=1)]] = Polygon()
    wrong = ~shapely.is_valid(valid)
    valid[wrong] = shapely.make_valid(valid[wrong], method="structure", keep_collapsed=False)
    wrong = ~shapely.is_valid(valid)  # for some spikes GEOS gives parts that overlap
    valid[wrong] = shapely.buffer(valid[wrong], 0)
    return valid


def _is_sliver(geometries: Geometries) -> npt.NDArray[np.bool_]:
    """Whether each polygon is on average narrower than twice the grid."""
    areal = shapely.get_dimensions(geometries) == 2
    return areal & (shapely.area(geometries) <= _GRID * shapely.length(geometries))


def _snapped(geometries: Geometries) -> Geometries:
    """Snap until nothing changes: what snapping leaves of a sliver may vanish when QuPath snaps it again."""
    snapped = _rounded(shapely.set_precision(geometries, _GRID))
    for _ in range(5):
        before, snapped = snapped, _rounded(shapely.set_precision(snapped, _GRID))
        if shapely.equals(before, snapped).all():
            break
    return snapped


def _rounded(geometries: Geometries) -> Geometries:
    return np.asarray(shapely.transform(geometries, lambda points: points.round(2)), object)


def _nuclei(annotations: Sequence[Annotation], offset: Offset) -> dict[int, msgspec.Raw]:
    """Return the second outline of each cell that has a sound one; QuPath refuses a file for an unsound one."""
    given = {
        at: each.extra["feature"][NUCLEUS]
        for at, each in enumerate(annotations)
        if NUCLEUS in each.extra.get("feature", {})
    }
    read = geometries_from(list(given.values()), offset=offset)
    sound = [
        (at, each)
        for at, each in zip(given, read, strict=True)
        if isinstance(each, Polygon | MultiPolygon)
    ]
    ready = on_grid(np.array([each for _, each in sound], object))
    left = ~shapely.is_empty(ready)
    texts = shapely.to_geojson(ready[left]).tolist()
    places = [at for (at, _), kept in zip(sound, left.tolist(), strict=True) if kept]
    return {at: msgspec.Raw(text.encode()) for at, text in zip(places, texts, strict=True)}


def _feature(
    annotation: Annotation, geometry: str, taxonomy: Taxonomy, nucleus: msgspec.Raw | None
) -> dict[str, Any]:
    beside = {k: each for k, each in annotation.extra.get("feature", {}).items() if k != NUCLEUS}
    if nucleus:
        beside[NUCLEUS] = nucleus
    return {
        "type": "Feature",
        "id": _id(annotation.id),
        "geometry": _geometry(annotation, geometry),
        **beside,
        "properties": _properties(annotation, taxonomy),
    }


def _id(given: str) -> str:
    try:
        return str(UUID(given))
    except ValueError:
        return str(uuid4())


def _geometry(annotation: Annotation, text: str) -> msgspec.Raw:
    """Return the geometry with what QuPath writes into it: an ellipse is its 100-gon and a mark."""
    marks: dict[str, Any] = {}
    if annotation.ellipse and text.startswith('{"type":"Polygon"'):
        marks["isEllipse"] = True
    if plane := annotation.extra.get("plane"):
        marks["plane"] = plane
    if not marks:
        return msgspec.Raw(text.encode())
    return msgspec.Raw(text.encode()[:-1] + b"," + msgspec.json.encode(marks)[1:])


def _properties(annotation: Annotation, taxonomy: Taxonomy) -> dict[str, Any]:
    foreign = annotation.extra.get("properties", {})
    properties = {key: each for key, each in foreign.items() if key not in _MISREAD}
    kind = annotation.kind if annotation.kind in _KINDS else "annotation"
    properties["objectType"] = kind
    if annotation.name is not None:
        properties["name"] = annotation.name
    if names := class_names(annotation.class_name or ""):
        properties["classification"] = _classification(names, annotation, taxonomy)
    if annotation.colour and not _colours_its_class(annotation, taxonomy):
        properties["color"] = list(annotation.colour)
    if annotation.locked:
        properties["isLocked"] = True
    if annotation.measurements:
        properties["measurements"] = {k: _number(v) for k, v in annotation.measurements.items()}
    if annotation.metadata:
        properties["metadata"] = {key: str(value) for key, value in annotation.metadata.items()}
    return properties


def _colours_its_class(annotation: Annotation, taxonomy: Taxonomy) -> bool:
    """Whether the colour of an annotation is that of its class, because the class is not ours."""
    return bool(annotation.class_name) and taxonomy.find(annotation.class_name or "") is None


def class_names(class_name: str) -> list[str]:
    """Return the parts of a class name, between colons, which QuPath forbids as it does line breaks."""
    parts = " ".join(class_name.splitlines()).split(":")
    return [part.strip() for part in parts if part.strip()]


def _classification(names: list[str], annotation: Annotation, taxonomy: Taxonomy) -> dict[str, Any]:
    if ours := taxonomy.find(": ".join(names)):
        return {"name": ours.qupath, "color": list(ours.colour)}
    colour = list(annotation.colour or colour_for(": ".join(names)))
    return (
        {"names": names, "color": colour} if len(names) > 1 else {"name": names[0], "color": colour}
    )


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
