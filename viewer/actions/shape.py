"""Several annotations become others: merged, cut, kept apart."""

from collections.abc import Callable, Sequence

from segcore.annotations import Annotation
from segcore.errors import AnnotationError
from viewer.actions.registry import action, has_selection
from viewer.document import Edit, shaping
from viewer.session import Session, Workspace

SELECT_ONE = "Select an annotation first."
SELECT_TWO = "Select two annotations at least: Ctrl and click, or drag a box with Shift+S."


def has_two(session: Session) -> bool:
    return session.workspace is not None and len(session.workspace.selection) > 1


@action(
    "shape.merge", "Merge", menu="Shape", shortcut="Ctrl+M", icon="mdi6.vector-union",
    enabled=has_two, why_not=SELECT_TWO,
)  # fmt: skip
def merge(session: Session) -> None:
    """Make one annotation of the selected ones."""
    reshape(session, shaping.merge)


@action(
    "shape.subtract", "Subtract from the largest", menu="Shape", icon="mdi6.vector-difference-ab",
    enabled=has_two, why_not=SELECT_TWO,
)  # fmt: skip
def subtract(session: Session) -> None:
    """Take the other selected annotations away from the largest one; they go."""
    reshape(session, shaping.subtract)


@action(
    "shape.intersect", "Intersect", menu="Shape", icon="mdi6.vector-intersection",
    enabled=has_two, why_not=SELECT_TWO,
)  # fmt: skip
def intersect(session: Session) -> None:
    """Keep what the selected annotations have in common."""
    reshape(session, shaping.intersect)


@action(
    "shape.exclude", "Exclude overlap", menu="Shape", icon="mdi6.vector-difference",
    enabled=has_two, why_not=SELECT_TWO,
)  # fmt: skip
def exclude(session: Session) -> None:
    """Keep what only one of two selected annotations covers."""
    reshape(session, shaping.exclude)


@action(
    "shape.split", "Split by line", menu="Shape", icon="mdi6.knife", enabled=has_two,
    why_not="Draw a line across the area (L), then select both.",
)  # fmt: skip
def split(session: Session) -> None:
    """Cut the selected areas by the selected lines, which go."""
    reshape(session, shaping.split)


@action(
    "shape.separate", "Separate parts", menu="Shape", icon="mdi6.call-split", enabled=has_selection,
    why_not=SELECT_ONE,
)  # fmt: skip
def separate(session: Session) -> None:
    """Make an annotation of each part that does not hang together."""
    reshape(session, shaping.separate)


@action(
    "shape.avoid", "Clear overlaps", menu="Shape", icon="mdi6.vector-difference-ba",
    enabled=has_selection, why_not=SELECT_ONE,
)  # fmt: skip
def avoid(session: Session) -> None:
    """Take from the selected annotations what others cover, except those that lie around them."""
    reshape(session, lambda chosen: shaping.avoid(chosen, _met_by(session, chosen)))


def chosen(workspace: Workspace) -> list[Annotation]:
    """Return the selected annotations in the order of the document, so that a verb always does the same."""
    held = workspace.document.annotations.values()
    return [each for each in held if each.id in workspace.selection]


def reshape(session: Session, verb: Callable[[Sequence[Annotation]], Edit]) -> None:
    """Do a verb to the selected annotations and select what comes of it; tell what was left out, and why."""
    if session.workspace is None:
        return
    before = chosen(session.workspace)
    if add(session, lambda: verb(before)) and (locked := sum(each.locked for each in before)):
        kept = "1 locked annotation was" if locked == 1 else f"{locked:,} locked annotations were"
        session.tell.info(f"{kept} left out; unlock to change (Ctrl+K).")


def add(session: Session, verb: Callable[[], Edit]) -> bool:
    """Do a verb and select what is new; tell why where it cannot be done."""
    try:
        edit = verb()
    except AnnotationError as reason:
        session.tell.info(str(reason))
        return False
    done = session.apply(edit)
    if done and any(each.before is None or each.after is None for each in edit.changes):
        session.select(frozenset(each.id for each in edit.changes if each.after is not None))
    return done


def _met_by(session: Session, some: Sequence[Annotation]) -> list[Annotation]:
    """Return the annotations whose boxes meet those of some, besides those of them that can change."""
    if session.workspace is None:
        return []
    spatial, own = session.workspace.document.spatial, {each.id for each in some if not each.locked}
    met = {other.id: other for each in some for other in spatial.within(each.geometry.bounds)}
    return [other for key, other in met.items() if key not in own]
