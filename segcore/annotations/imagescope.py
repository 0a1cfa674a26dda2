"""Aperio ImageScope's XML: layers of regions, in level-0 pixels of the full slide."""

from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.asap import cut_out
from segcore.annotations.geojson_geometry import geometry_from, repaired
from segcore.annotations.geojson_reading import ReadReport
from segcore.annotations.model import Annotation
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.annotations.xml_files import read_root
from segcore.errors import AnnotationError

ROOT = "Annotations"
_ELLIPSE = "2"
_LINES = ("3", "4")
"""Arrow and ruler."""
_HOLE = "\0hole"
"""No class of a file can be called so: XML knows no such character."""


def read_imagescope(
    path: str | Path, taxonomy: Taxonomy | None = None
) -> tuple[list[Annotation], ReadReport]:
    """Read ImageScope's XML; regions that are unsound are left out and listed.

    A region's class is what its attribute, its text or its layer says; negative regions are holes in their
    layer. Raises AnnotationError where the file is no ImageScope file at all.
    """
    path = Path(path)
    root = read_root(path)
    if root.tag != ROOT:
        raise AnnotationError(
            f"{path.name} is no file of ImageScope; choose an XML file that ImageScope saved."
        )
    taxonomy = taxonomy or load_taxonomy()
    found: list[Annotation] = []
    skipped: list[str] = []
    count = 0
    for layer in root.iter("Annotation"):
        regions = []
        for region in layer.iter("Region"):
            count += 1
            try:
                regions.append(_annotation(region, layer, taxonomy))
            except AnnotationError as error:
                skipped.append(f"Region {count} was left out: {error}.")
        found += cut_out(regions, {_HOLE})
    return found, ReadReport(count, tuple(skipped))


def _annotation(region: Any, layer: Any, taxonomy: Taxonomy) -> Annotation:
    said = _class_of(region, layer)
    ours = taxonomy.find(said) if said else None
    negative = region.get("NegativeROA") == "1"
    return Annotation(
        _geometry(region),
        class_name=_HOLE if negative else ours.name if ours else said or None,
        name=region.get("Text") or None,
    )


def _class_of(region: Any, layer: Any) -> str:
    said = [each.get("Value") for each in region.iterfind("Attributes/Attribute")]
    said += [region.get("Text"), layer.get("Name")]
    said += [each.get("Name") for each in layer.iterfind("Attributes/Attribute")]
    return next((each.strip() for each in said if each and each.strip()), "")


def _geometry(region: Any) -> BaseGeometry:
    try:
        points = [[float(each.get("X")), float(each.get("Y"))] for each in region.iter("Vertex")]
    except (TypeError, ValueError) as error:
        raise AnnotationError("its vertices are no numbers") from error
    kind = region.get("Type", "0")
    if kind in _LINES and len(points) < 3:
        raise AnnotationError("it is an arrow or a ruler")
    if len(points) == 2:  # the corners of the box around it
        (x0, y0), (x1, y1) = points
        points = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    geometry = geometry_from({"type": "Polygon", "coordinates": [points]})
    if kind == _ELLIPSE:
        geometry = _ellipse(*geometry.bounds)
    return geometry if shapely.is_valid(geometry) else repaired(geometry)


def _ellipse(left: float, top: float, right: float, bottom: float) -> BaseGeometry:
    circle = shapely.Point(0, 0).buffer(1, quad_segs=32)
    wide, high = (right - left) / 2, (bottom - top) / 2
    return shapely.transform(circle, lambda at: at * (wide, high) + (left + wide, top + high))
