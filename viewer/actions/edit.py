from viewer.actions.registry import action, has_selection, has_slide
from viewer.actions.table import give_class
from viewer.document import edits
from viewer.session import Session


def _can_undo(session: Session) -> bool:
    return session.workspace is not None and session.workspace.document.can_undo


def _can_redo(session: Session) -> bool:
    return session.workspace is not None and session.workspace.document.can_redo


@action(
    "edit.undo", "Undo", menu="Edit", shortcut="Ctrl+Z", icon="mdi6.undo", enabled=_can_undo,
    why_not="There is nothing to undo.",
)  # fmt: skip
def undo(session: Session) -> None:
    """Take back the last edit."""
    if session.workspace is not None:
        session.workspace.document.undo()


@action(
    "edit.redo", "Redo", menu="Edit", shortcut="Ctrl+Shift+Z or Ctrl+Y", icon="mdi6.redo", enabled=_can_redo,
    why_not="There is nothing to redo.",
)  # fmt: skip
def redo(session: Session) -> None:
    """Do again what was taken back."""
    if session.workspace is not None:
        session.workspace.document.redo()


@action(
    "edit.delete", "Delete", menu="Edit", shortcut="Del or Backspace", icon="mdi6.delete-outline",
    enabled=has_selection, why_not="Select an annotation first.",
)  # fmt: skip
def delete(session: Session) -> None:
    """Delete the selected annotations; the mask stays."""
    unlocked = [each for each in session.selection if not each.locked]
    if len(unlocked) < len(session.selection):
        session.tell.info("Locked annotations were kept; unlock them to delete them.")
    session.apply(edits.delete(unlocked))


@action(
    "edit.classify", "Give the active class", menu="Edit", shortcut="Ctrl+Return",
    enabled=has_selection, why_not="Select an annotation first.",
)  # fmt: skip
def classify(session: Session) -> None:
    """Give the selected annotations the active class."""
    give_class(session, session.active_class.name)


@action(
    "edit.clear_mask", "Clear the mask", menu="Edit", enabled=has_slide,
)  # fmt: skip
def clear_mask(session: Session) -> None:
    """Remove the whole mask; undo brings it back."""
    if session.workspace is not None:
        session.apply(edits.clear_mask(session.workspace.document.mask))
