"""The outline of each selected annotation: holes, parts, vertices, size."""

import re
from functools import partial

from viewer.actions.registry import action, has_selection
from viewer.actions.shape import SELECT_ONE, reshape
from viewer.document import shaping
from viewer.session import Session

_TO_UM = {"µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1000.0}  # both signs for micro


@action(
    "shape.fill_holes", "Fill holes", menu="Shape", icon="mdi6.circle-slice-8", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def fill_holes(session: Session) -> None:
    """Make what lies in holes of the selected areas part of them."""
    reshape(session, shaping.fill_holes)


@action(
    "shape.keep_largest", "Keep the largest part", menu="Shape", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def keep_largest(session: Session) -> None:
    """Drop all but the largest part of each selected annotation."""
    reshape(session, shaping.keep_largest)


@action(
    "shape.simplify", "Simplify…", menu="Shape", icon="mdi6.vector-polyline-minus",
    enabled=has_selection, why_not=SELECT_ONE,
)  # fmt: skip
def simplify(session: Session) -> None:
    """Take away vertices that hardly change the outline; borders that annotations share stay shared."""
    question = "Detail that may go"
    length = ask_length(session, "shape.simplify", "Simplify", question)
    if length is not None:
        reshape(session, partial(shaping.simplify, tolerance=length))


@action(
    "shape.smooth", "Smooth…", menu="Shape", icon="mdi6.vector-curve", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def smooth(session: Session) -> None:
    """Round the corners of outlines; borders that annotations share stay shared."""
    length = ask_length(session, "shape.smooth", "Smooth", "How far an outline may move")
    if length is not None:
        reshape(session, partial(shaping.smooth, reach=length))


@action(
    "shape.expand", "Expand…", menu="Shape", icon="mdi6.arrow-expand-all", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def expand(session: Session) -> None:
    """Let the selected annotations grow on all sides, within the slide."""
    _resize(session, "Expand", 1)


@action(
    "shape.shrink", "Shrink…", menu="Shape", icon="mdi6.arrow-collapse-all", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def shrink(session: Session) -> None:
    """Let the selected areas shrink on all sides; those that would vanish stay as they are."""
    _resize(session, "Shrink", -1)


def ask_length(session: Session, key: str, title: str, question: str) -> float | None:
    """Ask for a length, proposing the last answer; return it in level-0 pixels, None for none."""
    mpp = session.workspace.slide.mpp if session.workspace is not None else None
    unit = "px" if mpp is None else "µm"
    text = session.ask.text(title, f"{question}, in {unit}", f"{session.settings[key]:g}")
    if text is None:
        return None
    length = read_length(text, mpp)
    if length is None:
        session.tell.info(f"{text!r} is no length; type a number such as 10, 2.5 µm or 40 px.")
        return None
    session.settings[key] = round(length * (mpp or 1), 3)
    return length


def read_length(text: str, mpp: float | None) -> float | None:
    """Return the level-0 pixels of a length above 0: in µm unless it says px or mm; None if it is none.

    Without `mpp` (micrometres per pixel) it is in pixels, and other units say nothing.
    """
    found = re.fullmatch(r"\s*(\d{1,7}(?:[.,]\d+)?)\s*(px|µm|μm|um|mm)?\s*", text)
    number = float(found[1].replace(",", ".")) if found else 0.0
    if found is None or number == 0:
        return None
    unit = found[2] or ("px" if mpp is None else "µm")
    if unit == "px":
        return number
    return None if mpp is None else number * _TO_UM[unit] / mpp


def _resize(session: Session, title: str, sign: int) -> None:
    length = ask_length(session, "shape.expand", title, "By how much on every side")
    if length is not None and session.workspace is not None:
        width, height = session.workspace.slide.dimensions
        reshape(
            session, lambda some: shaping.expand(some, sign * length, width=width, height=height)
        )
