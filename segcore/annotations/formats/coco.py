"""COCO's JSON: polygons and run lengths of the pictures of a data set, in pixels of each picture."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from segcore.annotations.colours import colour_from
from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.formats.json_documents import parsed, says
from segcore.annotations.formats.pieces import (
    AREAS,
    UNCLASSIFIED,
    colour_of,
    hexadecimal,
    pieces,
)
from segcore.annotations.formats.run_lengths import counts_from, mask_from
from segcore.annotations.geojson_geometry import FARTHEST, geometry_from, repaired, solid
from segcore.annotations.labelmap import LabelMap
from segcore.annotations.model import Annotation
from segcore.annotations.polygons import polygons_from_labels
from segcore.annotations.reports import ReadReport, Written
from segcore.errors import AnnotationError
from segcore.slides.base import Slide

TITLE = "COCO"


class _Picture(NamedTuple):
    """What the file says of one picture, and level-0 pixels per pixel of it."""

    id: Any
    name: str
    width: int
    height: int
    scale: float = 1.0


def read(source: Source, task: Task) -> Found:
    """Read the annotations of the picture that is called as the slide; of a single one without a slide."""
    document = parsed(source.data)
    if not isinstance(document, dict) or not isinstance(document.get("annotations"), list):
        raise AnnotationError("there is no list of annotations in it")
    picture, doubts = _picture(document, task.slide)
    categories = dict(_categories(document.get("categories")))
    found: list[Annotation] = []
    skipped: list[str] = []
    mended = 0
    own = [each for each in document["annotations"] if _is_of(each, picture)]
    for number, member in enumerate(own, 1):
        try:
            geometry, was_mended = _geometry(member, picture)
        except AnnotationError as error:
            skipped.append(f"Annotation {number} was left out: {error}.")
            continue
        said, colour = categories.get(_key(member.get("category_id")), (UNCLASSIFIED, None))
        ours = task.taxonomy.find(said)
        class_name = ours.name if ours else None if said in {"", UNCLASSIFIED} else said
        found.append(Annotation(geometry, class_name=class_name, colour=None if ours else colour))
        mended += was_mended
    return found, ReadReport(len(own), tuple(skipped), mended, doubts)


def _picture(
    document: dict[str, Any], slide: Slide | None
) -> tuple[_Picture | None, tuple[str, ...]]:
    """Return the picture to read and what is odd about it; None where the file lists none."""
    listed = document.get("images")
    members = listed if isinstance(listed, list) else []
    pictures = [_picture_of(each) for each in members if isinstance(each, dict)]
    if not pictures:
        return None, ()
    called = [each for each in pictures if slide and _stem(each.name) == slide.name.casefold()]
    if not called and len(pictures) > 1:
        names = ", ".join(each.name[:60] for each in pictures[:3])
        raise AnnotationError(
            f"it is about {len(pictures)} pictures ({names} and so on), none of which is this slide"
            if slide
            else f"it is about {len(pictures)} pictures; open or name the slide, by which one is chosen"
        )
    picture = (called or pictures)[0]
    return _scaled(picture, slide, is_called=bool(called)) if slide else (picture, ())


def _picture_of(member: dict[str, Any]) -> _Picture:
    width, height = (
        each if type(each) is int else 0 for each in map(member.get, ("width", "height"))
    )
    return _Picture(_key(member.get("id")), str(member.get("file_name", "")), width, height)


def _scaled(
    picture: _Picture, slide: Slide, *, is_called: bool
) -> tuple[_Picture, tuple[str, ...]]:
    doubts = []
    if not is_called:
        doubts.append(f"The file is about {picture.name[:60]!r}, not about {slide.path.name!r}.")
    sizes = (slide.dimensions, slide.bounds[2:])
    if picture.width <= 0 or (picture.width, picture.height) in sizes:
        return picture, tuple(doubts)
    across, down = slide.dimensions[0] / picture.width, slide.dimensions[1] / max(picture.height, 1)
    if abs(across - down) > 0.01 * across:
        doubts.append(
            f"The picture of the file has {picture.width} x {picture.height} pixels, which is no reduction of this slide."
        )
        return picture, tuple(doubts)
    doubts.append(
        f"The picture of the file is {across:.4g} times smaller; the shapes were enlarged."
    )
    return picture._replace(scale=across), tuple(doubts)


def _stem(name: str) -> str:
    """Return the last part of a name without its ending; it is compared only, never opened."""
    return PureWindowsPath(PurePosixPath(name).name).stem.casefold()


def _key(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _is_of(member: Any, picture: _Picture | None) -> bool:
    return isinstance(member, dict) and (
        picture is None or _key(member.get("image_id")) == picture.id
    )


def _categories(listed: Any) -> Iterator[tuple[Any, tuple[str, Any]]]:
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield _key(each.get("id")), (each["name"].strip(), colour_from(each.get("color")))


def _geometry(member: dict[str, Any], picture: _Picture | None) -> tuple[BaseGeometry, bool]:
    """Return the shape in level-0 pixels, and whether it was repaired."""
    segmentation = member.get("segmentation")
    mended = False
    if isinstance(segmentation, dict):
        geometry = _of_runs(segmentation)
    elif segmentation:
        geometry, mended = _of_polygons(segmentation)
    else:
        geometry = _of_box(member.get("bbox"))
    scale = picture.scale if picture else 1.0
    enlarged = shapely.transform(geometry, lambda at: at * scale) if scale != 1 else geometry
    if not all(abs(each) <= FARTHEST for each in enlarged.bounds):
        raise AnnotationError("its coordinates lie outside any slide")
    return enlarged, mended


def _of_runs(member: dict[str, Any]) -> BaseGeometry:
    size = member.get("size")
    if not isinstance(size, list) or [type(each) for each in size] != [int, int]:
        raise AnnotationError("its run lengths do not say their size")
    mask, left, top = mask_from(counts_from(member.get("counts")), width=size[1], height=size[0])
    labels = LabelMap(mask, left, top, 1.0, 1.0)
    return polygons_from_labels(labels, merge=True)[0][1]


def _of_polygons(lists: Any) -> tuple[BaseGeometry, bool]:
    """Return the union of polygons, each x, y, x, y and so on."""
    if not isinstance(lists, list):
        raise AnnotationError("its outline cannot be read")
    flat = [lists] if not isinstance(lists[0], list) else lists
    parts = []
    for each in flat:
        if not isinstance(each, list) or len(each) % 2:
            raise AnnotationError("its outline cannot be read")
        points = [list(pair) for pair in zip(each[::2], each[1::2], strict=True)]
        parts.append(geometry_from({"type": "Polygon", "coordinates": [points]}))
    sound = [each if shapely.is_valid(each) else repaired(each) for each in parts]
    mended = not all(shapely.is_valid(parts))
    if len(sound) == 1:
        return sound[0], mended
    union = shapely.union_all(sound)
    return (solid(union) if union.geom_type == "GeometryCollection" else union), mended


def _of_box(box: Any) -> BaseGeometry:
    if not isinstance(box, list) or len(box) != 4:
        raise AnnotationError("it has neither an outline nor a box")
    (x, y), (width, height) = shapely.get_coordinates(
        geometry_from({"type": "MultiPoint", "coordinates": [box[:2], box[2:]]})
    ).tolist()
    if not (width > 0 and height > 0):
        raise AnnotationError("its box is empty")
    return shapely.box(x, y, x + width, y + height)


def write(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write one picture, the slide, with polygons; areas with holes become several that touch."""
    fit, written = pieces(annotations, TITLE, {AREAS})
    categories: dict[str, dict[str, Any]] = {}
    members: dict[str, dict[str, Any]] = {}
    for annotation, geometry in fit:
        name = annotation.class_name or UNCLASSIFIED
        colour = hexadecimal(colour_of(annotation, task.taxonomy))
        category = categories.setdefault(
            name, {"id": len(categories) + 1, "name": name, "color": colour}
        )
        member = members.setdefault(
            annotation.id, _member(len(members) + 1, category["id"], annotation.geometry)
        )
        member["segmentation"] += [_flat(each) for each in without_holes(cast("Polygon", geometry))]
        member["area"] += geometry.area
    document = {
        "info": {"description": "Written by Acinus"},
        "images": [_image(annotations, task)],
        "categories": list(categories.values()),
        "annotations": list(members.values()),
    }
    file.write(msgspec.json.encode(document))
    return written._replace(features=len(members))


def _member(number: int, category: int, whole: BaseGeometry) -> dict[str, Any]:
    left, top, right, bottom = (round(each, 2) for each in whole.bounds)
    box = [left, top, round(right - left, 2), round(bottom - top, 2)]
    return {
        "id": number, "image_id": 1, "category_id": category, "iscrowd": 0, "bbox": box, "area": 0.0,
        "segmentation": [],
    }  # fmt: skip


def _image(annotations: Sequence[Annotation], task: Task) -> dict[str, Any]:
    if task.slide:
        bounds = task.origin == "bounds"
        width, height = task.slide.bounds[2:] if bounds else task.slide.dimensions
        return {"id": 1, "file_name": task.slide.path.name, "width": width, "height": height}
    ends = (
        shapely.total_bounds([each.geometry for each in annotations])[2:] if annotations else (0, 0)
    )
    width, height = (max(1, int(-(-each // 1))) if each == each else 1 for each in ends)  # noqa: PLR0124 - NaN where all are empty
    return {"id": 1, "file_name": "picture", "width": width, "height": height}


def without_holes(polygon: Polygon) -> list[Polygon]:
    """Cut a polygon from top to bottom through its holes until no part has one; COCO knows no holes."""
    if not polygon.interiors:
        return [polygon]
    holes = sorted(polygon.interiors, key=lambda each: each.centroid.x)
    left, top, right, bottom = polygon.bounds
    inside = holes[len(holes) // 2].bounds
    at = round((inside[0] + inside[2]) / 2, 2)
    found: list[Polygon] = []
    for low, high in ((left - 1, at), (at, right + 1)):
        half = polygon.intersection(shapely.box(low, top - 1, high, bottom + 1))
        for part in shapely.get_parts(half):
            if isinstance(part, Polygon):
                found += without_holes(part)
    return found


def _flat(polygon: Polygon) -> list[float]:
    return shapely.get_coordinates(polygon.exterior)[:-1].round(2).ravel().tolist()


FORMAT = Format(
    name="coco",
    title=TITLE,
    suffixes=(".coco.json", ".json"),
    about="Keeps areas and their classes as categories; it cannot hold lines, points or names, and names the slide's file.",
    recognises=lambda head: (
        not says(head, "coordinates")
        and (says(head, "segmentation") or says(head, "categories") or says(head, "image_id"))
    ),
    read=read,
    write=write,
    keeps=frozenset({"colour"}),
)
