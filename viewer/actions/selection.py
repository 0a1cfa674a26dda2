"""Which annotations are selected."""

import shapely

from segcore.annotations.hierarchy import lying_in
from viewer.actions.registry import action, has_selection, has_slide
from viewer.session import Session

_NONE_YET = "There is no annotation yet; draw one first."


def _has_annotations(session: Session) -> bool:
    return session.workspace is not None and bool(session.workspace.document.annotations)


@action(
    "edit.select_all", "Select all", menu="Edit/Select", shortcut="Ctrl+A or Ctrl+Alt+A",
    icon="mdi6.select-all", enabled=_has_annotations, why_not=_NONE_YET,
)  # fmt: skip
def select_all(session: Session) -> None:
    """Select every annotation of the slide."""
    if session.workspace is not None:
        session.select(frozenset(session.workspace.document.annotations))


@action(
    "edit.select_class", "Select the same class", menu="Edit/Select", shortcut="Ctrl+Shift+J",
    enabled=has_selection, why_not="Select an annotation of the class first.",
)  # fmt: skip
def select_class(session: Session) -> None:
    """Select every annotation that has a class of the selected ones."""
    if session.workspace is not None:
        wanted = {each.class_name for each in session.selection}
        held = session.workspace.document.annotations.items()
        session.select(frozenset(key for key, each in held if each.class_name in wanted))


@action(
    "edit.select_others", "Invert the selection", menu="Edit/Select", shortcut="Ctrl+Shift+I",
    icon="mdi6.select-inverse", enabled=_has_annotations, why_not=_NONE_YET,
)  # fmt: skip
def select_others(session: Session) -> None:
    """Select what is not selected, and nothing of what is."""
    if session.workspace is not None:
        everything = frozenset(session.workspace.document.annotations)
        session.select(everything - session.workspace.selection)


@action(
    "edit.select_inside", "Select what lies inside", menu="Edit/Select", icon="mdi6.select-group",
    enabled=has_selection, why_not="Select an area first.",
)  # fmt: skip
def select_inside(session: Session) -> None:
    """Select the annotations that lie in the selected areas, at any depth, in place of these."""
    if session.workspace is None:
        return
    spatial = session.workspace.document.spatial
    areas = [each for each in session.selection if shapely.area(each.geometry) > 0]
    found = {
        one.id for each in areas for one in lying_in(each, spatial.within(each.geometry.bounds))
    }
    if found:
        session.select(frozenset(found))
    else:
        session.tell.info("Nothing lies in what is selected.")


@action(
    "edit.select_none", "Select nothing", menu="Edit/Select", shortcut="Ctrl+Alt+R", enabled=has_slide,
)  # fmt: skip
def select_none(session: Session) -> None:
    """Drop the selection."""
    session.select(frozenset())
