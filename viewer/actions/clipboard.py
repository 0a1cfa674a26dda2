"""Copy and paste of annotations, here and between programs."""

from collections.abc import Sequence
from dataclasses import replace

from shapely import Point

from segcore.annotations import Annotation, annotations_from_text, text_from_annotations
from viewer.actions.exchange import adopt_classes
from viewer.actions.registry import action, has_selection, has_slide
from viewer.actions.sentences import counted, listed
from viewer.actions.table import SELECT_FIRST
from viewer.document import Document, Edit, shaping
from viewer.jobs.exchange import new_classes
from viewer.session import Session, Workspace
from viewer.session.ports import Offer

ASIDE = 20.0  # screen pixels from an annotation to what would be pasted over it
ROUNDED = 0.02  # level-0 pixels by which GeoJSON may move a vertex


@action(
    "edit.copy", "Copy", menu="Edit", shortcut="Ctrl+C", icon="mdi6.content-copy",
    enabled=has_selection, why_not=SELECT_FIRST,
)  # fmt: skip
def copy(session: Session) -> None:
    """Put the selected annotations on the clipboard, for here, for QuPath, or as text."""
    if session.workspace is None:
        return
    chosen = session.selection
    session.clipboard.put(
        text_from_annotations(chosen, slide=session.workspace.slide, taxonomy=session.taxonomy)
    )
    session.tell.info(f"{counted(len(chosen), 'annotation')} can be pasted here, in QuPath, or as text.")  # fmt: skip


@action(
    "edit.paste", "Paste", menu="Edit", shortcut="Ctrl+V", icon="mdi6.content-paste",
    enabled=has_slide,
)  # fmt: skip
def paste(session: Session) -> None:
    """Add the annotations on the clipboard, copied here, in QuPath, or as GeoJSON."""
    workspace, text = session.workspace, session.clipboard.geojson()
    if workspace is None:
        return
    if text is None:
        session.tell.info("There are no annotations on the clipboard; copy some with Ctrl+C, here or in QuPath.")  # fmt: skip
        return
    slide, taxonomy = workspace.slide, session.taxonomy
    found, report = annotations_from_text(text, slide=slide, taxonomy=taxonomy)
    if found:
        adopt_classes(session, new_classes(found, taxonomy))
        edit = _pasted(session, workspace, found)
        session.apply(edit)
        session.select(frozenset(each.id for each in edit.changes))
        out = len(found) - len(edit.changes)
        if out:
            session.tell.info(f"{counted(out, 'annotation')} would lie outside this slide and stayed out.")  # fmt: skip
    if report.skipped or not found:
        _tell_lost(session, len(found), report.skipped)


def _pasted(session: Session, workspace: Workspace, found: list[Annotation]) -> Edit:
    """Return an edit that adds copies, a little aside where they would lie on what they were copied from."""
    width, height = workspace.slide.dimensions
    edit = shaping.transfer(found, width=width, height=height)
    if _covers_itself(edit, workspace.document):
        aside = ASIDE * session.view.viewport.scale
        edit = shaping.duplicate(found, aside, width=width, height=height)
    return replace(edit, name=f"Paste {counted(len(edit.changes), 'annotation')}")


def _covers_itself(edit: Edit, document: Document) -> bool:
    """Whether the first of what is added lies exactly on what is there."""
    first = edit.changes[0].after
    shape = first.geometry if first is not None else Point()
    return any(
        each.geometry.equals_exact(shape, ROUNDED, normalize=True)
        for each in document.spatial.within(shape.bounds)
    )


def _tell_lost(session: Session, pasted: int, skipped: Sequence[str]) -> None:
    if not skipped:
        session.tell.info("What is on the clipboard holds no annotations.")
        return
    text = f"{len(skipped):,} on the clipboard could not be read" + ("." if pasted else "; nothing was pasted.")  # fmt: skip
    details = Offer("Details…", lambda: session.tell.page("Paste", listed("What was left out", skipped)))  # fmt: skip
    session.tell.info(text, offers=[details])
