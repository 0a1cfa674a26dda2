"""Magic select: grows over what the model takes for the same class as the place that is pressed."""

import numpy as np
import numpy.typing as npt
from shapely import Polygon

from segcore.annotations import Annotation
from segcore.annotations.shapes import Area, area_of, clip
from viewer.document import MAGIC, Edit, edits
from viewer.tools.base import Context, Gesture, Pointer, Probabilities, Refusal, Sketch
from viewer.tools.similar import border_of, region_around
from viewer.tools.stroke import Stroke

USUAL = 0.5
"""The probability that a place needs to belong to the region, before it is dragged."""
LOWEST = 0.02
REACH = 300.0
"""Screen pixels to drag for a change of 1 in probability."""


def magic(press: Pointer, context: Context) -> Gesture:
    """Press on tissue, drag right for more of it and left for less.

    An annotation gets the class that the model finds here; on the mask the chosen class is painted.
    """
    seen = context.tissue.probabilities(*press.point) if context.tissue is not None else None
    if seen is None:
        return Refusal(
            "Magic select needs the model, which is not loaded yet; segment a region once."
        )
    row, column = _pixel(seen, press)
    which = int(seen.values[:, row, column].argmax())
    here = float(seen.values[which, row, column])
    class_name = context.class_name if context.on_mask else seen.names[which]
    event, shape = press, Polygon()
    while event.kind != "release":
        least = least_probability(press, event, here)
        likeness = seen.values[which] - least
        region = region_around(likeness, column, row)
        shape = border_of(region, likeness, left=seen.left, top=seen.top, scale=seen.scale)
        cut = " · cut where the model's window ends" if _meets_border(region) else ""
        text = f"{seen.names[which]}, at least {least:.0%}{cut}"
        event = yield Sketch((shape,), class_name=class_name, text=text)
    return _taken(area_of(clip(shape, context.width, context.height)), class_name, context)


def least_probability(press: Pointer, now: Pointer, here: float) -> float:
    """Return the probability that a place needs, for a drag from `press` to `now`; `here` is that at the press."""
    dragged = (now.x - press.x) / press.scale
    return float(np.clip(min(USUAL, here) - dragged / REACH, LOWEST, here))


def _meets_border(region: npt.NDArray[np.bool_]) -> bool:
    return bool(region[[0, -1]].any() or region[:, [0, -1]].any())


def _pixel(seen: Probabilities, at: Pointer) -> tuple[int, int]:
    _, height, width = seen.values.shape
    row, column = (at.y - seen.top) / seen.scale, (at.x - seen.left) / seen.scale
    return min(max(int(row), 0), height - 1), min(max(int(column), 0), width - 1)


def _taken(shape: Area, class_name: str | None, context: Context) -> Edit | None:
    if shape.is_empty:
        return None
    if not context.on_mask:
        return edits.add([Annotation(shape, class_name)], name=MAGIC)
    grid = context.document.mask.grid or context.grid
    if grid is None:
        return None
    stroke = Stroke.on(context, grid, erases=False)
    stroke.fill(shape)
    return stroke.finish(f"{MAGIC} {context.class_name.lower()}")
