from viewer.actions.registry import action, has_slide
from viewer.session import Session


def _has_both(session: Session) -> bool:
    return session.beside.opened is not None


@action(
    "file.open_beside", "Open beside…", menu="File", shortcut="Ctrl+Shift+O", enabled=has_slide,
)  # fmt: skip
def open_beside(session: Session) -> None:
    """Show a second slide beside this one, to compare; it is only looked at."""
    path = session.ask.slide_to_open()
    if path is not None:
        session.beside.open(path)


@action(
    "file.close_beside", "Close the slide beside", menu="File", enabled=_has_both,
    why_not="No slide is open beside this one.",
)  # fmt: skip
def close_beside(session: Session) -> None:
    """Close the second slide."""
    session.beside.close()


@action(
    "view.link", "Move both slides together", menu="View", shortcut="Alt+S", enabled=_has_both,
    checked=lambda s: s.beside.linked, why_not="Open a second slide beside this one first.",
)  # fmt: skip
def toggle_link(session: Session) -> None:
    """Pan, zoom and turn both slides together, or each by itself."""
    session.beside.linked = not session.beside.linked
    session.looks_changed.emit(None)
