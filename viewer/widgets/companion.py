from dataclasses import replace

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from viewer.rendering.viewport import Viewport
from viewer.session import Session
from viewer.session.workspace import OpenedSlide
from viewer.widgets.slide_pane import SlidePane


class ComparedSlide(SlidePane):
    """A slide that is only looked at: the mouse pans and zooms."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        self.grab_at(event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.drag_to(event.position().toPoint())

    def mouseReleaseEvent(self, _: QMouseEvent) -> None:
        self.let_go()


class Companion(QWidget):
    """The second slide with its name, whether it moves along, and a way to close it."""

    def __init__(self, session: Session, main: SlidePane) -> None:
        super().__init__()
        self.session = session
        self._main = main
        self.pane = ComparedSlide(int(session.settings["tile_cache_mb"]) * 2**19)
        self.pane.setAccessibleName("Slide beside")
        self._name = QLabel()
        self._link = QPushButton()
        self._link.setObjectName("link")
        self._link.clicked.connect(self._toggle)
        close = QPushButton("✕")
        close.setObjectName("link")
        close.setAccessibleName("Close the slide beside")
        close.clicked.connect(session.beside.close)
        head = QHBoxLayout()
        head.setContentsMargins(12, 5, 8, 5)
        for widget in (self._name, self._link, close):
            head.addWidget(widget, int(widget is self._name))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.pane, 1)
        self.link = ViewLink(session, main, self.pane)
        session.beside.changed.connect(self._show)
        session.adjusted.connect(self.pane.adjust)
        session.looks_changed.connect(lambda _: self._say_link())
        self.pane.trouble.connect(session.tell.error)
        self.pane.recovered.connect(
            lambda: session.tell.info(f"{self._name.text()} can be read again.")
        )
        self.hide()

    def _show(self, opened: OpenedSlide | None) -> None:
        self.pane.drop_slide()
        self.setVisible(opened is not None)
        self._main.neighbour = self.pane if opened is not None else None
        if opened is not None:
            self._name.setText(opened.slide.name)
            self._say_link()
            self.pane.adjust(self.session.adjustment)
            self.pane.show_slide(opened.slide)
            QTimer.singleShot(0, self, self.link.start)  # when both have their new sizes

    def _say_link(self) -> None:
        self._link.setText("Moves along" if self.session.beside.linked else "Moves alone")
        self._link.setToolTip("Whether both slides move together (Alt+S)")

    def _toggle(self) -> None:
        self.session.beside.linked = not self.session.beside.linked
        self.session.looks_changed.emit(None)


class ViewLink(QObject):
    """Lets two panes follow each other: as far in µm (pixels where a size is unknown), as large, as turned."""

    def __init__(self, session: Session, first: SlidePane, second: SlidePane) -> None:
        super().__init__(second)
        self._session = session
        self._panes = (first, second)
        self._seen = {first: first.viewport, second: second.viewport}
        self._following = False
        for leader, follower in ((first, second), (second, first)):
            leader.view_changed.connect(lambda a=leader, b=follower: self._follow(a, b))

    def start(self) -> None:
        """Take the middles of both views for corresponding places, and show both as large."""
        first, second = self._panes
        if second.slide is not None:
            scale = first.viewport.scale * self._ratio(first, second)
            self._following = True
            second.look(replace(second.viewport, scale=scale))
            self._following = False
        self._seen = {pane: pane.viewport for pane in self._panes}

    def _follow(self, leader: SlidePane, follower: SlidePane) -> None:
        before, self._seen[leader] = self._seen[leader], leader.viewport
        now = leader.viewport
        resized = (before.width, before.height) != (now.width, now.height)
        off = self._following or not self._session.beside.linked
        if off or resized or follower.slide is None:
            return
        self._following = True
        try:
            step = moved(before, now, follower.viewport, self._ratio(leader, follower))
            follower.look(step)
        finally:
            self._following = False

    @staticmethod
    def _ratio(leader: SlidePane, follower: SlidePane) -> float:
        """Return how many of the follower's pixels are as long as one of the leader's."""
        sizes = [pane.slide.mpp if pane.slide is not None else None for pane in (leader, follower)]
        return sizes[0] / sizes[1] if sizes[0] and sizes[1] else 1.0


def moved(before: Viewport, now: Viewport, other: Viewport, ratio: float) -> Viewport:
    """Return `other` after the motion from `before` to `now` of its companion."""
    return replace(
        other,
        x=other.x + (now.x - before.x) * ratio,
        y=other.y + (now.y - before.y) * ratio,
        scale=other.scale * now.scale / before.scale,
        turn=(other.turn + now.turn - before.turn) % 360,
        mirrored=other.mirrored != (now.mirrored != before.mirrored),
    )
