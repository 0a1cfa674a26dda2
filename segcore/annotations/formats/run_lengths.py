"""COCO's run lengths: how many pixels are 0, then 1, then 0 and so on, column by column."""

from typing import Any

import numpy as np
import numpy.typing as npt

from segcore.errors import AnnotationError

MOST_PIXELS = 1 << 28
_LONGEST = 1 << 31
"""Pixels of a side of a picture."""


def counts_from(value: Any) -> npt.NDArray[np.int64]:
    """Return the run lengths of a list, or of the text into which COCO's own library packs them."""
    if isinstance(value, str):
        return _unpacked(value)
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise AnnotationError("its run lengths cannot be read")
    return np.array(value, object).astype(np.int64) if _small(value) else _refuse()


def _small(values: list[int]) -> bool:
    return all(0 <= each < 2**40 for each in values)


def _refuse() -> Any:
    raise AnnotationError("its run lengths cannot be read")


def _unpacked(text: str) -> npt.NDArray[np.int64]:
    """Unpack: 5 bits a character from "0" on, the lowest first; from the fourth on, less the last but one."""
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 50:
            raise AnnotationError("its run lengths cannot be read")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift or not _small(counts):
        raise AnnotationError("its run lengths cannot be read")
    return np.array(counts, np.int64)


def mask_from(
    counts: npt.NDArray[np.int64], *, width: int, height: int
) -> tuple[npt.NDArray[np.uint8], int, int]:
    """Return the pixels of the box around what is 1, and the column and row of its corner.

    (width, height) is the size of the picture. Raises AnnotationError.
    """
    if not (0 < width <= _LONGEST and 0 < height <= _LONGEST) or counts.sum() > width * height:
        raise AnnotationError("its run lengths do not fit the picture")
    ends = counts.cumsum()
    starts, stops = ends[:-1:2], ends[1::2]
    starts, stops = starts[: len(stops)], stops[: len(starts)]
    filled = stops > starts
    starts, stops = starts[filled], stops[filled]
    if not len(starts):
        raise AnnotationError("it is empty")
    left, right = int(starts[0]) // height, int(stops[-1] - 1) // height + 1
    first, last = starts % height, (stops - 1) % height
    spans_columns = (starts // height != (stops - 1) // height).any()
    top, bottom = (0, height) if spans_columns else (int(first.min()), int(last.max()) + 1)
    tall, wide = bottom - top, right - left
    if tall * wide > MOST_PIXELS:
        raise AnnotationError("its mask is too large for the memory")
    steps = np.zeros(tall * wide + 1, np.int8)
    np.add.at(steps, (starts // height - left) * tall + first - top, 1)
    np.add.at(steps, ((stops - 1) // height - left) * tall + last - top + 1, -1)
    columns = steps[:-1].cumsum(dtype=np.int8).view(np.uint8).reshape(wide, tall)
    return np.ascontiguousarray(columns.T), left, top
