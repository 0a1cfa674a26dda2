from pathlib import Path

from shapely.geometry import box

from segcore.annotations import Annotation
from segcore.config import user_data
from viewer.actions.projects import open_file
from viewer.actions.registry import action, has_mask, has_slide
from viewer.document import edits
from viewer.jobs import work
from viewer.session import Session


@action("file.open", "Open slide…", menu="File", shortcut="Ctrl+O", icon="mdi6.folder-open-outline")
def open_slide(session: Session) -> None:
    """Open a slide, an image, a study, or a project of QuPath."""
    path = session.ask.slide_to_open()
    if path is not None:
        open_file(session, path)


@action("file.sample", "Open the sample slide", menu="File", icon="mdi6.flower-outline")
def open_sample(session: Session) -> None:
    """Open a slide that Acinus paints itself; the first time takes about half a minute."""
    path = user_data() / "sample" / "acinus-sample.tif"
    job = session.jobs.start(
        "Painting the sample slide", lambda report: work.make_sample(path, report=report)
    )
    job.succeeded.connect(lambda sample: _show_sample(session, *sample))
    job.failed.connect(lambda error: session.tell_failure(error, lambda: open_sample(session)))


def _show_sample(session: Session, path: Path, region: work.Box) -> None:
    """Open the sample with a region already drawn, so that one key shows what the program does."""
    job = session.open(path)
    if job is not None:
        job.finished.connect(lambda: _suggest_region(session, path, region))


def _suggest_region(session: Session, path: Path, region: work.Box) -> None:
    workspace = session.workspace
    if workspace is None or workspace.slide.path != path:
        return
    left, top, width, height = region
    if not workspace.document.annotations:
        suggested = Annotation(box(left, top, left + width, top + height), name="ROI 1")
        session.apply(edits.add([suggested], name="Suggested region"))
        session.select(frozenset({suggested.id}))
        session.tell.info("Press S to segment the outlined region.")
    session.view.show_region(left, top, left + width, top + height)


@action("file.close", "Close slide", menu="File", shortcut="Ctrl+W", enabled=has_slide)
def close_slide(session: Session) -> None:
    """Close the slide; every edit is saved already."""
    session.close()


@action("file.save_as", "Save study as…", menu="File", shortcut="Ctrl+Shift+S", enabled=has_slide)
def save_as(session: Session) -> None:
    """Copy the study to another place and go on working there."""
    workspace = session.workspace
    if workspace is None:
        return
    suggestion = workspace.slide.path.with_suffix(".acinus")
    path = session.ask.file_to_save("Save study as", suggestion, "Acinus study (*.acinus)")
    if path is not None:
        workspace.study.save_as(path)
        session.study_changed.emit(None)
        session.tell.wrote(f"The study is now {path.name}.", path)


@action(
    "file.export_tiles", "Export training tiles…", menu="File", icon="mdi6.grid", enabled=has_mask,
    why_not="Segment a region or paint a mask first.",
)  # fmt: skip
def export_tiles(session: Session) -> None:
    """Write image and mask tiles with a manifest, for retraining."""
    workspace = session.workspace
    if workspace is None:
        return
    suggestion = workspace.slide.path.with_name(f"{workspace.slide.name}-tiles")
    folder = session.ask.folder_to_make("Export training tiles", suggestion)
    if folder is not None:
        export_tiles_to(session, folder)


def export_tiles_to(session: Session, folder: Path) -> None:
    """Export without asking."""
    workspace = session.workspace
    labels = workspace.document.mask.label_map() if workspace is not None else None
    if workspace is None or labels is None:
        return
    slide = workspace.slide
    job = session.jobs.start(
        "Exporting tiles",
        lambda report: work.export_tiles(folder, slide, labels, session.taxonomy, report=report),
        owner=workspace,
    )
    job.succeeded.connect(
        lambda n: session.tell.wrote(f"{n:,} tiles are in {folder.name}.", folder)
    )
    job.failed.connect(
        lambda error: session.tell_failure(error, lambda: export_tiles_to(session, folder))
    )
