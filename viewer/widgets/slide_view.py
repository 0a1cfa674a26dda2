from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from segcore.annotations.labelmap import Labels
from viewer.document import Edit
from viewer.rendering import AnnotationLayer, HeatmapLayer, MaskPainter, SlideLayer, TileLoader
from viewer.rendering.heatmap_layer import Heatmap
from viewer.rendering.tiles import TileKey
from viewer.rendering.viewport import Viewport
from viewer.session import Session, Workspace
from viewer.tools import MaskPreview
from viewer.widgets.scale_bar import paint_scale_bar

Key = tuple[int, int]


class SlideView(QWidget):
    """The slide with its layers, seen through a viewport. What the hand does is `Canvas`'s."""

    view_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.viewport = Viewport()
        self.loader: TileLoader | None = None
        self._slide_layer: SlideLayer | None = None
        self._mask = MaskPainter(session.taxonomy.classes)
        self._heat = HeatmapLayer()
        self._annotations = AnnotationLayer(
            {each.name: each.colour for each in session.taxonomy.classes}
        )
        self._stroke: Mapping[Key, Labels] = {}
        self._complete = False
        self._fitted = False
        self._background = QColor("#15171a")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 200)
        self.setAccessibleName("Slide")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._listen()

    def _listen(self) -> None:
        session = self.session
        session.opened.connect(self._open)
        session.closed.connect(lambda _: self._close())
        session.edited.connect(self._on_edit)
        session.streamed.connect(self._refresh_mask)
        session.selected.connect(lambda _: self.update())
        session.looks_changed.connect(lambda _: self._restyle())
        session.heatmap_changed.connect(self._show_heatmap)
        session.study_changed.connect(lambda _: self.update())

    # -- what is shown ------------------------------------------------------------------------

    def _open(self, workspace: Workspace) -> None:
        loader = TileLoader(workspace.slide)
        loader.loaded.connect(self._on_tile)
        loader.failed.connect(self.session.tell.error)
        loader.recovered.connect(lambda: self.session.tell.info("The slide can be read again."))
        self.loader = loader
        self._slide_layer = SlideLayer(
            loader.grid, int(self.session.settings["tile_cache_mb"]) * 2**20
        )
        self._show_mask()
        self._show_heatmap(workspace.heatmap)
        self.fit()
        self.setFocus()

    def _close(self) -> None:
        if self.loader is not None:
            self.loader.loaded.disconnect(self._on_tile)
            self.loader.close()
        self.loader = None
        self._slide_layer = None
        self._heat.show(None)
        self.update()

    def _on_tile(self, key: TileKey, image: QImage) -> None:
        if self._slide_layer is not None and self.sender() is self.loader:
            self._slide_layer.add(key, image)
            self.update()

    def _show_mask(self) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            mask = workspace.provisional or workspace.document.mask
            self._mask.show(mask.grid, workspace.shown_keys(), self._mask_tile)

    def _mask_tile(self, key: Key) -> Labels | None:
        if key in self._stroke:
            return self._stroke[key]
        workspace = self.session.workspace
        return workspace.shown_tile(key) if workspace is not None else None

    def _refresh_mask(self, dirty: frozenset[Key]) -> None:
        workspace = self.session.workspace
        if workspace is None:
            return
        keys = workspace.shown_keys() | frozenset(self._stroke)
        grid = (workspace.provisional or workspace.document.mask).grid
        if grid is not None and self._mask.grid != grid:
            self._mask.show(grid, keys, self._mask_tile)
            self.update()
        else:
            self._mask.update(keys, dirty)
            self.update(self._mask.rectangle(dirty, self.viewport).toAlignedRect())

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

    def _restyle(self) -> None:
        opacity = float(self.session.settings["mask.opacity"])
        workspace = self.session.workspace
        # Two fills over each other would hide both: under a heatmap the mask is its contours.
        explained = workspace is not None and workspace.heatmap is not None
        only = explained and not self.session.tool.paints  # who paints must see the paint
        self._mask.style(opacity, self.session.hidden_classes, contours_only=only)
        self.update()

    def set_background(self, colour: str) -> None:
        self._background = QColor(colour)
        self.update()

    # -- where we look ------------------------------------------------------------------------

    def look(self, view: Viewport) -> None:
        """Show another part of the slide."""
        workspace = self.session.workspace
        if workspace is None:
            return
        self._fitted = False
        self.viewport = view.clamped(*workspace.slide.dimensions)
        self._ask_for_tiles()
        self.view_changed.emit()
        self.update()

    def fit(self) -> None:
        if self.session.workspace is not None:
            x, y, width, height = self.session.workspace.slide.bounds
            self.look(self.viewport.fitted(x, y, x + width, y + height))
            self._fitted = True  # and stays so while the window changes its size

    def show_region(self, left: float, top: float, right: float, bottom: float) -> None:
        self.look(self.viewport.fitted(left, top, right, bottom))

    def zoom(self, factor: float) -> None:
        self.look(self.viewport.zoomed(factor, self.width() / 2, self.height() / 2))

    def set_scale(self, scale: float) -> None:
        self.zoom(self.viewport.scale / scale)

    def screenshot(self, path: Path) -> None:
        QApplication.processEvents()  # panels that have just changed their rows lay themselves out
        self.window().grab().save(str(path))

    @property
    def complete(self) -> bool:
        """Return whether the last painting had every tile at its own level."""
        return self._complete

    def _ask_for_tiles(self) -> None:
        if self.loader is not None and self._slide_layer is not None:
            self.loader.want(self._slide_layer.needed(self.viewport, self.devicePixelRatioF()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.viewport = self.viewport.resized(self.width(), self.height())
        if self._fitted:
            self.fit()
        else:
            self.look(self.viewport)

    # -- painting -----------------------------------------------------------------------------

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._background)
        workspace = self.session.workspace
        if workspace is None or self._slide_layer is None:
            return
        view = self.viewport
        self._complete = self._slide_layer.paint(painter, view, self.devicePixelRatioF())
        if self.session.show_mask:
            self._mask.paint(painter, view)
        self._heat.paint(painter, view, float(self.session.settings["heatmap.opacity"]))
        if self.session.show_annotations:
            everything = workspace.document.annotations.values()
            self._annotations.paint(painter, view, everything, workspace.selection)
        self.paint_over(painter)
        paint_scale_bar(painter, self.rect(), view.scale, workspace.slide.mpp)

    def paint_over(self, painter: QPainter) -> None:
        """Paint what belongs to the hand; nothing here."""

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
