"""A written file, read again and compared with what it should hold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from segcore.annotations.files import read_annotations_report
from segcore.annotations.formats import Format, Origin, Task, format_for
from segcore.annotations.formats.pieces import UNCLASSIFIED
from segcore.annotations.geojson_writing import class_names
from segcore.annotations.model import Annotation
from segcore.annotations.reports import Written
from segcore.annotations.taxonomy import Taxonomy, load_taxonomy
from segcore.errors import AnnotationError
from segcore.progress import Report, silent
from segcore.slides.base import Slide

_GRID = 0.02
"""Level-0 pixels by which a file may move an outline: formats round to 0.01 pixels or to nanometres."""
_ROUND = 0.01
"""Share of its area by which an ellipse may differ, which every format makes a polygon of its own from."""
_SIZES = ("an area of {:,.1f} pixels", "a length of {:,.1f} pixels", "{:,.0f} points")


@dataclass(frozen=True)
class Receipt:
    """What a file holds beside what it should."""

    written: int
    """Shapes that should be in the file."""
    found: int
    """Shapes that are."""
    differences: tuple[str, ...] = ()
    """A sentence each."""

    @property
    def ok(self) -> bool:
        return not self.differences

    @property
    def sentence(self) -> str:
        if not self.ok:
            return f"The file was read again and differs: {self.differences[0]}"
        if self.written == 0:
            return "The file was read again: it is empty, as it should be."
        return (
            f"The file was read again and compared: {self.found:,} of {self.written:,} shapes, "
            "their classes and areas are as they should be."
        )


def check_written(
    path: str | Path,
    annotations: Iterable[Annotation],
    written: Written,
    *,
    slide: Slide | None = None,
    origin: Origin | None = None,
    taxonomy: Taxonomy | None = None,
    format: Format | None = None,  # noqa: A002 - as `write_annotations` calls it
    mask_mpp: float = 0.5,
    report: Report = silent,
) -> Receipt:
    """Read a file again that `write_annotations` wrote with the same arguments, and compare.

    What is compared: how many shapes, and of each class the area, the length of lines, the number of points.
    """
    known = format or format_for(path)
    taxonomy = taxonomy or load_taxonomy()
    dropped = set(written.dropped)
    meant = [each for each in annotations if each.id not in dropped]
    count = written.features
    if known.drawn:
        meant = known.drawn(meant, Task(slide, origin, taxonomy, silent, mask_mpp))
        count = len(meant)
    try:
        found, read = read_annotations_report(
            path, slide=slide, origin=origin, taxonomy=taxonomy, report=report
        )
    except AnnotationError as error:
        return Receipt(count, 0, (str(error),))
    differences = [*read.skipped, *_differences(count, len(found), meant, found, taxonomy)]
    return Receipt(count, len(found), tuple(differences))


def _differences(
    count: int,
    found_count: int,
    meant: Sequence[Annotation],
    found: Sequence[Annotation],
    taxonomy: Taxonomy,
) -> Iterator[str]:
    if found_count != count:
        yield f"The number of shapes in it is {found_count:,} instead of {count:,}."
    wanted, room = _sizes(meant, taxonomy)
    there, _ = _sizes(found, taxonomy)
    nothing = np.zeros(3)
    for name in sorted(wanted.keys() | there.keys()):
        should, does = wanted.get(name, nothing), there.get(name, nothing)
        wrong = np.abs(should - does) > room.get(name, nothing) + 1e-6 * should
        for words, one, other in zip(
            np.array(_SIZES)[wrong], does[wrong].tolist(), should[wrong].tolist(), strict=True
        ):
            has, instead = words.format(one), words.format(other)
            yield f"The class {name or UNCLASSIFIED} has {has} instead of {instead}."


Sizes = dict[str, np.ndarray]
"""Of each class its area, the length of its lines, the number of its points."""


def _sizes(annotations: Sequence[Annotation], taxonomy: Taxonomy) -> tuple[Sizes, Sizes]:
    """Return sizes, and how much of each rounding may change."""
    sizes: Sizes = {}
    room: Sizes = {}
    if not annotations:
        return sizes, room
    geometries = np.array([each.geometry for each in annotations], object)
    wrong = ~shapely.is_valid(geometries)
    geometries[wrong] = shapely.make_valid(
        geometries[wrong], method="structure", keep_collapsed=False
    )
    areas, points = shapely.area(geometries), shapely.get_num_coordinates(geometries)
    of_lines, of_points = _lines_and_points(geometries)
    edges = shapely.length(geometries) * _GRID + _GRID**2
    round_ones = np.array([each.ellipse for each in annotations])
    area_room = edges + round_ones * areas * _ROUND
    line_room = np.where(of_lines > 0, points * _GRID * 2, 0)
    names = [_name(each, taxonomy) for each in annotations]
    for name in set(names):
        own = np.array([each == name for each in names])
        sizes[name] = np.array([areas[own].sum(), of_lines[own].sum(), of_points[own].sum()])
        room[name] = np.array([area_room[own].sum(), line_room[own].sum(), 0.0])
    return sizes, room


def _lines_and_points(geometries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of the lines and the number of the points of each geometry."""
    parts, owner = geometries, np.arange(len(geometries))
    while (shapely.get_type_id(parts) > 3).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owner = owner[index]
    dimensions = shapely.get_dimensions(parts)
    lengths = np.where(dimensions == 1, shapely.length(parts), 0)
    points = (dimensions == 0).astype(float)
    total = len(geometries)
    return np.bincount(owner, lengths, total), np.bincount(owner, points, total)


def _name(annotation: Annotation, taxonomy: Taxonomy) -> str:
    given = ": ".join(class_names(annotation.class_name or ""))
    known = taxonomy.find(given) if given else None
    return known.name if known else "" if given == UNCLASSIFIED else given
