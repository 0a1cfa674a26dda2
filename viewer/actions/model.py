"""Which model segments: a bundle, or a package of another program after a person has answered for it."""

from pathlib import Path

from viewer.actions.registry import action
from viewer.jobs import Job
from viewer.jobs.packages import (
    PackageAnswer,
    PackageQuestion,
    installed_models,
    keep_answer,
    look_into,
)
from viewer.session import Session


@action("segment.model", "Choose the model…", menu="Segment", icon="mdi6.brain")
def choose_model(session: Session) -> None:
    """Segment with another bundle, or with a package of another program."""
    chosen = session.ask.model_to_use(installed_models(), str(session.settings["model"]))
    if chosen is not None:
        use_model(session, chosen)


def use_model(session: Session, name: str) -> Job:
    """Take the model of that name or path from the next segmentation on; what it leaves open is asked."""
    job = session.jobs.start(
        f"Looking into {Path(name).name}", lambda report: look_into(name, report)
    )
    job.succeeded.connect(lambda question: _ask(session, name, question))
    job.failed.connect(session.tell_failure)
    return job


def _ask(session: Session, name: str, question: PackageQuestion | None) -> None:
    answer = session.ask.about_package(question) if question is not None else None
    if question is not None and answer is None:
        session.tell.info(f"{question.name} was not run; the model is as it was.")
        return
    job = session.jobs.start(
        f"Loading {Path(name).name}", lambda _: _load(session, name, question, answer)
    )
    job.succeeded.connect(lambda title: _take(session, name, title))
    job.failed.connect(session.tell_failure)


def _load(
    session: Session, name: str, question: PackageQuestion | None, answer: PackageAnswer | None
) -> str:
    """Load the model, so that what cannot be used is told now; return its title."""
    if question is not None and answer is not None:
        keep_answer(question.path, answer)
    return session.models.get(name).card.title


def _take(session: Session, name: str, title: str) -> None:
    session.settings["model"] = name
    session.model_changed.emit(name)
    session.tell.info(f"The next segmentation is made with {title}.")
