import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely

from segcore.annotations import Annotation, Class, Taxonomy
from segcore.errors import AcinusError, StudyError
from viewer.document import Edit, Event, StoredEdit
from viewer.jobs import Job, JobRunner
from viewer.jobs.models import Models
from viewer.rendering.adjustment import Adjustment
from viewer.rendering.heatmap_layer import Heatmap
from viewer.session.beside import Beside
from viewer.session.classes import Classes
from viewer.session.composition import Composition
from viewer.session.opening import open_path
from viewer.session.ports import Ask, Clipboard, Tell, View
from viewer.session.proposals import Proposals
from viewer.session.tissue import SlideTissue
from viewer.session.workspace import OpenedSlide, Workspace, make_workspace
from viewer.settings import Settings
from viewer.tools import Context, Tool, tool_named

log = logging.getLogger(__name__)

TOGETHER = 50
"""Selected areas that are taken as one region; of more than that, one is."""


class Session:
    """The state of the program, and the few verbs that change which slide is in it."""

    view: View
    clipboard: Clipboard
    """Both set by the window once it is built."""
    left_behind: tuple[tuple[Annotation, ...], float | None] = ((), None)
    """What was selected on the slide that was closed last, and the pixel size of that slide."""

    def __init__(self, *, settings: Settings, jobs: JobRunner, tell: Tell, ask: Ask) -> None:
        self.settings = settings
        self.jobs = jobs
        self.tell = tell
        self.ask = ask
        self.models = Models()
        self.classes = Classes()
        self.classes_changed = self.classes.changed
        self.classes_changed.connect(
            lambda _: self.set_class(self.classes.again(self.active_class))
        )
        self.workspace: Workspace | None = None
        self.composition: Composition | None = None
        self.tool: Tool = tool_named("move")
        self.active_class: Class = self.classes.taxonomy.classes[0]
        self.hidden_classes: frozenset[int] = frozenset()
        self.show_annotations = True
        self.show_mask = True
        self.show_overview = True
        self.show_grid = False
        self.show_adjustments = False
        self.shows_labels = False  # until the person has agreed to see what may name the patient
        self.beside = Beside(self)
        self.adjustment = Adjustment()
        self.opened: Event[Workspace] = Event()
        self.closed: Event[None] = Event()
        self.edited: Event[Edit] = Event()
        self.streamed: Event[frozenset[tuple[int, int]]] = Event()
        self.selected: Event[frozenset[str]] = Event()
        self.tool_changed: Event[Tool] = Event()
        self.class_changed: Event[Class] = Event()
        self.looks_changed: Event[None] = Event()
        self.places_changed: Event[None] = Event()
        self.adjusted: Event[Adjustment] = Event()
        self.model_changed: Event[str] = Event()
        self.heatmap_changed: Event[Heatmap | None] = Event()
        self.composition_changed: Event[Composition | None] = Event()
        self.study_changed: Event[None] = Event()
        self.window_asked: Event[str] = Event()
        """A window beside this one is wanted: "table" or "classes"."""
        self.proposals = Proposals(self)

    # -- opening and closing ------------------------------------------------------------------

    def open(self, path: Path | str) -> Job | None:
        """Open a slide or a study; the window stays usable meanwhile. None if it cannot even be begun."""
        return open_path(self, Path(path))

    def adopt(self, opened: OpenedSlide, study_path: Path | None) -> None:
        """Take up a slide that was opened, in the place of the one that is open."""
        self.close()
        try:
            workspace = make_workspace(opened, study_path)
        except StudyError as error:
            opened.slide.close()
            self.tell.error(str(error))
            return
        self.workspace = workspace
        self.classes.follow(workspace.study)
        workspace.tissue = SlideTissue(
            workspace.slide, self.models, lambda: str(self.settings["model"])
        )
        workspace.document.edited.connect(self._on_edit)
        workspace.study.trouble.connect(self.tell.warn)
        workspace.study.saved.connect(lambda _: self.study_changed.emit(None))
        self.settings.remember(study_path or opened.slide.path)
        self._recompose()
        self.opened.emit(workspace)
        for trouble in _troubles(workspace, self.classes):
            self.tell.warn(trouble)

    def close(self) -> None:
        """Close the slide; every finished edit is in the study already."""
        if self.workspace is None:
            return
        if self.selection:
            self.left_behind = tuple(self.selection), self.workspace.slide.mpp
        workspace, self.workspace = self.workspace, None
        self.jobs.cancel_of(workspace)
        self._set_composition(None)
        self.beside.close()
        workspace.places.leave(self.view.viewport)
        self.closed.emit(None)
        self.classes.follow(None)
        workspace.close()

    def tell_failure(self, error: Exception, retry: Callable[[], Any] | None = None) -> None:
        """Tell a failed job: a known error in its own sentence, a bug as such."""
        if isinstance(error, AcinusError):
            self.tell.error(str(error), retry=retry)
        else:
            text = "Something went wrong inside Acinus; your edits are saved."
            self.tell.error(text, details=f"{type(error).__name__}: {error}", retry=retry)

    # -- state --------------------------------------------------------------------------------

    @property
    def taxonomy(self) -> Taxonomy:
        """The classes of the study."""
        return self.classes.taxonomy

    @property
    def selection(self) -> list[Annotation]:
        """Return the selected annotations."""
        if self.workspace is None:
            return []
        held = self.workspace.document.annotations
        return [held[key] for key in self.workspace.selection if key in held]

    @property
    def region(self) -> Annotation | None:
        """Return the ROI that an analysis takes: the selected areas as one, else the one drawn last."""
        if self.workspace is None:
            return None
        if 1 < len(self.workspace.selection) <= TOGETHER:
            areas = [each for each in self.selection if shapely.area(each.geometry) > 0]
            if len(areas) > 1:
                return _together(tuple(areas))
        for candidates in (self.selection, self.workspace.document.annotations.from_top()):
            for each in candidates:
                if shapely.area(each.geometry) > 0:
                    return each
        return None

    def select(self, ids: frozenset[str]) -> None:
        if self.workspace is not None and ids != self.workspace.selection:
            self.workspace.selection = ids
            self._recompose()
            self.selected.emit(ids)

    def set_tool(self, tool: Tool) -> None:
        if tool != self.tool:
            self.tool = tool
            self.tool_changed.emit(tool)

    def give_back_tool(self) -> None:
        """Return to Move after a shape was drawn, as hands from QuPath expect."""
        self.set_tool(tool_named("move"))

    def set_class(self, chosen: Class) -> None:
        self.active_class = chosen
        self.class_changed.emit(chosen)

    def apply(self, edit: Edit | None, *, stored: StoredEdit | None = None) -> bool:
        """Do an edit; False where it is empty or the study refuses it, which is then told.

        `stored` is its stored form where a job made it beforehand.
        """
        if self.workspace is None or edit is None or edit.is_empty:
            return False
        try:
            self.workspace.document.apply(edit, stored=stored)
        except StudyError as error:
            self.tell.error(str(error))
            return False
        return True

    def adjust(self, adjustment: Adjustment) -> None:
        """Show tissue otherwise; analysis never sees it."""
        if adjustment != self.adjustment:
            self.adjustment = adjustment
            self.adjusted.emit(adjustment)

    def set_heatmap(self, heatmap: Heatmap | None) -> None:
        if self.workspace is not None:
            self.workspace.heatmap = heatmap
            self.heatmap_changed.emit(heatmap)

    def set_pixel_size(self, mpp: float) -> None:
        """Store the person's answer with the study."""
        if self.workspace is not None:
            self.workspace.study.set_mpp(self.workspace.slide_id, mpp)
            self.workspace.slide.mpp = mpp
            self.study_changed.emit(None)

    def context(self) -> Context | None:
        """Return what a gesture that begins now may know."""
        if self.workspace is None:
            return None
        width, height = self.workspace.slide.dimensions
        return Context(
            self.workspace.document,
            width,
            height,
            self.workspace.default_grid,
            self.active_class.name,
            self.active_class.code,
            float(self.settings["brush.size"]),
            on_mask=self.settings["paint.on"] == "mask",
            selection=tuple(self.selection),
            mpp=self.workspace.slide.mpp,
            tissue=self.workspace.tissue,
        )

    # -- inside -------------------------------------------------------------------------------

    def _on_edit(self, edit: Edit) -> None:
        workspace = self.workspace
        if workspace is None:
            return
        held = workspace.document.annotations
        kept = frozenset(key for key in workspace.selection if key in held)
        if kept != workspace.selection:
            self.select(kept)
        if self.composition is None or edit.changes or edit.grid is not None:
            self._recompose()
        elif edit.tiles:
            self.composition.update(workspace.document.mask, [each.key for each in edit.tiles])
            self.composition_changed.emit(self.composition)
        self.edited.emit(edit)

    def _recompose(self) -> None:
        if self.workspace is None or self.workspace.document.mask.grid is None:
            self._set_composition(None)
            return
        region = self.region
        composition = Composition(self.workspace.document.mask, region)
        self._set_composition(composition)

    def _set_composition(self, composition: Composition | None) -> None:
        self.composition = composition
        self.composition_changed.emit(composition)


@lru_cache(maxsize=1)  # asked for at every edit, while the selection stays
def _together(areas: tuple[Annotation, ...]) -> Annotation:
    """Return several areas as one region, under the id of the first."""
    union = shapely.union_all([each.geometry for each in areas])
    return Annotation(union, name=f"{len(areas)} regions", id=areas[0].id)


def _troubles(workspace: Workspace, classes: Classes) -> list[str]:
    """Return what a person should know of a study that was opened."""
    troubles = [each for each in (workspace.places.damaged, classes.damaged) if each]
    if workspace.study.read_only:
        holder = workspace.study.holder
        troubles.append(f"This study is open elsewhere ({holder}); here it can only be read.")
    return troubles
