"""Segment a region, set the pixel size."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from segcore.annotations import Annotation, LabelMap
from segcore.errors import StudyError
from segcore.slides.pixelsize import propose_mpp
from viewer.actions.registry import action, has_slide
from viewer.document import MASK_TILE, MaskLayer, corrected_pixels, edits
from viewer.jobs import Job, work
from viewer.session import Session, Workspace
from viewer.session.ports import Offer


@action(
    "segment.region", "Segment ROI", menu="Segment", shortcut="S", icon="mdi6.creation",
    enabled=has_slide,
)  # fmt: skip
def segment(session: Session) -> Job | None:
    """Find tumor, stroma, lymphocytes and necrosis in the selected region."""
    prepared = ready(session, "Segmenting")
    if prepared is None:
        return None
    workspace, region = prepared
    settings, accepted = session.settings, _accepted(workspace)
    job = session.jobs.start(
        f"Segmenting {region.name or 'region'}",
        lambda report: work.segment(
            workspace.slide,
            region,
            session.models,
            model=str(settings["model"]),
            alpha=float(settings["refine.alpha"]),
            sigma=float(settings["refine.sigma"]),
            accepted=accepted,
            stream=job.stream,
            report=report,
        ),
        owner=workspace,
    )
    job.streamed.connect(lambda part: _stream(session, workspace, part))
    job.succeeded.connect(lambda done: _adopt(session, workspace, region, done))
    job.cancelled.connect(lambda: _tell_cancelled(session, workspace, region))
    job.failed.connect(lambda error: session.tell_failure(error, lambda: segment(session)))
    job.finished.connect(lambda: session.streamed.emit(workspace.end_stream()))
    return job


@action("measure.pixel_size", "Set pixel size…", menu="Measure", enabled=has_slide)
def set_pixel_size(session: Session) -> bool:
    """Tell how many micrometres a pixel of this slide is wide."""
    workspace = session.workspace
    if workspace is None:
        return False
    slide = workspace.slide
    answer = session.ask.pixel_size(slide.name, slide.mpp or propose_mpp(slide))
    if answer is None:
        return False
    session.set_pixel_size(answer)
    return True


def ready(session: Session, verb: str) -> tuple[Workspace, Annotation] | None:
    """Return what an analysis needs, or tell what is missing."""
    workspace = session.workspace
    if workspace is None:
        return None
    busy = [job for job in session.jobs.running if not job.cancelling]
    if any(job.title.startswith(("Segmenting", "Explaining")) for job in busy):
        session.tell.info("An analysis is running; wait for it or cancel it first.")
        return None
    region = session.region
    if region is None:
        session.tell.info("Draw a region first: press R and drag over the tissue.")
        return None
    if workspace.slide.mpp is None and not set_pixel_size(session):
        session.tell.warn(f"{verb} needs the pixel size of the slide; set it under Measure.")
        return None
    return workspace, region


def _stream(session: Session, workspace: Workspace, part: LabelMap) -> None:
    if session.workspace is workspace:
        session.streamed.emit(workspace.stream(part))


def _tell_cancelled(session: Session, workspace: Workspace, region: Annotation) -> None:
    if session.workspace is not workspace:
        return
    found = workspace.provisional.label_map() if workspace.provisional is not None else None
    offers = []
    if found is not None:
        run = {
            "verb": "segment",
            "region": {"id": region.id, "name": region.name},
            "model": session.settings["model"],
            "cancelled": True,
        }
        keep = lambda: _put(session, workspace, region, found, run)  # noqa: E731 - a button's verb
        offers.append(Offer("Keep what was found", keep, closes=True))
    session.tell.info("Cancelled; the mask is as it was.", offers=offers)


def _adopt(
    session: Session,
    workspace: Workspace,
    region: Annotation,
    done: work.Segmented | work.Doubts,
) -> None:
    if isinstance(done, work.Doubts):
        _ask_anyway(session, workspace, region, done)
        return
    _put(session, workspace, region, done.labels, done.run)
    if not done.run["trained"] and session.workspace is workspace:
        session.tell.warn("This model is untrained: its mask means nothing yet.")


def _ask_anyway(
    session: Session, workspace: Workspace, region: Annotation, doubts: work.Doubts
) -> None:
    """Tell what speaks against the run; a yes is kept with the study, so that nobody is asked twice."""
    if session.workspace is not workspace:
        return

    def run() -> None:
        if session.workspace is not workspace:
            return
        accepted = sorted(_accepted(workspace) | doubts.concerns.keys())
        try:
            workspace.study.set_setting(_accepted_key(workspace), json.dumps(accepted))
        except StudyError as error:  # a mask could not be kept either
            session.tell.error(str(error))
            return
        if region.id not in workspace.selection:
            session.select(frozenset({region.id}))
        segment(session)

    offers = (
        Offer("Run anyway", run, closes=True),
        Offer("Don't", lambda: None, closes=True),
    )
    session.tell.info(f"{' '.join(doubts.concerns.values())} Run anyway?", offers=offers)


def _accepted(workspace: Workspace) -> frozenset[str]:
    """Return the names of the concerns despite which this slide is to be segmented."""
    return frozenset(
        json.loads(workspace.study.get_setting(_accepted_key(workspace), "[]") or "[]")
    )


def _accepted_key(workspace: Workspace) -> str:
    return f"accepted.{workspace.slide_id}"


def _put(
    session: Session, workspace: Workspace, region: Annotation, found: LabelMap, run: dict[str, Any]
) -> None:
    """Put what was found onto the mask, except where a person has corrected it."""
    if session.workspace is not workspace:
        return
    labels, kept = _without_corrections(workspace, found)
    edit = edits.replace_mask(workspace.document.mask, labels, region.name or "region")
    if kept:
        session.tell.info(f"{kept:,} pixels that were corrected by hand stay as they are.")
    if session.apply(edit):
        if region.id not in workspace.selection:
            session.select(frozenset({region.id}))
        try:
            workspace.study.record_run(workspace.slide_id, json.dumps(run))
            session.composition_changed.emit(session.composition)  # its score is in the study now
        except StudyError as error:
            session.tell.warn(f"The mask is there, but not how it was made: {error}")


def _without_corrections(workspace: Workspace, found: LabelMap) -> tuple[LabelMap, int]:
    """Return `found` with 0 (leave as it is) where a person has corrected the mask, and how many pixels."""
    document = workspace.document
    if document.mask.grid is None or not document.mask.grid.fits(found.scale):
        return found, 0
    height, width = found.labels.shape
    left, top = found.column // MASK_TILE, found.row // MASK_TILE
    right, bottom = (found.column + width - 1) // MASK_TILE, (found.row + height - 1) // MASK_TILE
    keys = frozenset((c, r) for c in range(left, right + 1) for r in range(top, bottom + 1))
    corrected = MaskLayer(
        document.mask.grid,
        {key: mine.astype(np.uint8) for key, mine in corrected_pixels(document, keys).items()},
    )
    by_hand = corrected.read(found.column, found.row, width, height) > 0
    kept = int(np.count_nonzero(by_hand & (found.labels > 0)))
    return replace(found, labels=np.where(by_hand, 0, found.labels).astype(np.uint8)), kept
