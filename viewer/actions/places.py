from viewer.actions.registry import action, has_slide
from viewer.session import Session
from viewer.session.places import Place, read_position


@action("view.go_to", "Go to position…", menu="View", shortcut="Ctrl+G", enabled=has_slide)
def go_to(session: Session) -> None:
    """Bring a position to the middle of the view."""
    workspace = session.workspace
    if workspace is None:
        return
    mpp = workspace.slide.mpp
    unit = "µm, or pixels with px after them" if mpp else "pixels"
    text = session.ask.text("Go to position", f"x, y in {unit}")
    if text is None:
        return
    place = read_position(text, mpp)
    if place is None:
        session.tell.info(f"{text!r} is no position; type two numbers such as 1200, 3400 px.")
    else:
        session.view.centre_on(*place)


@action(
    "view.bookmark",
    "Bookmark this view",
    menu="View/Bookmarks",
    shortcut="Ctrl+B",
    enabled=has_slide,
)
def bookmark(session: Session) -> None:
    """Keep this view in the study, to find it again."""
    if session.workspace is not None:
        place = session.workspace.places.add(session.view.viewport)
        session.places_changed.emit(None)
        session.tell.info(f"Kept as {place.name}.")


def _has_bookmarks(session: Session) -> bool:
    return session.workspace is not None and bool(session.workspace.places.bookmarks)


@action(
    "view.next_bookmark", "Next bookmark", menu="View/Bookmarks", shortcut="F3", enabled=_has_bookmarks,
    why_not="Bookmark a view first (Ctrl+B).",
)  # fmt: skip
def next_bookmark(session: Session) -> None:
    """Go to one bookmark after the other."""
    place = session.workspace.places.next() if session.workspace is not None else None
    if place is not None:
        show_place(session, place)


def show_place(session: Session, place: Place) -> None:
    session.view.look(place.seen_from(session.view.viewport))
