"""The annotations as a list: what is said of them, where they are, which are locked."""

from collections.abc import Sequence

import shapely

from segcore.annotations import Annotation
from viewer.actions.registry import action, has_selection, has_slide
from viewer.document.properties import Properties, set_properties
from viewer.session import Session

SELECT_FIRST = "Select an annotation first."
ROOM = 0.25  # of the size of what is gone to, left around it
LEAST = 256.0  # level-0 pixels that are shown at least


@action(
    "edit.properties", "Properties…", menu="Edit", shortcut="Return or F2",
    icon="mdi6.tag-text-outline", enabled=has_selection, why_not=SELECT_FIRST,
)  # fmt: skip
def properties(session: Session) -> None:
    """Change name, class, colour, notes and lock of the selected annotations."""
    chosen = session.selection
    answer = session.ask.properties(chosen, class_names(session), session.taxonomy)
    if answer:
        give(session, chosen, answer)


@action(
    "edit.lock", "Lock", menu="Edit", shortcut="Ctrl+Shift+K", icon="mdi6.lock-outline",
    enabled=has_selection, why_not=SELECT_FIRST,
)  # fmt: skip
def lock(session: Session) -> None:
    """Keep the selected annotations from being changed or deleted."""
    set_lock(session, session.selection, locked=True)


@action(
    "edit.unlock", "Unlock", menu="Edit", shortcut="Ctrl+Alt+K", icon="mdi6.lock-open-variant-outline",
    enabled=has_selection, why_not=SELECT_FIRST,
)  # fmt: skip
def unlock(session: Session) -> None:
    """Let the selected annotations be changed again."""
    set_lock(session, session.selection, locked=False)


@action(
    "edit.toggle_lock", "Lock or unlock", menu="Edit", shortcut="Ctrl+K", enabled=has_selection,
    why_not=SELECT_FIRST,
)  # fmt: skip
def toggle_lock(session: Session) -> None:
    """Lock the selected annotations, or unlock them where all are locked."""
    chosen = session.selection
    set_lock(session, chosen, locked=not all(each.locked for each in chosen))


@action("view.selection", "Go to the selection", menu="View", enabled=has_selection, why_not=SELECT_FIRST)  # fmt: skip
def go_to_selection(session: Session) -> None:
    """Show all selected annotations."""
    go_to(session, session.selection)


@action("edit.find", "Find annotations", menu="Edit", shortcut="Ctrl+F", enabled=has_slide)
def find(session: Session) -> None:
    """Type what the list of annotations should show."""
    session.window_asked.emit("find")


@action(
    "measure.table", "Annotations table…", menu="Measure", shortcut="Ctrl+T", icon="mdi6.table",
    enabled=has_slide,
)  # fmt: skip
def show_table(session: Session) -> None:
    """Show all annotations with their measurements in a window of their own, to sort, filter and export."""
    session.window_asked.emit("table")


def give(session: Session, annotations: Sequence[Annotation], properties: Properties) -> None:
    """Give annotations properties in one edit, and tell how many locked ones were kept."""
    edit = set_properties(annotations, properties)
    session.apply(edit)
    kept = sum(each.locked for each in annotations) if properties.get("locked", True) else 0
    if kept and properties.keys() - {"locked"}:
        session.tell.info(f"{kept:,} locked annotation{'s were' if kept > 1 else ' was'} kept; unlock to change.")  # fmt: skip


def give_class(session: Session, class_name: str | None) -> None:
    """Give the selected annotations a class, or none."""
    give(session, session.selection, {"class_name": class_name})


def set_lock(session: Session, annotations: Sequence[Annotation], *, locked: bool) -> None:
    give(session, annotations, {"locked": locked})


def go_to(session: Session, annotations: Sequence[Annotation]) -> None:
    """Show annotations with some room around them; a point is shown with its surroundings."""
    left, top, right, bottom = shapely.total_bounds([each.geometry for each in annotations])
    across = max(right - left, LEAST) * (0.5 + ROOM)
    down = max(bottom - top, LEAST) * (0.5 + ROOM)
    x, y = (left + right) / 2, (top + bottom) / 2
    session.view.show_region(x - across, y - down, x + across, y + down)


def class_names(session: Session) -> list[str]:
    """Return all classes there are to give: those of the study, then others that annotations have."""
    names = [each.name for each in session.taxonomy.classes]
    workspace = session.workspace
    looks = workspace.document.spatial.looks if workspace is not None else ()
    others = {name for name, _ in looks if name and name not in names}
    return [*names, *sorted(others)]
