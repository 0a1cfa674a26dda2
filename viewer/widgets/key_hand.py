"""Drawing without a mouse: arrows move the slide under a cross in the middle, Enter presses and lets go."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen

from viewer.rendering.viewport import Viewport
from viewer.session import Session
from viewer.tools import Pointer
from viewer.widgets.hand import Hand

STEP, FINE = 10.0, 1.0  # screen pixels of an arrow, with Shift
ARM = 14  # screen pixels
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
ARROWS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class KeyHand:
    """Turns Enter and arrows into pointer events at the middle of the view."""

    def __init__(self, session: Session, hand: Hand) -> None:
        self._session = session
        self._hand = hand
        self._began = False
        self._last = (0.0, 0.0)

    @property
    def active(self) -> bool:
        """Whether a gesture that began by key is under way."""
        return self._began and self._hand.busy

    def wants(self, event: QKeyEvent) -> bool:
        """Tell whether a key belongs to drawing and is no shortcut now."""
        if self.active and event.key() in ARROWS:
            return True
        begins = not self._hand.busy and self._session.tool.begin is not None
        return event.key() in ENTER and (self.active or begins)

    def enter(self, view: Viewport) -> None:
        """Press in the middle of the view or, where a press is held, let go; twice in one place finishes."""
        place = (view.x, view.y)
        by_vertices = self._session.tool.by_vertices
        if not self.active:
            self._began = True
            self._hand.press(Pointer("press", *place, view.scale))
        elif by_vertices and place != self._last:
            self._hand.send(Pointer("press", *place, view.scale))
        else:
            self._hand.send(Pointer("finish" if by_vertices else "release", *place, view.scale))
        self._last = place

    def arrow(self, event: QKeyEvent, view: Viewport) -> Viewport:
        """Return the view that an arrow leads to."""
        across, down = ARROWS[Qt.Key(event.key())]
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = FINE if fine else STEP
        return view.panned(across * step, down * step)

    def moved(self, view: Viewport) -> None:
        """Tell the gesture where the middle of the view is now."""
        if self.active:
            kind = "move" if self._session.tool.by_vertices else "drag"
            self._hand.send(Pointer(kind, view.x, view.y, view.scale))

    def paint(self, painter: QPainter, view: Viewport) -> None:
        """Paint the cross."""
        if not self.active:
            return
        middle = QPointF(view.width / 2, view.height / 2)
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(255, 255, 0), 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(middle - QPointF(ARM, 0), middle + QPointF(ARM, 0))
            painter.drawLine(middle - QPointF(0, ARM), middle + QPointF(0, ARM))
