"""What is marked on a slide, as classes of a data set: from annotation files to a mask of any window."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation, load_taxonomy, read_annotations_report
from segcore.annotations.formats.asap import ROOT as ASAP
from segcore.annotations.formats.asap import read_asap
from segcore.annotations.formats.imagescope import read_imagescope
from segcore.annotations.raster import rasterize
from segcore.annotations.reports import ReadReport
from segcore.annotations.xml_files import read_root
from segcore.data.pictures import Codes
from segcore.slides import Slide
from segcore.slides.tissue import Tissue

ANNOTATIONS = (".geojson", ".json", ".geojson.gz", ".json.gz", ".geojson.zip", ".zip", ".xml")


class Kind(NamedTuple):
    """What an area is: its class code, and its label where the data set classifies pictures."""

    code: int
    label: str = ""


Classify = Callable[[Annotation], Kind | None]
"""Tells what an annotation is, None where the data set says nothing of its kind."""


def code_of(name: str) -> int:
    """Return the class code of a class of the breast taxonomy."""
    return load_taxonomy().named(name).code


def by_class(annotation: Annotation) -> Kind | None:
    """Classify by the classes of the taxonomy."""
    found = load_taxonomy().find(annotation.class_name or "")
    return Kind(found.code) if found else None


def read_regions(path: Path, slide: Slide) -> tuple[list[Annotation], ReadReport]:
    """Read GeoJSON, ASAP's or ImageScope's XML into level-0 pixels; raises AnnotationError."""
    if path.suffix.lower() != ".xml":
        return read_annotations_report(path, slide=slide)
    return read_asap(path) if read_root(path).tag == ASAP else read_imagescope(path)


@dataclass(frozen=True, slots=True)
class Window:
    """A square of `side` pixels of `scale` level-0 pixels each, on the slide-wide grid from (0, 0)."""

    column: int
    row: int
    side: int
    scale: float

    @property
    def left(self) -> float:
        return self.column * self.scale

    @property
    def top(self) -> float:
        return self.row * self.scale

    @property
    def box(self) -> BaseGeometry:
        size = self.side * self.scale
        return shapely.box(self.left, self.top, self.left + size, self.top + size)


@dataclass(frozen=True, eq=False)
class RegionMap:
    """The areas of a slide with their kinds; later ones lie over earlier ones.

    With `rest` and `tissue`, the tissue that nothing covers is of that kind, and bare glass is "Other".
    """

    areas: list[tuple[Kind, BaseGeometry]]
    rest: Kind | None = None
    tissue: Tissue | None = None

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([geometry for _, geometry in self.areas])

    @cached_property
    def _kinds(self) -> list[Kind]:
        """Unlabelled, bare glass and the rest, then those of the areas, each once."""
        first = [Kind(0), Kind(code_of("Other")), self.rest or Kind(0)]
        return first + list(dict.fromkeys(kind for kind, _ in self.areas))

    def touches(self, window: Window) -> bool:
        return bool(len(self._tree.query(window.box, predicate="intersects")))

    def tissue_share(self, window: Window) -> float:
        return float(self._tissue(window).mean()) if self.tissue else 0.0

    def paint(self, window: Window) -> tuple[Codes, str]:
        """Return the mask of a window, and the label that most of its labelled pixels have."""
        kinds = self._kinds
        touching = sorted(self._tree.query(window.box).tolist())
        shapes = [
            (kinds.index(kind, 3), area) for kind, area in map(self.areas.__getitem__, touching)
        ]
        painted = rasterize(
            shapes,
            shape=(window.side, window.side),
            column=window.column,
            row=window.row,
            scale=window.scale,
        )
        if self.rest and self.tissue:
            painted = np.where(painted, painted, 1 + self._tissue(window)).astype(np.uint8)
        counts = np.bincount(painted.ravel(), minlength=len(kinds))
        labelled = [
            (int(n), kind.label) for n, kind in zip(counts, kinds, strict=True) if kind.label
        ]
        label = max(labelled, key=lambda each: each[0], default=(0, ""))
        codes = np.array([kind.code for kind in kinds], np.uint8)[painted]
        return codes, label[1] if label[0] else ""

    def _tissue(self, window: Window) -> np.ndarray:
        assert self.tissue  # noqa: S101 - asked for only where there is one
        return self.tissue.window(
            left=window.left,
            top=window.top,
            scale=window.scale,
            width=window.side,
            height=window.side,
        )
