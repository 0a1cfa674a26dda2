"""The classes of the study: which there are, what they are called, who has them."""

from pathlib import Path

from segcore.annotations import Class
from segcore.annotations.qupath_classes import read_qupath_classes, write_qupath_classes
from viewer.actions.registry import action, has_slide
from viewer.actions.table import give_class
from viewer.document import Document, Edit
from viewer.document.properties import rename_class
from viewer.session import Session
from viewer.session.classes import renamed

PATTERN = "QuPath classes (*.json);;All files (*)"


@action(
    "classes.edit", "Edit classes…", menu="Edit", icon="mdi6.palette-outline", enabled=has_slide
)
def edit_classes(session: Session) -> None:
    """Add, name, colour, order and remove the classes of this study."""
    session.window_asked.emit("classes")


@action("classes.import", "Import classes from QuPath…", menu="Edit", enabled=has_slide)
def import_classes(session: Session) -> None:
    """Add the classes of a QuPath project, from classes.json in its folder classifiers."""
    path = session.ask.file_to_open("Import classes", PATTERN)
    if path is not None:
        session.tell.info(import_from(session, path))


@action("classes.export", "Export classes for QuPath…", menu="Edit", enabled=has_slide)
def export_classes(session: Session) -> None:
    """Write the classes as a classes.json that QuPath reads."""
    path = session.ask.file_to_save("Export classes", Path("classes.json"), PATTERN)
    if path is not None:
        write_qupath_classes(path, session.taxonomy.classes)
        session.tell.wrote(f"{len(session.taxonomy.classes)} classes are in {path.name}.", path)


def import_from(session: Session, path: Path) -> str:
    """Add the classes of a file that are not there yet; return a sentence about it."""
    found = read_qupath_classes(path)
    added = session.classes.adopt(found)
    there = len(found) - added
    said = "1 class was" if added == 1 else f"{added} classes were"
    return f"{said} added; {there} of {path.name} {'was' if there == 1 else 'were'} there already."


def choose_numbered(session: Session, number: int) -> None:
    """Make the class of a number key the active one."""
    chosen = session.classes.numbered(number)
    if chosen is not None:
        session.set_class(chosen)


def give_numbered(session: Session, number: int) -> None:
    """Give the selected annotations the class of a number key."""
    chosen = session.classes.numbered(number)
    if chosen is None:
        return
    if session.selection:
        give_class(session, chosen.name)
    else:
        session.tell.info(
            f"Select annotations first, then Shift+{number} makes them {chosen.name}."
        )


def change_name(session: Session, each: Class, name: str) -> None:
    """Rename a class and what is derived from it; annotations that have it follow if the person wants so."""
    old = each.name
    new = session.classes.rename(each, name)
    documents = _documents(session)
    having = sum(
        renamed(one.class_name or "", old, new) is not None
        for document in documents
        for one in document.annotations.values()
    )
    question = (
        f"{having:,} annotations are {old}. Make them {new} too? Otherwise they keep the old name."
    )
    if having and session.ask.confirm(question, f"Make them {new}"):
        for document in documents:
            document.apply(_renaming(document, old, new))


def _renaming(document: Document, old: str, new: str) -> Edit:
    names = {name for name, _ in document.spatial.looks if name}
    pairs = {name: now for name in sorted(names) if (now := renamed(name, old, new)) is not None}
    return rename_class(document.annotations.values(), pairs)


def _documents(session: Session) -> list[Document]:
    """Return the documents of all slides of the study."""
    workspace = session.workspace
    study = workspace.study if workspace is not None else None
    return [study.document(slide.id) for slide in study.slides()] if study is not None else []
