from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from segcore.annotations.labelmap import Labels
from viewer.document import Edit
from viewer.rendering import AnnotationLayer, HeatmapLayer, MaskPainter, SlideLayer, TileLoader
from viewer.rendering.heatmap_layer import Heatmap
from viewer.rendering.viewport import Viewport
from viewer.session import Session, Workspace
from viewer.tools import MaskPreview, Outline, Pointer, Preview
from viewer.tools.select import pick
from viewer.widgets.hand import Hand
from viewer.widgets.scale_bar import paint_scale_bar

CLICK_SLOP = 4  # screen pixels
PICK_REACH = 6  # screen pixels
WHEEL_NOTCH = 1.3  # magnification per notch of 120 units
Key = tuple[int, int]


class Canvas(QWidget):
    """The slide: events in, gestures driven, layers painted."""

    view_changed = Signal()
    pointed = Signal(object)
    """(x, y) in level-0 pixels under the cursor, or None."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.viewport = Viewport()
        self.hand = Hand(session, self._repaint_preview)
        self.loader: TileLoader | None = None
        self._slide_layer: SlideLayer | None = None
        self._mask = MaskPainter({each.code: each.colour for each in session.taxonomy.classes})
        self._heat = HeatmapLayer()
        self._annotations = AnnotationLayer(
            {each.name: each.colour for each in session.taxonomy.classes}
        )
        self._cursor: QPointF | None = None
        self._grab: QPoint | None = None
        self._grabbed_at: QPoint | None = None
        self._space = False
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
        session.tool_changed.connect(lambda _: self._on_tool())

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
        self.hand.drop()
        if self.loader is not None:
            self.loader.loaded.disconnect(self._on_tile)
            self.loader.close()
        self.loader = None
        self._slide_layer = None
        self._heat.show(None)
        self.update()

    def _on_tile(self, key: object, image: object) -> None:
        if self._slide_layer is not None and self.sender() is self.loader:
            self._slide_layer.add(key, image)  # type: ignore[arg-type] - Signal payloads are untyped
            self.update()

    def _show_mask(self) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            mask = workspace.provisional or workspace.document.mask
            self._mask.show(mask.grid, workspace.shown_keys(), self._mask_tile)

    def _mask_tile(self, key: Key) -> Labels | None:
        preview, workspace = self.hand.preview, self.session.workspace
        if isinstance(preview, MaskPreview) and key in preview.tiles:
            return preview.tiles[key]
        return workspace.shown_tile(key) if workspace is not None else None

    def _refresh_mask(self, dirty: frozenset[Key]) -> None:
        workspace = self.session.workspace
        if workspace is None:
            return
        keys = workspace.shown_keys()
        if isinstance(self.hand.preview, MaskPreview):
            keys |= frozenset(self.hand.preview.tiles)
        grid = (workspace.provisional or workspace.document.mask).grid
        if self._mask.grid != grid and grid is not None:
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
        self.update()

    def _restyle(self) -> None:
        opacity = float(self.session.settings["mask.opacity"])
        self._mask.style(opacity, self.session.hidden_classes)
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
        self.window().grab().save(str(path))

    def finish_gesture(self) -> None:
        self.hand.drop()

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
        self._paint_preview(painter)
        self._paint_footprint(painter)
        paint_scale_bar(painter, self.rect(), view.scale, workspace.slide.mpp)

    def _paint_preview(self, painter: QPainter) -> None:
        preview = self.hand.preview
        if not isinstance(preview, Outline):
            return
        points = [QPointF(*self.viewport.to_screen(x, y)) for x, y in preview.points]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(255, 255, 0), 2))
        painter.setBrush(QColor(255, 255, 0, 28))
        painter.drawPolygon(QPolygonF(points))
        if self.session.tool.name == "polygon":
            painter.setBrush(QColor(255, 255, 0))
            for point in points[:-1]:
                painter.drawEllipse(point, 3.0, 3.0)

    def _paint_footprint(self, painter: QPainter) -> None:
        tool = self.session.tool
        if not tool.paints or self._cursor is None or self._space:
            return
        radius = float(self.session.settings["brush.size"]) / 2
        erasing = tool.name == "erase"
        colour = QColor("white") if erasing else QColor(*self.session.active_class.colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for tone, width in ((QColor(0, 0, 0, 160), 4.0), (colour, 2.0)):
            painter.setPen(QPen(tone, width))
            painter.drawEllipse(self._cursor, radius, radius)

    def _repaint_preview(self, before: Preview | None) -> None:
        preview = self.hand.preview
        if isinstance(preview, MaskPreview):
            if self._mask.grid is None:
                self._mask.show(preview.grid, preview.tiles, self._mask_tile)
            self._refresh_stroke(preview.dirty)
        elif isinstance(before, MaskPreview):
            self._refresh_mask(frozenset(before.tiles))
        else:
            self.update()

    def _refresh_stroke(self, dirty: frozenset[Key]) -> None:
        workspace, preview = self.session.workspace, self.hand.preview
        if workspace is not None and isinstance(preview, MaskPreview):
            self._mask.update(workspace.shown_keys() | frozenset(preview.tiles), dirty)
            self.update(self._mask.rectangle(dirty, self.viewport).toAlignedRect())

    # -- the hand -----------------------------------------------------------------------------

    def _pointer(self, kind: str, event: QMouseEvent) -> Pointer:
        x, y = self.viewport.to_slide(event.position().x(), event.position().y())
        keys = event.modifiers()
        return Pointer(
            kind,  # type: ignore[arg-type] - the callers pass literals
            x,
            y,
            self.viewport.scale,
            shift=bool(keys & Qt.KeyboardModifier.ShiftModifier),
            alt=bool(keys & Qt.KeyboardModifier.AltModifier),
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        left = event.button() == Qt.MouseButton.LeftButton
        pans = self._space or self.session.tool.begin is None
        if event.button() == Qt.MouseButton.MiddleButton or (left and pans):
            self._grab = self._grabbed_at = event.position().toPoint()
            self._set_cursor()
        elif left:
            self.hand.press(self._pointer("press", event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self._cursor = self._cursor, event.position()
        self.pointed.emit(self.viewport.to_slide(self._cursor.x(), self._cursor.y()))
        if self._grab is not None:
            now = event.position().toPoint()
            step = now - self._grab
            self._grab = now
            self.look(self.viewport.panned(step.x(), step.y()))
        elif self.hand.busy:
            down = bool(event.buttons() & Qt.MouseButton.LeftButton)
            self.hand.send(self._pointer("drag" if down else "move", event))
        if self.session.tool.paints:
            self._update_footprint(before)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grab is not None:
            moved = event.position().toPoint() - (self._grabbed_at or self._grab)
            self._grab = None
            self._set_cursor()
            if moved.manhattanLength() <= CLICK_SLOP and not self._space:
                self._select_at(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.hand.send(self._pointer("release", event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.hand.busy:
            self.hand.send(self._pointer("double", event))
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            opacity = float(self.session.settings["mask.opacity"]) + 0.05 * steps
            self.session.settings["mask.opacity"] = min(max(opacity, 0.0), 1.0)
            self.session.looks_changed.emit(None)
        else:
            at = event.position()
            self.look(self.viewport.zoomed(WHEEL_NOTCH**steps, at.x(), at.y()))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        before, self._cursor = self._cursor, None
        self._update_footprint(before)
        self.pointed.emit(None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = self.hand.busy and event.key() in _GESTURE_KEYS
            if own or event.key() in _PAN_KEYS:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = True
            self._set_cursor()
        elif key == Qt.Key.Key_Escape:
            self._escape()
        elif self.hand.busy and key in _GESTURE_KEYS:
            at = self._cursor or QPointF()
            kind = "back" if key == Qt.Key.Key_Backspace else "finish"
            self.hand.send(Pointer(kind, *self.viewport.to_slide(at.x(), at.y())))
        elif key in _PAN_KEYS:
            across, down = _PAN_KEYS[Qt.Key(key)]
            self.look(self.viewport.panned(across * self.width() / 6, down * self.height() / 6))
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self._resize_brush(1.2 if key == Qt.Key.Key_BracketRight else 1 / 1.2)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._set_cursor()
        else:
            super().keyReleaseEvent(event)

    def _escape(self) -> None:
        if self.hand.busy:
            self.hand.drop()
        elif self.session.tool.begin is not None:
            self.session.give_back_tool()
        else:
            self.session.select(frozenset())

    def _select_at(self, event: QMouseEvent) -> None:
        workspace = self.session.workspace
        if workspace is None or not self.session.show_annotations:
            return
        x, y = self.viewport.to_slide(event.position().x(), event.position().y())
        found = pick(workspace.document, x, y, PICK_REACH * self.viewport.scale)
        adding = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        kept = workspace.selection if adding else frozenset()
        self.session.select(kept ^ {found.id} if found is not None else kept)

    def _resize_brush(self, factor: float) -> None:
        size = min(max(float(self.session.settings["brush.size"]) * factor, 4.0), 500.0)
        self.session.settings["brush.size"] = size
        self.update()

    def _on_tool(self) -> None:
        self.hand.drop()
        self._set_cursor()
        self.update()

    def _set_cursor(self) -> None:
        if self._grab is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space or self.session.tool.begin is None:
            shape = Qt.CursorShape.OpenHandCursor if self._space else Qt.CursorShape.ArrowCursor
        elif self.session.tool.paints:
            shape = Qt.CursorShape.BlankCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        self.setCursor(shape)

    def _update_footprint(self, before: QPointF | None) -> None:
        radius = float(self.session.settings["brush.size"]) / 2 + 4
        for at in (before, self._cursor):
            if at is not None:
                rect = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
                self.update(rect.toAlignedRect())


_GESTURE_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)
_PAN_KEYS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
