"""Which annotations are selected."""

from viewer.actions.registry import action, has_selection, has_slide
from viewer.session import Session

_NONE_YET = "There is no annotation yet; draw one first."


def _has_annotations(session: Session) -> bool:
    return session.workspace is not None and bool(session.workspace.document.annotations)


@action(
    "edit.select_all", "Select all", menu="Edit", shortcut="Ctrl+A or Ctrl+Alt+A",
    icon="mdi6.select-all", enabled=_has_annotations, why_not=_NONE_YET,
)  # fmt: skip
def select_all(session: Session) -> None:
    """Select every annotation of the slide."""
    if session.workspace is not None:
        session.select(frozenset(session.workspace.document.annotations))


@action(
    "edit.select_class", "Select the same class", menu="Edit", shortcut="Ctrl+Shift+J",
    enabled=has_selection, why_not="Select an annotation of the class first.",
)  # fmt: skip
def select_class(session: Session) -> None:
    """Select every annotation that has a class of the selected ones."""
    if session.workspace is not None:
        wanted = {each.class_name for each in session.selection}
        held = session.workspace.document.annotations.items()
        session.select(frozenset(key for key, each in held if each.class_name in wanted))


@action(
    "edit.select_others", "Invert the selection", menu="Edit", shortcut="Ctrl+Shift+I",
    icon="mdi6.select-inverse", enabled=_has_annotations, why_not=_NONE_YET,
)  # fmt: skip
def select_others(session: Session) -> None:
    """Select what is not selected, and nothing of what is."""
    if session.workspace is not None:
        everything = frozenset(session.workspace.document.annotations)
        session.select(everything - session.workspace.selection)


@action(
    "edit.select_none", "Select nothing", menu="Edit", shortcut="Ctrl+Alt+R", enabled=has_slide,
)  # fmt: skip
def select_none(session: Session) -> None:
    """Drop the selection."""
    session.select(frozenset())
