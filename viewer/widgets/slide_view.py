from collections.abc import Mapping
from pathlib import Path

from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication

from segcore.annotations import Taxonomy
from segcore.annotations.labelmap import Labels
from viewer.document import Edit
from viewer.rendering import (
    AnnotationLayer,
    HeatmapLayer,
    MaskPainter,
    ProposalLayer,
    paint_scribbles,
)
from viewer.rendering.grid import paint_grid
from viewer.rendering.heatmap_layer import Heatmap
from viewer.rendering.place_mark import paint_place
from viewer.rendering.viewport import Viewport
from viewer.session import Session, Workspace
from viewer.tools import MaskPreview
from viewer.widgets.slide_pane import SlidePane

Key = tuple[int, int]


class SlideView(SlidePane):
    """The session's slide with mask, heatmap and annotations. What the hand does is `Canvas`'s."""

    def __init__(self, session: Session) -> None:
        super().__init__(int(session.settings["tile_cache_mb"]) * 2**20)
        self.session = session
        self._mask = MaskPainter(session.taxonomy.classes)
        self._heat = HeatmapLayer()
        self._annotations = AnnotationLayer(
            {each.name: each.colour for each in session.taxonomy.classes}
        )
        self._annotations.unfinished.connect(self.update)
        self._stroke: Mapping[Key, Labels] = {}
        self._proposed: Mapping[Key, Labels | None] = {}
        self._difference = ProposalLayer()
        self.lifted: frozenset[str] = frozenset()
        """Annotations that a gesture shows elsewhere."""
        self.setAccessibleName("Slide")
        self.trouble.connect(session.tell.error)
        self.recovered.connect(lambda: session.tell.info("The slide can be read again."))
        self._listen()

    def _listen(self) -> None:
        session = self.session
        session.opened.connect(self._open)
        session.closed.connect(lambda _: self._close())
        session.edited.connect(self._on_edit)
        session.streamed.connect(self._refresh_mask)
        session.selected.connect(lambda _: self.update())
        session.looks_changed.connect(lambda _: self._restyle())
        session.adjusted.connect(self.adjust)
        session.heatmap_changed.connect(self._show_heatmap)
        session.classes_changed.connect(self._recolour)
        session.study_changed.connect(lambda _: self.update())
        session.proposals.changed.connect(lambda _: self._show_proposal())

    # -- what is shown ------------------------------------------------------------------------

    def _open(self, workspace: Workspace) -> None:
        self._show_mask()
        self._show_heatmap(workspace.heatmap)
        self.show_slide(workspace.slide)
        last = workspace.places.last
        if last is not None:
            self.look(last.seen_from(self.viewport))
        self.setFocus()

    def _close(self) -> None:
        self._heat.show(None)
        self._annotations.forget()
        self.drop_slide()

    def _show_mask(self) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            mask = workspace.provisional or workspace.document.mask
            self._mask.show(mask.grid, workspace.shown_keys(), self._mask_tile)

    def _mask_tile(self, key: Key) -> Labels | None:
        if key in self._stroke:
            return self._stroke[key]
        if key in self._proposed:
            return self._proposed[key]
        workspace = self.session.workspace
        return workspace.shown_tile(key) if workspace is not None else None

    def _refresh_mask(self, dirty: frozenset[Key]) -> None:
        workspace = self.session.workspace
        if workspace is None:
            return
        keys = workspace.shown_keys() | frozenset(self._stroke) | frozenset(self._proposed)
        grid = (workspace.provisional or workspace.document.mask).grid
        if grid is not None and self._mask.grid != grid:
            self._mask.show(grid, keys, self._mask_tile)
            self.update()
        else:
            self._mask.update(keys, dirty)
            self._update_mask_area(dirty)

    def _show_proposal(self) -> None:
        """Show the mask as it would be, or as it is to compare."""
        workspace, proposals = self.session.workspace, self.session.proposals
        proposal = None if proposals.shows_before else proposals.current
        before, self._proposed = frozenset(self._proposed), {}
        if workspace is None:
            return
        if proposal is not None:
            self._proposed = proposal.tiles(workspace.document.mask)
        if proposal is not None and self._mask.grid is None:
            self._mask.show(proposal.grid, self._proposed, self._mask_tile)
        self._refresh_mask(before | frozenset(self._proposed))
        self.update()

    def _update_mask_area(self, dirty: frozenset[Key]) -> None:
        if self.viewport.is_upright:
            self.update(self._mask.rectangle(dirty, self.viewport).toAlignedRect())
        else:
            self.update()

    def _on_edit(self, edit: Edit) -> None:
        if edit.grid is not None:
            self._show_mask()
            self.update()
        elif edit.tiles:
            self._refresh_mask(frozenset(each.key for each in edit.tiles))
        if edit.changes:
            self.update()

    def _show_heatmap(self, heatmap: Heatmap | None) -> None:
        self._heat.show(heatmap)
        self._restyle()

    def _recolour(self, taxonomy: Taxonomy) -> None:
        self._mask.set_classes(taxonomy.classes)
        self._annotations.set_colours({each.name: each.colour for each in taxonomy.classes})
        self.update()

    def _restyle(self) -> None:
        self.manage_colours(bool(self.session.settings["colour.managed"]))
        opacity = float(self.session.settings["mask.opacity"])
        workspace = self.session.workspace
        # Two fills over each other would hide both: under a heatmap the mask is its contours.
        explained = workspace is not None and workspace.heatmap is not None
        only = explained and not self.session.tool.paints  # who paints must see the paint
        hatched = bool(self.session.settings["mask.hatched"])
        hidden = self.session.hidden_classes
        self._mask.style(opacity, hidden, contours_only=only, hatched=hatched)
        self.update()

    # -- painting -----------------------------------------------------------------------------

    def paint_layers(self, painter: QPainter, view: Viewport) -> None:
        workspace = self.session.workspace
        if workspace is None:
            return
        if self.session.show_mask:
            self._mask.paint(painter, view)
        proposals = self.session.proposals
        if proposals.current is not None:
            compares = proposals.shows_before
            self._difference.paint(painter, view, proposals.current, outline_only=compares)
        paint_scribbles(painter, view, proposals.scribbles, self.code_colour)
        self._heat.paint(painter, view, float(self.session.settings["heatmap.opacity"]))
        if self.session.show_annotations:
            self._annotations.paint(
                painter,
                view,
                workspace.document,
                workspace.selection,
                lifted=self.lifted,
                at_once=painter.device() is not self,  # a picture to be kept has all of them
            )
        if self.session.show_grid:
            paint_grid(painter, view, workspace.slide.dimensions, workspace.slide.mpp)

    def paint_over(self, painter: QPainter) -> None:
        """Mark the uncertain place that is looked at."""
        workspace = self.session.workspace
        visits = workspace.visits if workspace is not None else None
        if visits is not None and visits.current is not None:
            at, size = (visits.current.x, visits.current.y), visits.current.size
            paint_place(painter, self.viewport, at, size, visits.text(self.session.taxonomy))

    def class_colour(self, name: str | None) -> QColor:
        """Return the colour that annotations of a class have."""
        return self._annotations.class_colour(name)

    def code_colour(self, code: int) -> QColor:
        """Return the colour of a class by its value in masks, white where it has none."""
        colours = {each.code: each.colour for each in self.session.taxonomy.classes}
        return QColor(*colours.get(code, (255, 255, 255)))

    def screenshot(self, path: Path) -> None:
        QApplication.processEvents()  # panels that have just changed their rows lay themselves out
        self.window().grab().save(str(path))

    # -- a stroke under way -------------------------------------------------------------------

    def show_stroke(self, stroke: MaskPreview) -> None:
        """Show mask tiles as they will be, before the document has them."""
        self._stroke = stroke.tiles
        if self._mask.grid is None:
            self._mask.show(stroke.grid, stroke.tiles, self._mask_tile)
        self._refresh_mask(stroke.dirty)

    def end_stroke(self) -> None:
        """Show the document's own tiles again."""
        touched, self._stroke = frozenset(self._stroke), {}
        self._refresh_mask(touched)
