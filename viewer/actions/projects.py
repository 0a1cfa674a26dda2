"""What can be opened besides a slide: projects of QuPath, and the slides of a study."""

from pathlib import Path

from segcore.annotations import FORMATS, Project, load_taxonomy, read_project
from segcore.annotations.qupath_classes import NamedColour
from viewer.actions.exchange import adopt_classes, import_from
from viewer.actions.registry import action
from viewer.actions.sentences import counted, listed
from viewer.jobs import Job, projects
from viewer.jobs.projects import ProjectStudy
from viewer.session import Session
from viewer.session.opening import open_of_study
from viewer.session.ports import Offer

PROJECT = ".qpproj"


def open_file(session: Session, path: Path) -> Job | None:
    """Open a slide, a study, or a project of QuPath."""
    if path.suffix.lower() == PROJECT:
        return open_project(session, path)
    return session.open(path)


def is_annotation_file(path: Path) -> bool:
    """Whether a file holds annotations by its name; a picture may be a mask, but is a slide first."""
    name = path.name.lower()
    suffixes = [s for each in FORMATS if not each.is_picture for s in each.suffixes]
    return name.endswith(tuple(suffixes))


def take_in(session: Session, paths: list[Path]) -> None:
    """Take in what was dropped: annotations into the open slide; of other files the first is opened."""
    annotations = [each for each in paths if is_annotation_file(each)]
    others = [each for each in paths if each not in annotations]
    if len(others) > 1:
        session.tell.info("One slide at a time: the first of the files is opened.")
    job = open_file(session, others[0]) if others else None
    if job is None:
        _import_all(session, annotations)
    else:
        job.succeeded.connect(lambda _: _import_all(session, annotations))


def _import_all(session: Session, paths: list[Path]) -> None:
    for each in paths:
        import_from(session, each)


def open_project(session: Session, path: Path) -> Job | None:
    """Open a project of QuPath as a study: the one that it became the last time if there is one."""
    made = projects.study_path(path)
    if made.is_file():
        job = session.open(made)
        if job is not None:
            text = f"The project {path.absolute().parent.name} was opened before; you go on in its study."
            job.succeeded.connect(lambda _: session.tell.info(text))
        return job
    job = session.jobs.start(f"Reading {path.name}", lambda _: read_project(path))
    job.succeeded.connect(lambda project: _choose_images(session, made, project))
    job.failed.connect(session.tell_failure)
    return job


def _choose_images(session: Session, made: Path, project: Project) -> None:
    images, taxonomy = session.ask.project_images(project), load_taxonomy()
    if not images:
        return
    job = session.jobs.start(
        f"Opening the project {project.name}",
        lambda report: projects.make_study(made, project, images, taxonomy, report),
    )
    job.succeeded.connect(lambda study: _show(session, project, study))
    job.failed.connect(session.tell_failure)


def _show(session: Session, project: Project, made: ProjectStudy) -> None:
    job = session.open(made.path)
    if job is not None:
        job.succeeded.connect(lambda _: _tell(session, project, made))


def _tell(session: Session, project: Project, made: ProjectStudy) -> None:
    """Add the project's classes to the study that is open now, and say what came."""
    adopt_classes(session, (NamedColour(*each) for each in made.classes.items()))
    text = (
        f"{counted(made.slides, 'slide')} and {counted(made.annotations, 'annotation')} of the project"
        f" {project.name} are in a study now"
    )
    if not made.left_out:
        session.tell.info(f"{text}.")
        return
    page = listed("What could not be taken over", made.left_out)
    details = Offer("Details…", lambda: session.tell.page(f"The project {project.name}", page))
    session.tell.info(f"{text}; not everything could be taken over.", offers=[details])


@action(
    "file.next_slide", "Next slide of the study", menu="File", shortcut="Ctrl+PgDown",
    enabled=lambda session: _neighbour(session, 1) is not None,
    why_not="This is the last slide of the study.",
)  # fmt: skip
def next_slide(session: Session) -> None:
    """Open the slide that comes next in the study."""
    _go(session, 1)


@action(
    "file.previous_slide", "Previous slide of the study", menu="File", shortcut="Ctrl+PgUp",
    enabled=lambda session: _neighbour(session, -1) is not None,
    why_not="This is the first slide of the study.",
)  # fmt: skip
def previous_slide(session: Session) -> None:
    """Open the slide that comes before in the study."""
    _go(session, -1)


def _go(session: Session, step: int) -> None:
    neighbour = _neighbour(session, step)
    if neighbour is not None:
        open_of_study(session, neighbour)


def _neighbour(session: Session, step: int) -> int | None:
    """Return the number of the slide so many steps away in the study; None where it ends."""
    workspace = session.workspace
    if workspace is None:
        return None
    ids = [each.id for each in workspace.study.slides()]
    place = ids.index(workspace.slide_id) + step
    return ids[place] if 0 <= place < len(ids) else None
