"""New annotations from those there are, and the place of annotations on the slide."""

from collections.abc import Callable

from segcore.annotations import Annotation, shapes
from viewer.actions.registry import action, has_selection, has_slide
from viewer.actions.shape import SELECT_ONE, add, chosen, reshape
from viewer.document import shaping
from viewer.session import Session, Workspace

ASIDE = 20.0  # screen pixels from an annotation to its duplicate
STEP = 5.0  # screen pixels by which an arrow key moves


@action(
    "shape.duplicate", "Duplicate", menu="Shape", shortcut="Ctrl+Shift+D", icon="mdi6.content-duplicate",
    enabled=has_selection, why_not=SELECT_ONE,
)  # fmt: skip
def duplicate(session: Session) -> None:
    """Copy the selected annotations a little aside; the copies are not locked."""
    if session.workspace is not None:
        some, (width, height) = chosen(session.workspace), session.workspace.slide.dimensions
        aside = ASIDE * session.view.viewport.scale
        add(session, lambda: shaping.duplicate(some, aside, width=width, height=height))


@action(
    "shape.transfer", "Transfer from the last slide", menu="Shape", shortcut="Ctrl+Shift+E",
    enabled=lambda s: s.workspace is not None and bool(s.left_behind[0]),
    why_not="Select annotations, then open the slide that should have them too.",
)  # fmt: skip
def transfer(session: Session) -> None:
    """Copy what was selected on the slide before to the same place of this one, in micrometres."""
    if session.workspace is not None:
        slide, (some, mpp) = session.workspace.slide, session.left_behind
        scale = mpp / slide.mpp if mpp and slide.mpp else 1.0
        width, height = slide.dimensions
        add(session, lambda: shaping.transfer(some, width=width, height=height, scale=scale))


@action(
    "shape.whole_slide", "Whole slide", menu="Shape", shortcut="Ctrl+Shift+A",
    icon="mdi6.rectangle-outline", enabled=has_slide,
)  # fmt: skip
def whole_slide(session: Session) -> None:
    """Put an annotation around the whole slide."""
    if session.workspace is not None:
        width, height = session.workspace.slide.dimensions
        add(session, lambda: shaping.whole_slide(width, height))


@action(
    "shape.invert", "Make inverse", menu="Shape", icon="mdi6.invert-colors", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def invert(session: Session) -> None:
    """Put an annotation where the selected ones are not, within what lies around them all, else the slide."""
    if session.workspace is not None:
        some, within = chosen(session.workspace), _around(session.workspace)
        add(session, lambda: shaping.invert(some, within))


def _moving(sign_x: int, sign_y: int, where: str) -> Callable[[Session], None]:
    def move(session: Session) -> None:
        if session.workspace is None:
            return
        view, (width, height) = session.view.viewport, session.workspace.slide.dimensions
        x, y = view.to_slide(view.width / 2 + sign_x * STEP, view.height / 2 + sign_y * STEP)
        step = {"dx": x - view.x, "dy": y - view.y}
        reshape(session, lambda some: shaping.move_by(some, **step, width=width, height=height))

    move.__doc__ = f"Move the selected annotations a little {where}, as seen on the screen."
    return move


for _key, _x, _y, _where in (
    ("Left", -1, 0, "to the left"),
    ("Right", 1, 0, "to the right"),
    ("Up", 0, -1, "upwards"),
    ("Down", 0, 1, "downwards"),
):
    action(
        f"shape.move_{_key.lower()}", f"Move {_where}", menu="Shape/Move", shortcut=f"Ctrl+{_key}",
        enabled=has_selection, why_not=SELECT_ONE,
    )(_moving(_x, _y, _where))  # fmt: skip


def _around(workspace: Workspace) -> shapes.Area:
    """Return the smallest annotation that covers all selected ones, the whole slide where there is none."""
    whole = shapes.whole_slide(*workspace.slide.dimensions)
    covered = shapes.union([shapes.area_of(each.geometry) for each in chosen(workspace)])
    if covered.is_empty:
        return whole
    near = workspace.document.spatial.within(covered.bounds)
    around = [shapes.area_of(each.geometry) for each in near if _may_hold(each, workspace)]
    holding = [each for each in around if each.covers(covered)]
    return min(holding, key=lambda each: each.area, default=whole)


def _may_hold(each: Annotation, workspace: Workspace) -> bool:
    return each.id not in workspace.selection and each.kind == "annotation"
