"""Ask why: maps of where a network looked, how sure it is, how far to trust the map."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from viewer.actions.analyse import ready
from viewer.actions.registry import action, has_slide
from viewer.jobs import Job
from viewer.jobs import explain as work
from viewer.jobs.explain import Explained, Method
from viewer.rendering.heatmap_layer import Heatmap
from viewer.session import Session, Workspace

OF_A_CLASS = frozenset({"grad_cam", "shap"})
TASK = "Explaining"
NO_MAP = "There is no heatmap; press Y to ask why first."


@action(
    "explain.grad_cam", "Why? Grad-CAM", menu="Explain", shortcut="Y", icon="mdi6.head-question-outline",
    enabled=has_slide,
)  # fmt: skip
def grad_cam(session: Session) -> Job | None:
    """Show where the network looked for the active class in the region (attention, not diagnosis)."""
    return _explain(session, "grad_cam")


@action("explain.shap", "Why? SHAP", menu="Explain", shortcut="Alt+Y", enabled=has_slide)
def shap(session: Session) -> Job | None:
    """Show which pixels of the region spoke for the active class, and which against it."""
    return _explain(session, "shap")


@action("explain.uncertainty", "Uncertainty", menu="Explain", enabled=has_slide)
def uncertainty(session: Session) -> Job | None:
    """Show where in the region the network is unsure of its answer."""
    return _explain(session, "uncertainty")


@action("explain.robustness", "Stain robustness", menu="Explain", enabled=has_slide)
def robustness(session: Session) -> Job | None:
    """Show where the answer flips when the stain varies and the picture is turned or mirrored."""
    return _explain(session, "robustness")


def shown(session: Session) -> Heatmap | None:
    """Return the heatmap over the slide."""
    return session.workspace.heatmap if session.workspace is not None else None


def has_heatmap(session: Session) -> bool:
    return shown(session) is not None


def _is_of_a_class(session: Session) -> bool:
    heatmap = shown(session)
    return heatmap is not None and heatmap.heat.class_name is not None


@action(
    "explain.check", "Check this map", menu="Explain", icon="mdi6.scale-balance", enabled=_is_of_a_class,
    why_not="Only a map of one class can be checked: Grad-CAM or SHAP.",
)  # fmt: skip
def check(session: Session) -> Job | None:
    """Measure whether what the map marks matters to the network, and how much of it lies on glass."""
    workspace, heatmap = session.workspace, shown(session)
    if workspace is None or heatmap is None:
        return None
    if any(job.title == f"Checking {heatmap.heat.title}" for job in session.jobs.running):
        return None
    job = session.jobs.start(
        f"Checking {heatmap.heat.title}",
        lambda report: work.check(
            workspace.slide, heatmap.heat, session.models, model=heatmap.model, report=report
        ),
        owner=workspace,
    )
    job.succeeded.connect(
        lambda readout: _put(session, workspace, heatmap, replace(heatmap, readout=readout))
    )
    job.failed.connect(session.tell_failure)
    return job


@action(
    "explain.export", "Export the heatmap…", menu="Explain", enabled=has_heatmap, why_not=NO_MAP,
)  # fmt: skip
def export(session: Session) -> Job | None:
    """Write the map's numbers (OME-TIFF) and a picture of it with its legend (PNG)."""
    workspace, heatmap = session.workspace, shown(session)
    if workspace is None or heatmap is None:
        return None
    name = heatmap.heat.title.lower().replace(" ", "-")
    suggestion = workspace.slide.path.with_name(f"{workspace.slide.path.stem}-{name}.ome.tif")
    path = session.ask.file_to_save("Export the heatmap", suggestion, "OME-TIFF (*.ome.tif *.tif)")
    if path is None:
        return None
    job = session.jobs.start(
        f"Exporting {path.name}",
        lambda report: work.export(
            path, workspace.slide, heatmap.heat, heatmap.region, report=report
        ),
        owner=workspace,
    )
    job.succeeded.connect(lambda picture: _tell_export(session, path, picture))
    job.failed.connect(session.tell_failure)
    return job


@action(
    "explain.clear", "Hide the heatmap", menu="Explain", shortcut="Shift+Y", enabled=has_heatmap,
    why_not="There is no heatmap to hide.",
)  # fmt: skip
def clear_heatmap(session: Session) -> None:
    """Remove the heatmap; it is not kept with the study."""
    session.set_heatmap(None)


def _explain(session: Session, method: Method) -> Job | None:
    """Make a map of the region; the one that is shown stays until it is there."""
    for job in session.jobs.running:
        if job.title.startswith(TASK):
            job.cancel()  # the map that is asked for last is the one that is wanted
    prepared = ready(session, TASK)
    if prepared is None:
        return None
    workspace, region = prepared
    model, layer = str(session.settings["model"]), str(session.settings["explain.layer"])
    name = session.active_class.name
    about = name if method in OF_A_CLASS else method
    job = session.jobs.start(
        f"{TASK} {about}",
        lambda report: work.explain(
            workspace.slide,
            region,
            session.models,
            model=model,
            method=method,
            class_name=name,
            layer=layer,
            report=report,
        ),
        owner=workspace,
    )

    def show(done: Explained) -> None:
        heatmap = Heatmap(done.heat, region, model, done.layers, done.layer)
        _put(session, workspace, workspace.heatmap, heatmap)

    job.succeeded.connect(show)
    again = partial(_explain, session, method)
    job.failed.connect(lambda error: session.tell_failure(error, again))
    return job


def _put(
    session: Session, workspace: Workspace, instead_of: Heatmap | None, heatmap: Heatmap
) -> None:
    """Show a heatmap in the place of another, unless that one has gone meanwhile."""
    if session.workspace is workspace and workspace.heatmap is instead_of:
        session.set_heatmap(heatmap)


def _tell_export(session: Session, path: Path, picture: Path) -> None:
    session.tell.wrote(f"The map is in {path.name}, its picture in {picture.name}.", path)
