from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)

from viewer.session import Session
from viewer.session.ports import PictureOptions
from viewer.tools import Pointer
from viewer.tools.reshape import grip, would_grip
from viewer.widgets.choosing import choose_at, choose_below, choose_for_menu
from viewer.widgets.hand_view import HandView
from viewer.widgets.key_hand import ARROWS
from viewer.widgets.view_picture import copy_picture, export_picture, picture_size

CLICK_SLOP = 4  # screen pixels
FEW_SELECTED = (
    20  # so many at most are asked on every move of the mouse whether they can be gripped
)
BRUSH = (4.0, 500.0)  # screen pixels


class Canvas(HandView):
    """The slide under the hand: mouse, pen and keys in, gestures driven, their previews painted."""

    pointed = Signal(object)
    """(x, y) in level-0 pixels under the cursor, or None."""
    menu_wanted = Signal(QPoint)
    """Where on the screen a menu about the selection should open."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._grabbed_at = QPoint()
        self._pen = (1.0, False)
        session.tool_changed.connect(lambda _: self._on_tool())

    # -- pictures -----------------------------------------------------------------------------

    @property
    def picture_size(self) -> tuple[int, int]:
        """Return the screen pixels of a picture of what is seen, both slides where two are shown."""
        return picture_size(self)

    def copy_picture(self) -> None:
        """Put what is seen on the clipboard."""
        copy_picture(self.session, self)

    def export_picture(self, path: Path, options: PictureOptions) -> None:
        """Write the view to a file, read anew at the fineness that is wanted."""
        export_picture(self.session, self, path, options)

    # -- mouse and pen ------------------------------------------------------------------------

    def _pointer(self, kind: str, event: QMouseEvent) -> Pointer:
        x, y = self.viewport.to_slide(event.position().x(), event.position().y())
        keys = event.modifiers()
        pressure, rubs = self._pen
        return Pointer(
            kind,  # type: ignore[arg-type] - the callers pass literals
            x,
            y,
            self.viewport.scale,
            shift=bool(keys & Qt.KeyboardModifier.ShiftModifier),
            alt=bool(keys & Qt.KeyboardModifier.AltModifier) or rubs,
            ctrl=bool(keys & Qt.KeyboardModifier.ControlModifier),
            pressure=pressure,
        )

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Note how hard a pen presses and with which end; the mouse event that follows does the rest."""
        lifted = event.type() == QEvent.Type.TabletRelease
        rubs = event.pointerType() == QPointingDevice.PointerType.Eraser
        self._pen = (1.0, False) if lifted else (max(event.pressure(), 0.05), rubs)
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        self._grabbed_at = event.position().toPoint()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan()
        elif event.button() == Qt.MouseButton.LeftButton:
            if self.holds_space or (
                self.session.tool.begin is None and not self._grip("press", event)
            ):
                self._pan()
            else:
                self.hand.press(self._pointer("press", event))

    def _pan(self) -> None:
        self.grab_at(self._grabbed_at)
        self._set_cursor()

    def _grip(self, kind: str, event: QMouseEvent) -> bool:
        """Begin what the Move tool does to shapes; False where it does nothing here."""
        context = self.session.context() if self.session.show_annotations else None
        gesture = grip(self._pointer(kind, event), context) if context is not None else None
        if gesture is not None:
            self.hand.begin(gesture)
        return gesture is not None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self.cursor_at = self.cursor_at, event.position()
        self.pointed.emit(self.viewport.to_slide(self.cursor_at.x(), self.cursor_at.y()))
        if self.panning:
            self.drag_to(event.position().toPoint())
        elif self.hand.busy:
            down = bool(event.buttons() & Qt.MouseButton.LeftButton)
            self.hand.send(self._pointer("drag" if down else "move", event))
        elif self.session.tool.begin is None:
            self._set_cursor(event)
        if self.session.tool.paints:
            self.update_footprint(before)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved = event.position().toPoint() - self._grabbed_at
        clicked = moved.manhattanLength() <= CLICK_SLOP
        if self.panning:
            self.let_go()
            self._set_cursor()
            if clicked and not self.holds_space:
                choose_at(self.session, self.viewport, event)
        elif event.button() == Qt.MouseButton.LeftButton:
            came_to_something = self.hand.send(self._pointer("release", event))
            if clicked and not came_to_something and self.session.tool.begin is None:
                choose_at(self.session, self.viewport, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.hand.busy:
            self.hand.send(self._pointer("double", event))
        elif self.session.tool.begin is not None:
            self.mousePressEvent(event)
        elif event.button() == Qt.MouseButton.LeftButton and not self._grip("double", event):
            choose_below(self.session, self.viewport, event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = (event.angleDelta().y() or event.angleDelta().x()) / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            opacity = float(self.session.settings["mask.opacity"]) + 0.05 * steps
            self.session.settings["mask.opacity"] = min(max(opacity, 0.0), 1.0)
            self.session.looks_changed.emit(None)
            event.accept()
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and self.session.tool.paints:
            self._resize_brush(1.2**steps)
            event.accept()
        else:
            super().wheelEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        before, self.cursor_at = self.cursor_at, None
        self.update_footprint(before)
        self.pointed.emit(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu about what lies here, which is selected first."""
        if not self.hand.busy:
            choose_for_menu(self.session, self.viewport, event.pos())
            self.menu_wanted.emit(event.globalPos())

    # -- keys ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = self.hand.busy and (event.key() in _GESTURE_KEYS or _takes_back(event))
            if own or _pans(event) or self.keys.wants(event):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.holds_space = True
            self._set_cursor()
        elif key == Qt.Key.Key_Escape:
            self._escape()
        elif self.keys.wants(event):
            self._draw_by_key(event)
        elif self.hand.busy and _takes_back(event):
            self._take_back(event)
        elif self.hand.busy and key in _GESTURE_KEYS:
            at = self.cursor_at or QPointF()
            kind = "back" if key == Qt.Key.Key_Backspace else "finish"
            self.hand.send(Pointer(kind, *self.viewport.to_slide(at.x(), at.y())))
        elif _pans(event):
            across, down = ARROWS[Qt.Key(key)]
            self.look(self.viewport.panned(across * self.width() / 6, down * self.height() / 6))
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self._resize_brush(1.2 if key == Qt.Key.Key_BracketRight else 1 / 1.2)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.holds_space = False
            self._set_cursor()
        else:
            super().keyReleaseEvent(event)

    def _take_back(self, event: QKeyEvent) -> None:
        """Undo within the gesture: the last vertex, or all of it; never an edit that was finished before."""
        if not event.matches(QKeySequence.StandardKey.Undo):
            return  # there is nothing to redo in a gesture
        if self.session.tool.by_vertices:
            at = self.cursor_at or QPointF()
            self.hand.send(Pointer("back", *self.viewport.to_slide(at.x(), at.y())))
        else:
            self.hand.drop()

    def _draw_by_key(self, event: QKeyEvent) -> None:
        if event.key() in ARROWS:
            self.look(self.keys.arrow(event, self.viewport))
            self.keys.moved(self.viewport)
        else:
            self.keys.enter(self.viewport)
        self.update()

    def _escape(self) -> None:
        if self.hand.busy:
            self.hand.drop()
        elif self.session.tool.begin is not None:
            self.session.give_back_tool()
        else:
            self.session.select(frozenset())

    # -- brush and cursor ---------------------------------------------------------------------

    def _resize_brush(self, factor: float) -> None:
        size = min(max(float(self.session.settings["brush.size"]) * factor, BRUSH[0]), BRUSH[1])
        self.session.settings["brush.size"] = size
        self.update()

    def _on_tool(self) -> None:
        self.hand.drop()
        self._set_cursor()
        self._restyle()

    def _set_cursor(self, event: QMouseEvent | None = None) -> None:
        if self.panning:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self.holds_space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.session.tool.begin is None:
            shape = _CURSORS[self._gripped(event) if event is not None else ""]
        elif self.session.tool.paints:
            shape = Qt.CursorShape.BlankCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        if shape != self.cursor().shape():
            self.setCursor(shape)

    def _gripped(self, event: QMouseEvent) -> str:
        """Return what a press here would grip."""
        workspace = self.session.workspace
        if workspace is None or not 0 < len(workspace.selection) <= FEW_SELECTED:
            return ""
        return would_grip(self.session.selection, self._pointer("move", event))


def _pans(event: QKeyEvent) -> bool:
    """Tell whether this is an arrow key alone; with others it is a shortcut."""
    alone = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return alone and event.key() in ARROWS


def _takes_back(event: QKeyEvent) -> bool:
    undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
    return event.matches(undo) or event.matches(redo)


_GESTURE_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)
_CURSORS = {
    "": Qt.CursorShape.ArrowCursor,
    "vertex": Qt.CursorShape.CrossCursor,
    "edge": Qt.CursorShape.SizeAllCursor,
}
