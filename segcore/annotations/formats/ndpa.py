"""Hamamatsu's NDPA: nanometres from the centre of the glass slide, so that nothing is known without the slide."""

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import colour_from
from segcore.annotations.formats.ellipses import ellipse
from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.formats.holes import less
from segcore.annotations.formats.pieces import (
    AREAS,
    LINES,
    POINTS,
    colour_of,
    corners,
    hexadecimal,
    pieces,
)
from segcore.annotations.geojson_geometry import FARTHEST, geometry_from, repaired
from segcore.annotations.model import NOTES, Annotation
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy
from segcore.annotations.xml_files import root_of, root_tag, write_root
from segcore.errors import AnnotationError
from segcore.slides.base import Glass, Slide

ROOT = "annotations"
TITLE = "Hamamatsu NDPA"
HOLE = "clear"
"""The title by which converters mark what is taken out of the area around it; NDP.view knows no holes."""
_OF = "of "
"""In the details of a hole, before the number of the view that it is taken out of."""
_NAME = "Name: "
"""Begins the first line of the details where an annotation has a name besides its class."""

ToPixels = Callable[[float, float], list[float]]


def read(source: Source, task: Task) -> Found:
    """Read NDPA; the title is the class, the details are the notes."""
    place = _to_pixels(task.slide, source.name)
    root = root_of(source.data, source.name)
    if root.tag != ROOT:
        raise AnnotationError(f"{source.name} is no NDPA; choose a file that NDP.view saved.")
    found: list[Annotation] = []
    skipped: list[str] = []
    holes: list[tuple[Any, BaseGeometry]] = []
    by_number: dict[str, Annotation] = {}
    views = list(root.iter("ndpviewstate"))
    for number, view in enumerate(views, 1):
        try:
            geometry, is_hole = _geometry(view, place)
        except AnnotationError as error:
            skipped.append(f"Annotation {number} was left out: {error}.")
        else:
            if is_hole:
                holes.append((view, geometry))
            else:
                found.append(_annotation(view, geometry, task.taxonomy))
                by_number[f"{_OF}{view.get('id')}"] = found[-1]
    return _cut(found, holes, by_number), ReadReport(len(views), tuple(skipped))


def _cut(
    found: list[Annotation], holes: list[tuple[Any, BaseGeometry]], named: dict[str, Annotation]
) -> list[Annotation]:
    """Take each hole out of the area that its details name, else out of the smallest one around it."""
    areas = sorted((each for each in found if each.geometry.area), key=lambda a: a.geometry.area)
    of: dict[str, list[BaseGeometry]] = {}
    for view, hole in holes:
        owner = named.get(view.findtext("details") or "")
        around = owner or next((each for each in areas if each.geometry.covers(hole)), None)
        if around:
            of.setdefault(around.id, []).append(hole)
    return [each.with_(geometry=less(each.geometry, of.get(each.id, []))) for each in found]


def glass_of(slide: Slide | None, name: str) -> Glass:
    """Return where the picture lies on its glass; raises AnnotationError where the slide does not say."""
    if slide is None:
        raise AnnotationError(
            f"{name} measures from the centre of its glass slide; open or name the NDPI slide too."
        )
    if slide.glass is None:
        raise AnnotationError(
            f"{slide.path.name} does not say where it lies on its glass; use the NDPI slide itself."
        )
    return slide.glass


def _to_pixels(slide: Slide | None, name: str) -> ToPixels:
    glass = glass_of(slide, name)
    width, height = slide.dimensions if slide else (0, 0)

    def place(x: float, y: float) -> list[float]:
        return [
            (x - glass.x) / (glass.mpp_x * 1000) + width / 2,
            (y - glass.y) / (glass.mpp_y * 1000) + height / 2,
        ]

    return place


def _annotation(view: Any, geometry: BaseGeometry, taxonomy: Taxonomy) -> Annotation:
    title = (view.findtext("title") or "").strip()
    first, _, rest = (view.findtext("details") or "").strip().partition("\n")
    named = first.startswith(_NAME)
    notes = rest if named else "\n".join(filter(None, (first, rest)))
    mark = view.find("annotation")
    ours = taxonomy.find(title) if title else None
    return Annotation(
        geometry,
        class_name=ours.name if ours else title or None,
        name=first.removeprefix(_NAME) if named else None,
        colour=None if ours else colour_from(mark.get("color")),
        ellipse=mark.get("type") == "circle",
        metadata={NOTES: notes} if notes else {},
    )


def _geometry(view: Any, place: ToPixels) -> tuple[BaseGeometry, bool]:
    """Return the shape of a view, and whether it is taken out of another."""
    mark = view.find("annotation")
    if mark is None:
        raise AnnotationError("it has no shape")
    kind = mark.get("type", "")
    if kind not in _SHAPES:
        raise AnnotationError(f"its type is {kind[:40]!r}")
    try:
        geometry = _SHAPES[kind](mark, place)
    except (TypeError, ValueError) as error:
        raise AnnotationError("its coordinates are no numbers") from error
    if not all(abs(each) <= FARTHEST for each in geometry.bounds):
        raise AnnotationError("its coordinates are no numbers or lie outside any slide")
    sound = geometry if shapely.is_valid(geometry) else repaired(geometry)
    return sound, (view.findtext("title") or "").strip() == HOLE


def _point(element: Any, place: ToPixels, suffix: str = "") -> list[float]:
    return place(float(element.findtext(f"x{suffix}")), float(element.findtext(f"y{suffix}")))


def _freehand(mark: Any, place: ToPixels) -> BaseGeometry:
    points = [_point(each, place) for each in mark.iterfind("pointlist/point")]
    closed = mark.findtext("closed") != "0"
    coordinates = [points] if closed else points
    return geometry_from(
        {"type": "Polygon" if closed else "LineString", "coordinates": coordinates}
    )


def _circle(mark: Any, place: ToPixels) -> BaseGeometry:
    x, y, radius = (float(mark.findtext(each)) for each in ("x", "y", "radius"))
    if not radius > 0:
        raise AnnotationError("it has no size")
    (left, top), (right, bottom) = place(x - radius, y - radius), place(x + radius, y + radius)
    return ellipse((left, top, right, bottom))


def _line(mark: Any, place: ToPixels) -> BaseGeometry:
    ends = [_point(mark, place, each) for each in "12"]
    return geometry_from({"type": "LineString", "coordinates": ends})


def _pin(mark: Any, place: ToPixels) -> BaseGeometry:
    return geometry_from({"type": "Point", "coordinates": _point(mark, place)})


_SHAPES: dict[str, Callable[[Any, ToPixels], BaseGeometry]] = {
    "freehand": _freehand,
    "circle": _circle,
    "linearmeasure": _line,
    "pin": _pin,
    "pointer": lambda mark, place: (_pin if mark.find("x") is not None else _line)(mark, place),
}


def write(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write NDPA; holes follow what they are taken out of, titled "clear"."""
    glass = glass_of(task.slide, "An NDPA file")
    width, height = task.slide.dimensions if task.slide else (0, 0)
    size = np.array([glass.mpp_x, glass.mpp_y]) * 1000
    parts, written = pieces(annotations, TITLE, {AREAS, LINES, POINTS})
    root = ET.Element(ROOT)
    count = 0
    for annotation, geometry in parts:
        placed = shapely.transform(
            geometry, lambda at: (at - (width / 2, height / 2)) * size + (glass.x, glass.y)
        )
        colour = hexadecimal(colour_of(annotation, task.taxonomy))
        for shape in shapely.get_parts(placed):
            count += 1
            _append(root, _head(annotation), shape, colour)
        number = len(root)
        for hole in getattr(placed, "interiors", ()):
            _append(root, (HOLE, f"{_OF}{number}"), shapely.Polygon(hole), "#000000")
    write_root(file, root)
    return written._replace(features=count)


def _head(annotation: Annotation) -> tuple[str, str]:
    """Return title and details."""
    lines = [_NAME + annotation.name] if annotation.name else []
    return annotation.class_name or "", "\n".join([*lines, *filter(None, [annotation.notes])])


def _append(root: ET.Element, head: tuple[str, str], shape: BaseGeometry, colour: str) -> None:
    x, y = shapely.get_coordinates(shape.representative_point())[0].tolist()
    view = ET.SubElement(root, "ndpviewstate", id=str(len(root) + 1))
    for name, value in (
        ("title", head[0]), ("details", head[1]), ("coordformat", "nanometers"), ("lens", "20"),
        ("x", f"{x:.0f}"), ("y", f"{y:.0f}"), ("z", "0"), ("showtitle", "0"), ("showhistogram", "0"),
        ("showlineprofile", "0"),
    ):  # fmt: skip
        ET.SubElement(view, name).text = value
    if shape.geom_type == "Point":
        mark = ET.SubElement(
            view, "annotation", type="pin", displayname="AnnotatePin", color=colour
        )
        _place(mark, x, y)
        ET.SubElement(mark, "icon").text = "pinblue"
        ET.SubElement(mark, "stricon").text = "iconpinblue"
        return
    _append_outline(view, shape, colour)


def _append_outline(view: ET.Element, shape: BaseGeometry, colour: str) -> None:
    closed = shape.geom_type == "Polygon"
    kind = "AnnotateFreehand" if closed else "AnnotateFreehandLine"
    mark = ET.SubElement(view, "annotation", type="freehand", displayname=kind, color=colour)
    ET.SubElement(mark, "measuretype").text = "0"
    ET.SubElement(mark, "closed").text = str(int(closed))
    points = ET.SubElement(mark, "pointlist")
    for x, y in corners(getattr(shape, "exterior", shape)):
        _place(ET.SubElement(points, "point"), x, y)


def _place(element: ET.Element, x: float, y: float) -> None:
    """Write whole nanometres, as NDP.view does."""
    ET.SubElement(element, "x").text = f"{x:.0f}"
    ET.SubElement(element, "y").text = f"{y:.0f}"


FORMAT = Format(
    name="ndpa",
    title=TITLE,
    suffixes=(".ndpa", ".ndpi.ndpa"),
    about="Keeps outlines, classes as titles, names and notes as details, colours; needs the NDPI slide.",
    recognises=lambda head: root_tag(head) == ROOT,
    read=read,
    write=write,
    origin=None,
    keeps=frozenset({"name", "colour", "metadata"}),
    needs_slide=True,
)
