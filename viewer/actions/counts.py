"""Count: what the mask says of the region in numbers, on the screen and in files."""

import json
import math
from pathlib import Path
from typing import Any

from segcore.annotations import Annotation, LabelMap
from viewer.actions.registry import action, has_mask
from viewer.document import MaskLayer, as_segmented
from viewer.jobs import Job
from viewer.jobs import counts as work
from viewer.jobs.counts import Masks
from viewer.session import Session, Workspace

NO_MASK = "Segment a region or paint a mask first."


@action(
    "measure.counts", "More figures…", menu="Measure", shortcut="Ctrl+Shift+M", icon="mdi6.chart-bar",
    enabled=has_mask, why_not=NO_MASK,
)  # fmt: skip
def show_counts(session: Session) -> None:
    """Show all numbers of the region: ratios, nests, the invasive front, and what a person has changed."""
    session.window_asked.emit("counts")


@action(
    "measure.export_counts", "Export figures…", menu="Measure", enabled=has_mask, why_not=NO_MASK,
)  # fmt: skip
def export_counts(session: Session) -> Job | None:
    """Write the numbers of the region and where they come from, as a table (CSV) or JSON."""
    workspace = session.workspace
    if workspace is None:
        return None
    suggestion = workspace.slide.path.with_name(f"{workspace.slide.path.stem}-figures.csv")
    path = session.ask.file_to_save("Export figures", suggestion, "Table (*.csv);;JSON (*.json)")
    return export_counts_to(session, path) if path is not None else None


def export_counts_to(session: Session, path: Path) -> Job | None:
    """Export without asking."""
    workspace = session.workspace
    if workspace is None:
        return None
    masks = masks_of(session, as_segmented(workspace.document))
    if masks is None:
        return None
    region, taxonomy, slide = session.region, session.taxonomy, workspace.slide
    runs = runs_in(workspace, region)

    def count_and_write(report: work.Report) -> None:
        figures = work.count(masks, region, taxonomy, report=report)
        work.export(path, figures, slide, runs, report=report)

    job = session.jobs.start(f"Exporting {path.name}", count_and_write, owner=workspace)
    job.succeeded.connect(lambda _: session.tell.wrote(f"The figures are in {path.name}.", path))
    job.failed.connect(session.tell_failure)
    return job


def count(session: Session, given: MaskLayer) -> Job | None:
    """Count in the region; the job gives `Figures`. None where there is no mask.

    `given` is the mask as models gave it.
    """
    masks = masks_of(session, given)
    if masks is None:
        return None
    region, taxonomy = session.region, session.taxonomy
    return session.jobs.start(
        "Counting",
        lambda report: work.count(masks, region, taxonomy, report=report),
        owner=session.workspace,
        quiet=True,
    )


def masks_of(session: Session, given: MaskLayer) -> Masks | None:
    """Return what lies around the region, of the mask as it is and of that which models gave."""
    workspace = session.workspace
    if workspace is None:
        return None
    now = _around(workspace.document.mask, session.region)
    if now is None:
        return None
    return Masks(now, _around(given, session.region) if given.tiles else None)


def runs_in(workspace: Workspace, region: Annotation | None) -> list[dict[str, Any]]:
    """Return what was recorded of the runs on a region, of all where there is none or it had none itself."""
    runs = [json.loads(each) for each in workspace.study.runs(workspace.slide_id)]
    mine = [each for each in runs if region and each.get("region", {}).get("id") == region.id]
    return mine or runs


def score_of(session: Session) -> dict[str, Any] | None:
    """Return what the last run on the region calls its tissue, as `TissueScore` says it; None where it does not."""
    workspace, region = session.workspace, session.region
    if workspace is None or region is None:
        return None
    runs = reversed(workspace.study.runs(workspace.slide_id))
    last = next((each for each in runs if f'"{region.id}"' in each), None)
    return json.loads(last).get("classification") if last is not None else None


def _around(mask: MaskLayer, region: Annotation | None) -> LabelMap | None:
    if mask.grid is None or region is None:
        return mask.label_map()
    scale = mask.grid.scale
    left, top, right, bottom = (each / scale for each in region.geometry.bounds)
    column, row = max(math.floor(left), 0), max(math.floor(top), 0)
    width, height = max(math.ceil(right) - column, 1), max(math.ceil(bottom) - row, 1)
    labels = mask.read(column, row, width, height)
    return LabelMap(labels, column, row, scale, mask.grid.mpp)
