from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QApplication

from viewer.session import Session
from viewer.session.ports import PictureOptions
from viewer.tools import MaskPreview, Outline, Pointer, Preview
from viewer.tools.select import pick
from viewer.widgets.hand import Hand
from viewer.widgets.slide_view import SlideView
from viewer.widgets.view_picture import export_picture

CLICK_SLOP = 4  # screen pixels
PICK_REACH = 6  # screen pixels


class Canvas(SlideView):
    """The slide under the hand: mouse and keys in, gestures driven, their previews painted."""

    pointed = Signal(object)
    """(x, y) in level-0 pixels under the cursor, or None."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.hand = Hand(session, self._on_preview)
        self._cursor: QPointF | None = None
        self._grabbed_at = QPoint()
        self._space = False
        session.tool_changed.connect(lambda _: self._on_tool())
        session.closed.connect(lambda _: self.hand.drop())

    # -- pictures -----------------------------------------------------------------------------

    def copy_picture(self) -> None:
        """Put the canvas on the clipboard."""
        QApplication.clipboard().setPixmap(self.grab())

    def export_picture(self, path: Path, options: PictureOptions) -> None:
        """Write the view to a file, read anew at the fineness that is wanted."""
        export_picture(self.session, self, path, options)

    # -- previews -----------------------------------------------------------------------------

    def paint_over(self, painter: QPainter) -> None:
        self._paint_outline(painter)
        self._paint_footprint(painter)

    def _paint_outline(self, painter: QPainter) -> None:
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

    def _on_preview(self, before: Preview | None) -> None:
        preview = self.hand.preview
        if isinstance(preview, MaskPreview):
            self.show_stroke(preview)
        elif isinstance(before, MaskPreview):
            self.end_stroke()
        else:
            self.update()

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
            self._grabbed_at = event.position().toPoint()
            self.grab_at(self._grabbed_at)
            self._set_cursor()
        elif left:
            self.hand.press(self._pointer("press", event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self._cursor = self._cursor, event.position()
        self.pointed.emit(self.viewport.to_slide(self._cursor.x(), self._cursor.y()))
        if self.panning:
            self.drag_to(event.position().toPoint())
        elif self.hand.busy:
            down = bool(event.buttons() & Qt.MouseButton.LeftButton)
            self.hand.send(self._pointer("drag" if down else "move", event))
        if self.session.tool.paints:
            self._update_footprint(before)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.panning:
            moved = event.position().toPoint() - self._grabbed_at
            self.let_go()
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
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            steps = event.angleDelta().y() / 120
            opacity = float(self.session.settings["mask.opacity"]) + 0.05 * steps
            self.session.settings["mask.opacity"] = min(max(opacity, 0.0), 1.0)
            self.session.looks_changed.emit(None)
            event.accept()
        else:
            super().wheelEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        before, self._cursor = self._cursor, None
        self._update_footprint(before)
        self.pointed.emit(None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = self.hand.busy and event.key() in _GESTURE_KEYS
            if own or _pans(event):
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
        elif _pans(event):
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
        self._restyle()

    def _set_cursor(self) -> None:
        if self.panning:
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


def _pans(event: QKeyEvent) -> bool:
    """Tell whether this is an arrow key alone; with others it is a shortcut."""
    alone = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return alone and event.key() in _PAN_KEYS


_GESTURE_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)
_PAN_KEYS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
