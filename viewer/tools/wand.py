"""The wand: paints where the tissue looks like it does under the pointer."""

import numpy as np
import numpy.typing as npt

from segcore.annotations.shapes import Area
from segcore.slides.base import Rgb
from viewer.document import WAND
from viewer.tools.base import Context, Gesture, Pointer, Refusal, Tissue
from viewer.tools.draw import far
from viewer.tools.growing import begin
from viewer.tools.similar import blurred, border_of, region_around, without_holes

SIDE = 149
"""Screen pixels along a side of what the wand looks at, as in QuPath; so are the next two."""
SMOOTHING = 4.0  # screen pixels, the sigma of a Gaussian
SENSITIVITY = 2.0
EVENING = 2.0
"""Screen pixels, the sigma that makes the border even: what is thinner than some three pixels goes."""
LEAST_DIFFERENCE = 2.0
"""Of grey values: what differs by less is alike, however even the tissue is."""
STEP = 4.0
"""Screen pixels that the pointer goes before the wand looks again."""


def wand(press: Pointer, context: Context) -> Gesture:
    """Paint on the mask or on annotations what looks alike around the pointer; keys as for the brush."""
    growing = begin(press, context, WAND)
    if context.tissue is None or isinstance(growing, Refusal):
        return growing if isinstance(growing, Refusal) else None
    event, last = press, press.point
    preview = growing.add(alike(context.tissue, press))
    while event.kind != "release":
        if far(event, last, STEP):
            preview = growing.add(alike(context.tissue, event))
            last = event.point
        event = yield preview
    return growing.finish()


def alike(tissue: Tissue, at: Pointer) -> Area:
    """Return, without holes, what around the pointer has nearly its colour. Raises SlideError."""
    side = SIDE * at.scale
    left, top = at.x - side / 2, at.y - side / 2
    middle = SIDE // 2
    likeness = likeness_of(tissue.pixels(left, top, SIDE, at.scale))
    solid = without_holes(region_around(likeness, middle, middle))
    evened = blurred(solid.astype(np.float32), EVENING) - 0.5
    region = region_around(evened, middle, middle)
    return border_of(region, evened, left=left, top=top, scale=at.scale)


def likeness_of(pixels: Rgb) -> npt.NDArray[np.float32]:
    """Return (SIDE, SIDE), at least 0 where a smoothed pixel is like the one in the middle.

    That is where no colour differs by more than a share of its standard deviation in the window: in even
    tissue the wand is choosier. What lies outside of the circle in the window is never alike.
    """
    smooth = blurred(pixels.astype(np.float32), SMOOTHING)
    middle = SIDE // 2
    allowed = np.maximum(smooth.std((0, 1)) / SENSITIVITY, LEAST_DIFFERENCE)
    unlike = (np.abs(smooth - smooth[middle, middle]) / allowed).max(2)
    y, x = np.ogrid[:SIDE, :SIDE]
    within = middle - np.hypot(x - middle, y - middle)
    return np.minimum(1 - unlike, within).astype(np.float32)
