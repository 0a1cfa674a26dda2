"""Refining what is seen again while sliders move, from what the last segmentation predicted."""

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap
from segcore.annotations.raster import region_mask
from viewer.document import Proposal, corrected_window
from viewer.jobs import Job, work
from viewer.session.workspace import Workspace

if TYPE_CHECKING:
    from viewer.session.session import Session

REFINE = "Refine"
MARGIN = 48
"""Mask pixels around what is seen that take part, so that its border is as it will be for the whole region."""


class Refining:
    """Proposes the mask of the visible part of the region as the present settings would refine it."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._job: Job | None = None
        self._moved = False

    def again(self) -> None:
        """Refine with the settings as they are now; where that goes on already, once more after it."""
        session, workspace = self._session, self._session.workspace
        if self._job is not None:
            self._moved = True
            self._job.cancel()
            return
        region = session.region
        if workspace is None or region is None or session.proposals.scribbles:
            return
        grid = workspace.document.mask.grid
        seen = shapely.box(*session.view.viewport.visible)
        if grid is None or not region.geometry.intersects(seen):
            return
        around = shapely.intersection(region.geometry, seen.buffer(MARGIN * grid.scale))
        settings = session.settings
        job = session.jobs.start(
            "Refining what is seen",
            lambda report: work.refine(
                workspace.slide,
                around,
                session.models,
                model=str(settings["model"]),
                alpha=float(settings["refine.alpha"]),
                sigma=float(settings["refine.sigma"]),
                report=report,
            ),
            owner=workspace,
            quiet=True,
        )
        self._job = job
        job.succeeded.connect(lambda found: self._show(workspace, found, seen))
        job.failed.connect(session.tell_failure)
        job.cancelled.connect(self._go_on)  # before the runner finds itself idle
        job.finished.connect(lambda: self._forget(job))

    def _forget(self, job: Job) -> None:
        if self._job is job:
            self._job = None

    def _go_on(self) -> None:
        self._job = None
        if self._moved:
            self._moved = False
            self.again()

    def _show(self, workspace: Workspace, found: LabelMap | None, seen: BaseGeometry) -> None:
        session, grid = self._session, workspace.document.mask.grid
        if session.workspace is not workspace or found is None or grid is None:
            return
        if not grid.fits(found.scale) or session.proposals.scribbles:
            return
        column, row = found.column, found.row
        height, width = found.labels.shape
        before = workspace.document.mask.read(column, row, width, height)
        inside = region_mask(
            seen, column=column, row=row, width=width, height=height, scale=grid.scale
        )
        by_hand = corrected_window(workspace.document, column, row, width, height)
        changes = inside & ~by_hand & (found.labels > 0)
        after = np.where(changes, found.labels, before)
        session.proposals.show(Proposal(REFINE, grid, column, row, before, after))
