"""One open slide with its study and document."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from segcore.annotations import LabelMap
from segcore.annotations.labelmap import Labels
from segcore.errors import StudyError
from segcore.progress import Report
from segcore.slides import Slide, open_slide, read_scaled
from segcore.slides.base import Rgb
from viewer.document import Document, MaskGrid, MaskLayer, Study, default_study_path
from viewer.rendering.heatmap_layer import Heatmap
from viewer.session.places import Places
from viewer.session.visits import Visits
from viewer.tools import Tissue

DEFAULT_MASK_MPP = 0.5
THUMBNAIL = 512


@dataclass(frozen=True, eq=False)
class OpenedSlide:
    """What opening reads of a slide, on a thread."""

    slide: Slide
    fingerprint: str
    thumbnail: Rgb
    """What lies within the slide's bounds, in the colours of a screen."""


def load_slide(path: Path, report: Report) -> OpenedSlide:
    """Check the file in a child process, open it and read its thumbnail. Raises SlideError."""
    from segcore.slides.fingerprint import fingerprint  # noqa: PLC0415 - keeps the start quick
    from segcore.slides.preflight import check_slide  # noqa: PLC0415 - likewise

    report(0.1, "checking the file")
    check_slide(path)
    report(0.5, "opening")
    slide = open_slide(
        path, report=lambda fraction, text="": report(0.5 + 0.2 * fraction, text), pyramid=True
    )
    report(0.7, "reading the overview")
    return OpenedSlide(slide, fingerprint(path), _overview(slide))


def _overview(slide: Slide) -> Rgb:
    """Return the slide within its bounds, small, in the colours of a screen."""
    from segcore.slides.colour_management import to_srgb  # noqa: PLC0415 - keeps the start quick

    left, top, width, height = slide.bounds
    scale = max(1.0, max(width, height) / THUMBNAIL)
    across, down = max(1, round(width / scale)), max(1, round(height / scale))
    pixels = read_scaled(slide, left=left, top=top, scale=scale, width=across, height=down)
    shown = to_srgb(pixels, slide.icc_profile) if slide.icc_profile else pixels
    return pixels if shown is None else shown


@dataclass(eq=False)
class Workspace:
    """The slide in the window: its pixels, its study, its document, and what is shown over it."""

    slide: Slide
    thumbnail: Rgb
    study: Study
    slide_id: int
    document: Document
    places: Places
    heatmap: Heatmap | None = None
    provisional: MaskLayer | None = None
    """What a running segmentation has found so far; not part of the document."""
    selection: frozenset[str] = field(default_factory=frozenset)
    visits: Visits | None = None
    """The places of a region at which the network is not sure, once they were asked for."""
    tissue: Tissue | None = None
    """What gestures may see of the slide."""

    @property
    def default_grid(self) -> MaskGrid | None:
        """Return the mask grid in use, or the one a first stroke would start."""
        if self.document.mask.grid is not None:
            return self.document.mask.grid
        mpp = self.slide.mpp
        return None if mpp is None else MaskGrid(DEFAULT_MASK_MPP / mpp, DEFAULT_MASK_MPP)

    def shown_tile(self, key: tuple[int, int]) -> Labels | None:
        """Return the mask tile as it should be seen: the running segmentation over the document."""
        present = self.document.mask.tiles.get(key)
        running = self.provisional.tiles.get(key) if self.provisional is not None else None
        if running is None or present is None:
            return present if running is None else running
        return np.where(running > 0, running, present)

    def shown_keys(self) -> frozenset[tuple[int, int]]:
        """Return which mask tiles there are to see."""
        keys = frozenset(self.document.mask.tiles)
        return keys | frozenset(self.provisional.tiles) if self.provisional is not None else keys

    def stream(self, part: LabelMap) -> frozenset[tuple[int, int]]:
        """Show `part` of a running segmentation; return the mask tiles that changed."""
        if self.provisional is None:
            self.provisional = MaskLayer(MaskGrid(part.scale, part.mpp))
        changes = self.provisional.paste(part.labels, part.column, part.row, where=part.labels > 0)
        self.provisional.update(changes)
        return frozenset(each.key for each in changes)

    def end_stream(self) -> frozenset[tuple[int, int]]:
        """Forget the running segmentation; return the mask tiles that changed."""
        keys = frozenset(self.provisional.tiles) if self.provisional is not None else frozenset()
        self.provisional = None
        return keys

    def close(self) -> None:
        self.study.close()
        self.slide.close()


def make_workspace(opened: OpenedSlide, study_path: Path | None = None) -> Workspace:
    """Join an opened slide with its study, which is made where there is none. Main thread.

    Raises StudyError; the slide is then still open.
    """
    slide = opened.slide
    path = study_path or default_study_path(slide.path, opened.fingerprint)
    study = Study.open(path, create=True)
    known = [each for each in study.slides() if each.fingerprint == opened.fingerprint]
    if known:
        slide_id = known[0].id
        if known[0].mpp is not None:
            slide.mpp = known[0].mpp
    elif study.read_only:
        study.close()
        raise StudyError(
            f"{path.name} does not know this slide and is open elsewhere; close it there."
        )
    else:
        slide_id = study.add_slide(slide.path, opened.fingerprint, *slide.dimensions, slide.mpp)
    document, places = study.document(slide_id), Places(study, slide_id)
    return Workspace(slide, opened.thumbnail, study, slide_id, document, places)
