"""Correct the mask: say yes or no to what is proposed, and go where a look is worth most."""

from viewer.actions.registry import action, has_slide
from viewer.jobs import Job
from viewer.jobs.uncertain import find_uncertain
from viewer.session import Session, Workspace
from viewer.session.visits import Visits, seen

_SEARCH = "Looking for uncertain places"


def _has_proposal(session: Session) -> bool:
    return session.proposals.current is not None


@action(
    "correct.accept", "Accept the proposal", menu="Segment", icon="mdi6.check", enabled=_has_proposal,
    why_not="Nothing is proposed; press Shift+B and scribble on tissue of the chosen class.",
)  # fmt: skip
def accept(session: Session) -> None:
    """Make all that is proposed for the mask true, in one step (Enter)."""
    session.proposals.accept()


@action(
    "correct.drop", "Drop the proposal", menu="Segment", icon="mdi6.close",
    enabled=lambda s: s.proposals.waiting, why_not="Nothing is proposed for the mask.",
)  # fmt: skip
def drop(session: Session) -> None:
    """Leave the mask as it is and forget the strokes (Escape)."""
    session.proposals.drop()


@action(
    "uncertain.next", "Next uncertain place", menu="Segment", shortcut="U", icon="mdi6.map-marker-question-outline",
    enabled=has_slide,
)  # fmt: skip
def next_uncertain(session: Session) -> Job | None:
    """Go to where the network is least sure in the region, then to the next such place."""
    return _visit(session, 1)


@action(
    "uncertain.previous", "Previous uncertain place", menu="Segment", shortcut="Shift+U", enabled=has_slide,
)  # fmt: skip
def previous_uncertain(session: Session) -> Job | None:
    """Go back to the uncertain place before."""
    return _visit(session, -1)


@action(
    "uncertain.leave", "Hide the mark of the uncertain place", menu="Segment", shortcut="Ctrl+U",
    enabled=lambda s: s.workspace is not None and s.workspace.visits is not None,
    why_not="Go to an uncertain place first (U).",
)  # fmt: skip
def leave(session: Session) -> None:
    """Take the ring away; the next visit begins with the most uncertain place again."""
    if session.workspace is not None and session.workspace.visits is not None:
        session.workspace.visits.at = None
        session.looks_changed.emit(None)


def _visit(session: Session, by: int) -> Job | None:
    """Go one place on, or find the places first."""
    workspace = session.workspace
    if workspace is None:
        return None
    region, model = session.region, str(session.settings["model"])
    if region is None:
        session.tell.info("Draw a region first: press R and drag over the tissue.")
        return None
    if workspace.visits is not None and workspace.visits.are_of(region, model):
        _go(session, workspace, by)
        return None
    if any(job.title == _SEARCH for job in session.jobs.running):
        return None  # the key was pressed once more while it goes on
    labels = workspace.document.mask.label_map()
    job = session.jobs.start(
        _SEARCH,
        lambda report: find_uncertain(
            workspace.slide, region, session.models, model=model, labels=labels, report=report
        ),
        owner=workspace,
    )
    job.succeeded.connect(lambda places: _found(session, workspace, Visits(places, region, model)))
    job.failed.connect(session.tell_failure)
    return job


def _found(session: Session, workspace: Workspace, visits: Visits) -> None:
    if session.workspace is not workspace:
        return
    workspace.visits = visits
    if visits.places:
        _go(session, workspace, 1)
    else:
        session.tell.info("The network is sure of itself everywhere in this region.")


def _go(session: Session, workspace: Workspace, by: int) -> None:
    place = workspace.visits.step(by) if workspace.visits is not None else None
    if place is not None:
        session.view.look(seen(place, session.view.viewport))
        session.places_changed.emit(None)
