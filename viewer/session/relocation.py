"""Slides of a study that are no longer where they were."""

from pathlib import Path

from segcore.errors import StudyError
from segcore.slides.fingerprint import fingerprint
from viewer.document import Study, StudySlide
from viewer.session.ports import Ask

ANY_FILE = "All files (*)"


def first_slide(study_path: Path, ask: Ask) -> Path | None:
    """Return where the first slide of a study is; None if the person does not know. Raises StudyError."""
    with Study.open(study_path) as study:
        slides = study.slides()
        if not slides:
            raise StudyError(f"{study_path.name} holds no slide; open the slide itself.")
        here = next((each for each in slides if study.locate(each.id)), slides[0])
        return find_slide(study, here, ask)


def find_slide(study: Study, slide: StudySlide, ask: Ask) -> Path | None:
    """Return where a slide is, asking the person if it is gone; None if they do not know either.

    The answer is kept in the study, and other slides that are gone are looked for beside it. Raises
    StudyError where the answer is another slide.
    """
    path = study.locate(slide.id)
    if path is not None:
        return path
    question = f"{slide.path.name} is not in {slide.path.parent} any more. Where is it now?"
    if not ask.confirm(question, "Look for it…"):
        return None
    path = ask.file_to_open(f"Where is {slide.path.name}?", ANY_FILE)
    if path is None:
        return None
    if fingerprint(path) != slide.fingerprint:
        raise StudyError(
            f"{path.name} is another slide than the {slide.path.name} of this study; choose the same one."
        )
    if not study.read_only:
        study.relink(slide.id, path)
        _find_others(study, path.parent)
    return path


def _find_others(study: Study, folder: Path) -> None:
    for each in study.slides():
        beside = folder / each.path.name
        gone = study.locate(each.id) is None and beside.is_file()
        if gone and fingerprint(beside) == each.fingerprint:
            study.relink(each.id, beside)
