"""From the mask to annotations and back."""

import math

import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation
from segcore.annotations.raster import rasterize
from viewer.actions.registry import action, has_mask, has_selection, has_slide
from viewer.document import FILL, edits
from viewer.jobs import Job, work
from viewer.jobs.provenance import origin_of
from viewer.session import Session, Workspace
from viewer.tools import Refusal
from viewer.tools.mask_fill import fill_inside


@action(
    "mask.to_annotations", "Mask to annotations", menu="Segment", icon="mdi6.vector-polygon",
    enabled=has_mask, why_not="Segment a region or paint a mask first.",
)  # fmt: skip
def to_annotations(session: Session) -> Job | None:
    """Outline each area of the mask, inside the selected shapes where there are any; the outlines are locked."""
    workspace = session.workspace
    labels = workspace.document.mask.label_map() if workspace is not None else None
    if workspace is None or labels is None:
        return None
    inside = [each for each in session.selection if shapely.area(each.geometry) > 0]
    taxonomy = session.taxonomy
    origin = origin_of(workspace.study.runs(workspace.slide_id))
    job = session.jobs.start(
        "Outlining the mask",
        lambda report: work.outline(labels, inside, taxonomy, origin=origin, report=report),
        owner=workspace,
    )
    job.succeeded.connect(lambda found: _add(session, workspace, found))
    job.failed.connect(session.tell_failure)
    return job


def _add(session: Session, workspace: Workspace, found: list[Annotation]) -> None:
    if session.workspace is not workspace:
        return
    if not found:
        session.tell.info("The mask has no areas here; segment the region first.")
        return
    session.apply(edits.add(found, name=f"Outline {len(found):,} areas of the mask"))
    session.tell.info(f"{len(found):,} areas of the mask are annotations now; they are locked.")


@action(
    "mask.fill", "Fill the mask inside", menu="Segment", shortcut="Shift+F", icon="mdi6.format-color-fill",
    enabled=has_selection, why_not="Select an area whose inside is to be filled.",
)  # fmt: skip
def fill(session: Session) -> None:
    """Give the mask the active class inside the selected shapes: a polygon that paints."""
    context = session.context()
    result = fill_inside(context) if context is not None else None
    if isinstance(result, Refusal):
        session.tell.warn(result.text)
    else:
        session.apply(result)


@action(
    "mask.from_annotations", "Annotations to mask", menu="Segment",
    enabled=has_slide,
)  # fmt: skip
def from_annotations(session: Session) -> None:
    """Paint the mask with each annotation's own class: the selected ones, or all; the later lies above."""
    workspace = session.workspace
    grid = workspace.default_grid if workspace is not None else None
    if workspace is None:
        return
    if grid is None:
        session.tell.warn("Set the pixel size under Measure before you paint a mask.")
        return
    shapes = _classed(session)
    if not shapes:
        session.tell.info("There are no areas with a class; give them one first.")
        return
    left, top, right, bottom = shapely.total_bounds([shape for _, shape in shapes]) / grid.scale
    column, row = math.floor(left), math.floor(top)
    labels = rasterize(
        shapes,
        shape=(math.ceil(bottom) - row, math.ceil(right) - column),
        column=column,
        row=row,
        scale=grid.scale,
    )
    session.apply(
        edits.paint(
            workspace.document.mask,
            labels,
            column,
            row,
            where=labels > 0,
            name=f"{FILL} by {len(shapes):,} annotations",
            grid=grid,
        )
    )


def _classed(session: Session) -> list[tuple[int, BaseGeometry]]:
    """Return the mask value and shape of each area with a class: of the selected ones, else of all."""
    if session.workspace is None:
        return []
    codes = {each.name: each.code for each in session.taxonomy.classes}
    chosen = session.selection or session.workspace.document.annotations.values()
    return [
        (codes[each.class_name], each.geometry)
        for each in chosen
        if each.class_name in codes and shapely.area(each.geometry) > 0
    ]
