"""Masks as files: a class code per pixel, read as areas along pixel edges and painted from areas."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import shapely
from PIL import Image, PngImagePlugin

from segcore.annotations.formats.format import Format, Found, Source, Task
from segcore.annotations.labelmap import LabelMap
from segcore.annotations.masks import read_mask, scale_and_mpp, trimmed, write_levels
from segcore.annotations.model import Annotation
from segcore.annotations.raster import rasterize
from segcore.annotations.reports import ReadReport, Written
from segcore.annotations.taxonomy import Taxonomy
from segcore.annotations.tracing import annotations_from_labels
from segcore.errors import AnnotationError, PixelSizeMissingError
from segcore.slides.base import Slide
from segcore.slides.raster import LARGEST

_MOST_PIXELS = 4 << 30
_MOST_TOLD = 20
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_CODES = frozenset({"L", "P", "1"})
"""Pillow's modes of 8 bits or fewer in one channel."""


def read_tiff(source: Source, task: Task) -> Found:
    return _traced(read_mask(source.path, slide=task.slide), task)


def read_png(source: Source, task: Task) -> Found:
    return _traced(read_png_mask(source.path, slide=task.slide), task)


def _traced(labels: LabelMap, task: Task) -> Found:
    found = annotations_from_labels(labels, task.taxonomy)
    doubts = tuple(_doubts(labels, task))
    return found, ReadReport(len(found), doubts=doubts)


def _doubts(labels: LabelMap, task: Task) -> Iterator[str]:
    known = {0} | {each.code for each in task.taxonomy.classes}
    values = np.flatnonzero(np.bincount(labels.labels.ravel(), minlength=1)).tolist()
    if unknown := [str(each) for each in values if each not in known]:
        yield (
            f"The values {', '.join(unknown)} are no classes of the taxonomy {task.taxonomy.name!r}; "
            "they became classes of their own."
        )
    if task.slide:
        right, bottom = labels.bounds[2:]
        width, height = task.slide.dimensions
        if right > width + labels.scale or bottom > height + labels.scale:
            yield "The mask is larger than the slide; check that it is a mask of this one."


def read_png_mask(path: Path, *, slide: Slide | None = None) -> LabelMap:
    """Read a PNG of class codes; a palette is only its colours. Scale and errors are as in `read_mask`."""
    try:
        with Image.open(path) as picture:
            _check_png(path, picture)
            own = _own_values(picture.info)
            width = picture.width
            labels, column, row = trimmed(np.asarray(picture).astype(np.uint8))
    except AnnotationError:
        raise
    except Exception as error:  # a damaged PNG raises almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise AnnotationError(
            f"{path.name} cannot be read as a mask: {reason}; export it again."
        ) from error
    scale, mpp = scale_and_mpp(path, own, width, None, slide)
    return LabelMap(labels, column, row, scale, mpp)


def _check_png(path: Path, picture: Image.Image) -> None:
    if picture.mode not in _CODES:
        raise AnnotationError(
            f"{path.name} is no mask: its pixels are {picture.mode}; choose one with a class code per pixel."
        )
    if picture.width * picture.height > LARGEST:
        raise AnnotationError(f"{path.name} is larger than {LARGEST:,} pixels; use an OME-TIFF.")


def _own_values(info: dict[Any, Any]) -> dict[str, float]:
    return {
        key: float(info[key])
        for key in ("acinus.scale", "acinus.mpp")
        if isinstance(info.get(key), str)
    }


def write_tiff(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    labels, written = painted(annotations, task)
    write_levels(file, [labels], _slide(task), task.taxonomy)
    return written


def write_png(file: BinaryIO, annotations: Sequence[Annotation], task: Task) -> Written:
    """Write one pixel for each of the mask grid of the whole slide, in the colours of the classes."""
    labels, written = painted(annotations, task)
    width, height = (math.ceil(side / labels.scale) for side in _slide(task).dimensions)
    if width * height > LARGEST:
        raise AnnotationError(
            f"A PNG of {width} x {height} pixels is too large; choose coarser pixels, or OME-TIFF."
        )
    whole = np.zeros((height, width), np.uint8)
    part = labels.labels[: height - labels.row, : width - labels.column]
    whole[labels.row :, labels.column :][: part.shape[0], : part.shape[1]] = part
    picture = Image.fromarray(whole)
    picture.putpalette(_palette(task.taxonomy))
    about = PngImagePlugin.PngInfo()
    about.add_text("acinus.scale", repr(labels.scale))
    about.add_text("acinus.mpp", repr(labels.mpp))
    picture.save(file, "PNG", pnginfo=about)
    return written


def _palette(taxonomy: Taxonomy) -> list[int]:
    colours = [(0, 0, 0)] + [(255, 255, 255)] * 255
    for each in taxonomy.classes:
        colours[each.code] = each.colour
    return [channel for colour in colours for channel in colour]


def _slide(task: Task) -> Slide:
    if task.slide is None:
        raise AnnotationError("A mask has the size of its slide; name the slide too.")
    return task.slide


def painted(annotations: Sequence[Annotation], task: Task) -> tuple[LabelMap, Written]:
    """Return the areas that have a class as a mask, in their order, and what became of the others."""
    slide = _slide(task)
    if slide.mpp is None:
        raise PixelSizeMissingError(
            f"{slide.path.name} does not say its pixel size; set it first, a mask needs it."
        )
    codes = {each.id: _code(each, task.taxonomy) for each in annotations}
    box = shapely.box(0, 0, *slide.dimensions)
    shapes = [
        (code, each.geometry) for each in annotations
        if (code := codes[each.id]) and each.geometry.area and each.geometry.intersects(box)
    ]  # fmt: skip
    if annotations and not shapes:
        raise AnnotationError(
            "No annotation is an area on the slide with a class that a mask knows; give them classes first."
        )
    kept = {id(geometry) for _, geometry in shapes}
    dropped = [each for each in annotations if id(each.geometry) not in kept]
    scale = task.mask_mpp / slide.mpp
    labels = _rasterised(shapes, slide, scale, task.mask_mpp)
    lost = tuple(_lost(dropped, codes, task.taxonomy))
    return labels, Written(len(shapes), tuple(each.id for each in dropped), lost)


def _code(annotation: Annotation, taxonomy: Taxonomy) -> int:
    found = taxonomy.find(annotation.class_name) if annotation.class_name else None
    return found.code if found else 0


def _lost(dropped: list[Annotation], codes: dict[str, int], taxonomy: Taxonomy) -> Iterator[str]:
    for each in dropped[:_MOST_TOLD]:
        known = codes[each.id]
        if not known:
            reason = f"has no class of the taxonomy {taxonomy.name!r}"
        else:
            reason = "lies outside the slide" if each.geometry.area else "is no area"
        yield f"The annotation {each.name or each.id} was left out: it {reason}."
    if len(dropped) > _MOST_TOLD:
        yield f"{len(dropped) - _MOST_TOLD:,} more were left out for such reasons."


def _rasterised(shapes: list[tuple[int, Any]], slide: Slide, scale: float, mpp: float) -> LabelMap:
    if not shapes:
        return LabelMap(np.zeros((1, 1), np.uint8), 0, 0, scale, mpp)
    left, top, right, bottom = shapely.total_bounds([each for _, each in shapes]).tolist()
    width, height = (math.ceil(side / scale) for side in slide.dimensions)
    column, row = max(0, math.floor(left / scale)), max(0, math.floor(top / scale))
    across = min(width, math.ceil(right / scale)) - column
    down = min(height, math.ceil(bottom / scale)) - row
    if across * down > _MOST_PIXELS:
        raise AnnotationError(
            f"A mask of {across} x {down} pixels is too large; choose coarser pixels."
        )
    labels = rasterize(shapes, shape=(down, across), column=column, row=row, scale=scale)
    return LabelMap(np.ascontiguousarray(labels), column, row, scale, mpp)


def _drawn(annotations: Sequence[Annotation], task: Task) -> list[Annotation]:
    """Return what is left of annotations as pixels: their centres inside, the later over the earlier."""
    return annotations_from_labels(painted(annotations, task)[0], task.taxonomy)


OME_TIFF = Format(
    name="ometiff",
    title="Mask (OME-TIFF)",
    suffixes=(".ome.tif", ".ome.tiff", ".tif", ".tiff"),
    about="A class code per pixel of the whole slide, with a pyramid; areas of known classes only.",
    recognises=lambda head: head.startswith(_TIFF),
    read=read_tiff,
    write=write_tiff,
    origin=None,
    needs_slide=True,
    is_picture=True,
    drawn=_drawn,
)
PNG = Format(
    name="png",
    title="Mask (PNG)",
    suffixes=(".png",),
    about="A class code per pixel of the whole slide, shown in the colours of the classes; areas of known classes only.",
    recognises=lambda head: head.startswith(_PNG),
    read=read_png,
    write=write_png,
    origin=None,
    needs_slide=True,
    is_picture=True,
    drawn=_drawn,
)
