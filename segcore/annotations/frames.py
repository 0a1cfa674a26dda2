"""Where a file has its corner: full slides and scanned regions, told apart by what lies where."""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely

from segcore.annotations.model import Annotation
from segcore.slides.base import Slide

_FRAMES = (("bounds", "the scanned region", 1), ("full", "the whole slide", -1))


def doubts_of_frame(annotations: Sequence[Annotation], slide: Slide | None) -> Iterator[str]:
    """Yield a sentence where annotations do not lie within the scanned region of the slide.

    One of which the middle lies within it does.
    """
    if slide is None or not annotations:
        return
    boxes = shapely.bounds(np.array([each.geometry for each in annotations], object))
    here = _outside(boxes, slide)
    if not here:
        return
    lie = f"{here:,} of {len(annotations):,} annotations lie" if here > 1 else "One annotation lies"
    outside = f"{lie} outside the scanned part of {slide.path.name}"
    for origin, frame, sign in _FRAMES if any(slide.bounds[:2]) else ():
        moved = boxes + np.tile(np.array(slide.bounds[:2], float) * sign, 2)
        if _outside(moved, slide) <= 0.01 * here:
            yield f'{outside}, but inside where the file counts from the corner of {frame}: read it with the frame "{origin}".'
            return
    all_out = here == len(annotations)
    yield f"{outside}; check that the file belongs to this slide." if all_out else f"{outside}."


def _outside(boxes: np.ndarray, slide: Slide) -> int:
    """Return how many boxes (left, top, right, bottom) have their middle outside the scanned region."""
    left, top, width, height = slide.bounds
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = (x >= left) & (x <= left + width) & (y >= top) & (y <= top + height)
    return int((~inside).sum())
