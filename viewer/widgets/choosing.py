"""A click selects: what lies under the cursor, the next deeper thing, what a menu is asked about."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QMouseEvent

from segcore.annotations import Annotation
from viewer.rendering.viewport import Viewport
from viewer.session import Session
from viewer.tools.select import pick, pick_below

REACH = 6  # screen pixels
ADDING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


def choose_at(session: Session, view: Viewport, click: QMouseEvent) -> None:
    """Select what lies under the cursor, or nothing; Ctrl or Alt adds it or takes it away."""
    workspace = session.workspace
    if workspace is None or not session.show_annotations:
        return
    found = _found(session, view, click.position().toPoint())
    kept = workspace.selection if click.modifiers() & ADDING else frozenset()
    session.select(kept ^ {found.id} if found is not None else kept)


def choose_below(session: Session, view: Viewport, click: QMouseEvent) -> None:
    """Select what lies under the selected one here, as a double click does."""
    workspace = session.workspace
    if workspace is None or not session.show_annotations:
        return
    x, y = view.to_slide(click.position().x(), click.position().y())
    found = pick_below(workspace.document, x, y, REACH * view.scale, workspace.selection)
    if found is not None:
        session.select(frozenset({found.id}))


def choose_for_menu(session: Session, view: Viewport, at: QPoint) -> None:
    """Select what lies here unless it is selected already, so that a menu is about it."""
    workspace = session.workspace
    if workspace is None or not session.show_annotations:
        return
    found = _found(session, view, at)
    if found is not None and found.id not in workspace.selection:
        session.select(frozenset({found.id}))


def _found(session: Session, view: Viewport, at: QPoint) -> Annotation | None:
    if session.workspace is None:
        return None
    x, y = view.to_slide(at.x(), at.y())
    return pick(session.workspace.document, x, y, REACH * view.scale)
