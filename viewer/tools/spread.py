"""Strokes that spread: a few scribbles in the classes' colours, from which a proposal for the mask grows."""

from viewer.tools.base import AcceptRegion, Context, Gesture, Pointer, Refusal, Scribble
from viewer.tools.draw import far

PEN = 8.0
"""Screen pixels that a scribble is wide: it says what the tissue is, it does not cover it."""
STEP = 2.0
LONGEST = 768
"""Mask pixels along a side of the box around a scribble."""


def spread(press: Pointer, context: Context) -> Gesture:
    """Scribble on tissue of the chosen class, with Alt on what is of none. Ctrl+click accepts one region."""
    grid = context.document.mask.grid or context.grid
    if grid is None:
        return Refusal("Set the pixel size under Measure before you paint a mask.")
    event, points = press, [press.point]
    while event.kind != "release":
        if event.kind == "drag" and not press.ctrl and far(event, points[-1], STEP):
            points.append(event.point)
        event = yield None if press.ctrl else _scribble(press, points, context)
    if press.ctrl:
        return AcceptRegion(*press.point)
    scribble = _scribble(press, points, context)
    left, top, right, bottom = scribble.bounds
    longest = max(right - left, bottom - top) / grid.scale
    if longest > LONGEST:
        reach = f"{LONGEST * grid.mpp / 1000:.1f} mm"
        return Refusal(f"This stroke is too long to spread from; draw one of at most {reach}.")
    return scribble


def _scribble(press: Pointer, points: list[tuple[float, float]], context: Context) -> Scribble:
    code = 0 if press.alt else context.class_code
    return Scribble(tuple(points), PEN * press.scale / 2, code)
