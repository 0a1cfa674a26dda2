"""Opening: from a path to a slide in the session, read on a thread."""

from pathlib import Path
from typing import TYPE_CHECKING

from segcore.errors import AcinusError
from viewer.jobs import Job
from viewer.session.relocation import find_slide, first_slide
from viewer.session.workspace import load_slide

if TYPE_CHECKING:
    from viewer.session.session import Session

STUDY = ".acinus"


def open_path(session: "Session", path: Path) -> Job | None:
    """Open a slide, or the first slide of a study; None if it cannot even be begun, which is told."""
    if path.suffix != STUDY:
        return _load(session, path)
    try:
        slide_path = first_slide(path, session.ask)
    except AcinusError as error:
        session.tell.error(str(error))
        return None
    return _load(session, slide_path, path) if slide_path is not None else None


def open_of_study(session: "Session", slide_id: int) -> Job | None:
    """Open another slide of the open study; None where it is gone and the person does not know where."""
    if session.workspace is None or slide_id == session.workspace.slide_id:
        return None
    study = session.workspace.study
    slide = next(each for each in study.slides() if each.id == slide_id)
    try:
        path = find_slide(study, slide, session.ask)
    except AcinusError as error:
        session.tell.error(str(error))
        return None
    return _load(session, path, study.path) if path is not None else None


def _load(session: "Session", path: Path, study_path: Path | None = None) -> Job:
    session.jobs.cancel_of(session)  # the slide asked for last is the one that is wanted
    job = session.jobs.start(
        f"Opening {path.name}", lambda report: load_slide(path, report), owner=session
    )
    job.succeeded.connect(lambda opened: session.adopt(opened, study_path))
    job.failed.connect(
        lambda error: session.tell_failure(error, retry=lambda: _load(session, path, study_path))
    )
    return job
