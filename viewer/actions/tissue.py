"""All tissue of the slide as one region."""

from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from viewer.actions.analyse import segment, set_pixel_size
from viewer.actions.registry import action, has_slide
from viewer.document import edits
from viewer.jobs import Job, work
from viewer.session import Session, Workspace

NAME = "Tissue"


@action(
    "segment.tissue", "Segment all tissue", menu="Segment", shortcut="Ctrl+Shift+T",
    icon="mdi6.texture-box", enabled=has_slide,
)  # fmt: skip
def segment_tissue(session: Session) -> Job | None:
    """Outline the tissue of the whole slide and segment it; a large slide takes its time, and can be cancelled."""
    workspace = session.workspace
    if workspace is None:
        return None
    if workspace.slide.mpp is None and not set_pixel_size(session):
        session.tell.warn("Finding tissue needs the pixel size of the slide; set it under Measure.")
        return None
    known = next(
        (each for each in workspace.document.annotations.from_top() if each.name == NAME), None
    )
    if known is not None:
        session.select(frozenset({known.id}))
        return segment(session)
    job = session.jobs.start(
        "Looking for tissue",
        lambda report: work.find_tissue(workspace.slide, report),
        owner=workspace,
    )
    job.succeeded.connect(lambda found: _segment(session, workspace, found))
    job.failed.connect(session.tell_failure)
    return job


def _segment(session: Session, workspace: Workspace, found: BaseGeometry) -> None:
    if session.workspace is not workspace:
        return
    tissue = Annotation(found, name=NAME, locked=True)
    if session.apply(edits.add([tissue], name="Outline the tissue")):
        session.select(frozenset({tissue.id}))
        segment(session)
