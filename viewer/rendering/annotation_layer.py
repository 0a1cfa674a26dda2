"""Paints annotations: a few as vectors, a crowd from tiles that are drawn bit by bit.

Qt strokes some 5,000 outlines of nuclei a second, which is 40 in a frame that must stay smooth. More
are drawn once, by compiled code and ten times as fast, onto tiles that a pan moves and an edit renews
where it touches them. Both look alike, so nobody sees where the one ends and the other begins.
"""

import math
import threading
import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter

from segcore.annotations import Annotation
from segcore.annotations.taxonomy import parent_of
from viewer.document import Document
from viewer.document.spatial import Bounds, Rows, SpatialIndex
from viewer.rendering.annotation_marks import LINE, TILE_SIDE, Colours, Marks, marks, surroundings
from viewer.rendering.annotation_tiles import AnnotationTiles, Key
from viewer.rendering.annotation_vectors import AnnotationVectors
from viewer.rendering.viewport import Viewport

UNCLASSIFIED = QColor(255, 214, 10)
SELECTED = QColor(255, 255, 0)
SELECTED_LINE = 3.0
FEW, EACH = 4_000, 40
"""Vertices in view up to which vectors are drawn, where each outline counts as `EACH` more: about 8 ms."""
SLICE = 0.008  # seconds that one painting may spend on drawing tiles
TILE_BYTES = 128 * 2**20
WAIT = 30  # ms between looks whether the compiled code is there


class AnnotationLayer(QObject):
    """Paints the annotations of one document at a time, the selected ones above the others."""

    unfinished = Signal()
    """The last painting had not time for everything: paint again."""

    def __init__(self, colours: Mapping[str, tuple[int, int, int]]) -> None:
        super().__init__()
        self._colours: dict[str, QColor] = {}
        self._vectors = AnnotationVectors()
        self._tiles = AnnotationTiles(TILE_BYTES)
        self._chosen_tiles = AnnotationTiles(TILE_BYTES)
        self._index: SpatialIndex | None = None
        self._version = 0
        self._ratio = 1.0
        self._selected: Collection[str] = ()
        self._raster = _Raster()
        self._later = QTimer(self, singleShot=True, interval=WAIT)
        self._later.timeout.connect(self.unfinished)
        self.set_colours(colours)

    def set_colours(self, colours: Mapping[str, tuple[int, int, int]]) -> None:
        """Draw each class in its colour from now on; a derived one that has none in that of its parent."""
        self._colours = {name: QColor(*rgb) for name, rgb in colours.items()}
        self.forget()

    def paint(
        self,
        painter: QPainter,
        view: Viewport,
        document: Document,
        selected: Collection[str],
        *,
        lifted: Collection[str] = (),
        at_once: bool = False,
    ) -> bool:
        """Paint into an upright view; return whether everything was painted, which `at_once` waits for.

        `lifted` are in somebody's hand and shown there; a crowd keeps showing where they were.
        """
        self._follow(document.spatial, _device_ratio(painter), selected)
        deadline = math.inf if at_once else time.monotonic() + SLICE
        few = _few(document.spatial, view)
        if few is not None:
            annotations = few.annotations
            others = [each for each in annotations if each.id not in selected]
            chosen = [each for each in annotations if each.id in selected]
            self._vectors.paint(painter, view, others, self.colour)
            complete = True
        else:
            chosen = _few_chosen(document, selected)
            complete = self._paint_tiles(painter, view, deadline, selected, many=chosen is None)
        shown = [each for each in chosen or () if each.id not in lifted]
        self._vectors.paint(painter, view, shown, lambda _: SELECTED, line=SELECTED_LINE)
        return complete

    def forget(self) -> None:
        """Let go of the document and all that was drawn of it."""
        self._index = None
        self._selected = ()
        self._vectors.forget()
        self._tiles.clear()
        self._chosen_tiles.clear()

    def colour(self, annotation: Annotation) -> QColor:
        """Return the annotation's own colour, its class's, or that of the unclassified."""
        return self._colour(annotation.class_name, annotation.colour)

    def class_colour(self, name: str | None) -> QColor:
        """Return the colour of a class, or that of the unclassified."""
        return self._colour(name, None)

    def _colour(self, class_name: str | None, own: tuple[int, int, int] | None) -> QColor:
        if own is not None:
            return QColor(*own)
        while class_name and class_name not in self._colours:
            class_name = parent_of(class_name)
        return self._colours.get(class_name or "", UNCLASSIFIED)

    def _follow(self, index: SpatialIndex, ratio: float, selected: Collection[str]) -> None:
        """Drop or renew what does not show the document as it is now."""
        if index is not self._index or ratio != self._ratio:
            self.forget()
            self._index, self._ratio, self._version = index, ratio, index.version
        touched = index.touched_since(self._version)
        self._version = index.version
        if selected is not self._selected:
            self._chosen_tiles.clear()
            self._selected = selected
        for tiles in (self._tiles, self._chosen_tiles):
            if touched is None:
                tiles.clear()
            else:
                tiles.invalidate(touched, ratio)

    def _paint_tiles(
        self,
        painter: QPainter,
        view: Viewport,
        deadline: float,
        selected: Collection[str],
        *,
        many: bool,
    ) -> bool:
        if not self._raster.ready(wait=deadline == math.inf):
            self._later.start()
            return False
        complete = self._tiles.paint(painter, view, self._ratio, self._draw, deadline)
        if many:
            draw = partial(self._draw, only=selected)
            complete &= self._chosen_tiles.paint(painter, view, self._ratio, draw, deadline)
        if not complete:
            self.unfinished.emit()
        return complete

    def _draw(self, key: Key, only: Collection[str] | None = None) -> QImage | None:
        """Draw a tile of all annotations or, as selected, of those with the ids `only`."""
        index = self._index
        assert index is not None  # noqa: S101 - tiles are painted after `_follow`
        scale = key.scale * self._ratio
        rows = index.rows(surroundings(key.bounds, scale))
        if only is not None:
            rows = rows.chosen(only)
        if not len(rows):
            return None
        palette = self._palette(index, chosen=only is not None)
        pixels = self._raster.draw_tile(
            marks(rows, palette, scale, key.bounds),
            origin=key.bounds[:2],
            scale=key.scale,
            ratio=self._ratio,
            line=LINE if only is None else SELECTED_LINE,
        )
        kind = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, TILE_SIDE, TILE_SIDE, 4 * TILE_SIDE, kind).copy()

    def _palette(self, index: SpatialIndex, *, chosen: bool) -> Colours:
        """Return a colour for each of the looks of `index`."""
        colours = [SELECTED if chosen else self._colour(*look) for look in index.looks]
        rgb = [(each.red(), each.green(), each.blue()) for each in colours]
        return np.array(rgb, np.uint8).reshape(-1, 3)


class _Raster:
    """The compiled code, which is loaded on a thread when it is first needed."""

    def __init__(self) -> None:
        self._loading: threading.Thread | None = None

    def ready(self, *, wait: bool) -> bool:
        if self._loading is None:
            self._loading = threading.Thread(target=self._load, name="raster", daemon=True)
            self._loading.start()
        if wait:
            self._loading.join()
        return not self._loading.is_alive()

    @staticmethod
    def draw_tile(marks: Marks, **place: Any) -> npt.NDArray[np.uint32]:
        from viewer.rendering import annotation_raster  # noqa: PLC0415 - see the module

        return annotation_raster.draw_tile(marks, **place)

    @staticmethod
    def _load() -> None:
        from viewer.rendering import annotation_raster  # noqa: PLC0415 - see the module

        annotation_raster.warm_up()


def _few(index: SpatialIndex, view: Viewport) -> Rows | None:
    """Return what is in view if it is little enough for vectors."""
    for part in (1 / 16, 1 / 4, 1):  # a crowd shows itself before everybody is counted
        rows = index.rows(surroundings(_middle(view, part), view.scale))
        if _cost(rows) > FEW:
            return None
    return rows


def _middle(view: Viewport, part: float) -> Bounds:
    left, top, right, bottom = view.visible
    x, y = (right - left) * part / 2, (bottom - top) * part / 2
    return view.x - x, view.y - y, view.x + x, view.y + y


def _few_chosen(document: Document, ids: Collection[str]) -> list[Annotation] | None:
    """Return the selected annotations if they are few enough for vectors."""
    if len(ids) * EACH > FEW:
        return None
    held = document.annotations
    chosen = [held[key] for key in ids if key in held]
    shapes = np.array([each.geometry for each in chosen], object)
    cost = int(shapely.get_num_coordinates(shapes).sum()) + EACH * len(shapes)
    return chosen if cost <= FEW else None


def _cost(rows: Rows) -> int:
    return int(rows.vertices.sum()) + EACH * len(rows)


def _device_ratio(painter: QPainter) -> float:
    """Return how many device pixels a logical pixel is, on a screen or in a picture drawn larger."""
    return round(math.sqrt(abs(painter.deviceTransform().determinant())), 6)
