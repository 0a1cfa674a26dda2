import time
from collections import deque
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from segcore.slides import Slide
from viewer.rendering import Adjustment, SlideLayer, TileLoader
from viewer.rendering.tiles import TileKey
from viewer.rendering.viewport import Viewport
from viewer.widgets.scale_bar import paint_scale_bar

PINCH = Qt.NativeGestureType.ZoomNativeGesture
WHEEL_NOTCH = 1.3  # magnification per notch of 120 units
FRAME_MS = 16
FLING_SECONDS = 0.1  # a hand that rested longer than this before it let go does not throw
FRICTION = 0.92  # of the speed that is left after each frame
SLOWEST = 0.4  # screen pixels per frame; below it the slide stands
AHEAD = 0.6  # screens that are read in advance in the direction of a motion


class SlidePane(QWidget):
    """A slide seen through a viewport: reads and paints tissue, pans with inertia, zooms, turns."""

    view_changed = Signal()
    trouble = Signal(str)
    """One sentence, when the slide begins to be unreadable."""
    recovered = Signal()

    def __init__(self, cache_bytes: int) -> None:
        super().__init__()
        self.viewport = Viewport()
        self.slide: Slide | None = None
        self.loader: TileLoader | None = None
        self.slide_layer: SlideLayer | None = None
        self.neighbour: SlidePane | None = None  # shows a second slide beside this one
        self.adjustment = Adjustment()
        self._colour_managed = True
        self._cache_bytes = cache_bytes
        self._complete = False
        self._fitted = False
        self._background = QColor("#15171a")
        self._grab: QPoint | None = None
        self._motion: deque[tuple[float, QPoint]] = deque(maxlen=8)
        self._speed = QPointF()
        self._fling = QTimer(self, interval=FRAME_MS)
        self._fling.timeout.connect(self._glide)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 200)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # -- what is shown ------------------------------------------------------------------------

    def show_slide(self, slide: Slide) -> None:
        """Show all of a slide; what was shown before must have been dropped."""
        self.slide = slide
        loader = TileLoader(slide)
        loader.loaded.connect(self._on_tile)
        loader.failed.connect(self.trouble)
        loader.recovered.connect(self.recovered)
        loader.colour_managed = self._colour_managed
        self.loader = loader
        self.slide_layer = SlideLayer(loader.grid, self._cache_bytes)
        self.slide_layer.adjust(self.adjustment)
        self.viewport = replace(self.viewport, turn=0.0, mirrored=False)
        self.fit()

    def drop_slide(self) -> None:
        self.stop()
        if self.loader is not None:
            self.loader.loaded.disconnect(self._on_tile)
            self.loader.close()
        self.slide = self.loader = self.slide_layer = None
        self.update()

    def adjust(self, adjustment: Adjustment) -> None:
        """Show the tissue brighter, or one stain alone; for the eye only."""
        self.adjustment = adjustment
        if self.slide_layer is not None:
            self.slide_layer.adjust(adjustment)
        self.update()

    def manage_colours(self, managed: bool) -> None:  # noqa: FBT001 - a setting's value
        """Show the slide by its ICC profile, or its numbers as they are."""
        if managed == self._colour_managed:
            return
        self._colour_managed = managed
        if self.loader is not None and self.slide_layer is not None:
            self.loader.colour_managed = managed
            self.slide_layer.forget()
            self.look(self.viewport)

    def set_background(self, colour: str) -> None:
        self._background = QColor(colour)
        self.update()

    def _on_tile(self, key: TileKey, image: QImage) -> None:
        if self.slide_layer is not None and self.sender() is self.loader:
            self.slide_layer.add(key, image)
            self.update()

    # -- where we look ------------------------------------------------------------------------

    def look(self, view: Viewport) -> None:
        """Show another part of the slide."""
        if self.slide is None or not view.is_finite:
            return
        self._fitted = False
        before, self.viewport = self.viewport, view.clamped(*self.slide.dimensions)
        self._ask_for_tiles(before)
        self.view_changed.emit()
        self.update()

    def fit(self) -> None:
        if self.slide is not None:
            x, y, width, height = self.slide.bounds
            self.look(self.viewport.fitted(x, y, x + width, y + height))
            self._fitted = True  # and stays so while the window changes its size

    def show_region(self, left: float, top: float, right: float, bottom: float) -> None:
        self.look(self.viewport.fitted(left, top, right, bottom))

    def centre_on(self, x: float, y: float) -> None:
        """Bring a level-0 point to the middle of the screen."""
        self.look(replace(self.viewport, x=x, y=y))

    def zoom(self, factor: float) -> None:
        self.look(self.viewport.zoomed(factor, self.width() / 2, self.height() / 2))

    def set_scale(self, scale: float) -> None:
        self.zoom(self.viewport.scale / scale)

    def turn(self, degrees: float) -> None:
        """Turn the slide clockwise on the screen."""
        self._look_whole_again(self.viewport.turned(degrees))

    def mirror(self) -> None:
        """Exchange left and right of the screen."""
        self._look_whole_again(self.viewport.flipped())

    def turn_upright(self) -> None:
        self._look_whole_again(replace(self.viewport, turn=0.0, mirrored=False))

    def _look_whole_again(self, view: Viewport) -> None:
        fitted = self._fitted
        self.look(view)
        if fitted:
            self.fit()

    @property
    def complete(self) -> bool:
        """Return whether the last painting had every tile at its own level."""
        return self._complete

    def _ask_for_tiles(self, before: Viewport) -> None:
        if self.loader is None or self.slide_layer is None:
            return
        ratio = self.devicePixelRatioF()
        needed = self.slide_layer.needed(self.viewport, ratio)
        ahead = _ahead(before, self.viewport)
        if ahead is not None:
            needed = list(dict.fromkeys(needed + self.slide_layer.needed(ahead, ratio)))
        self.loader.want(needed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.viewport = self.viewport.resized(self.width(), self.height())
        self.fit() if self._fitted else self.look(self.viewport)

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = event.position()
        factor = WHEEL_NOTCH ** (event.angleDelta().y() / 120)
        self.look(self.viewport.zoomed(factor, at.x(), at.y()))
        event.accept()

    # -- panning ------------------------------------------------------------------------------

    @property
    def panning(self) -> bool:
        return self._grab is not None

    def grab_at(self, place: QPoint) -> None:
        """Take hold of the slide at a screen point."""
        self.stop()
        self._grab = place
        self._motion.clear()

    def drag_to(self, place: QPoint) -> None:
        if self._grab is not None:
            step, self._grab = place - self._grab, place
            self._motion.append((time.monotonic(), step))
            self.look(self.viewport.panned(step.x(), step.y()))

    def let_go(self) -> None:
        """Let the slide go; it glides on if the hand was moving."""
        self._grab = None
        now = time.monotonic()
        late = [(at, step) for at, step in self._motion if now - at < FLING_SECONDS]
        if len(late) < 2:
            return
        frames = max((now - late[0][0]) * 1000 / FRAME_MS, 1.0)
        self._speed = QPointF(
            sum(step.x() for _, step in late) / frames, sum(step.y() for _, step in late) / frames
        )
        self._fling.start()

    def stop(self) -> None:
        """Stand still."""
        self._fling.stop()
        self._speed = QPointF()

    def _glide(self) -> None:
        self._speed *= FRICTION
        if self._speed.manhattanLength() < SLOWEST:
            self.stop()
            return
        self.look(self.viewport.panned(self._speed.x(), self._speed.y()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # moved to a finer screen
            self._ask_for_tiles(self.viewport)
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == PINCH:
            at = event.position()
            self.look(self.viewport.zoomed(1 + event.value(), at.x(), at.y()))
            return True
        return super().event(event)

    # -- painting -----------------------------------------------------------------------------

    def paintEvent(self, _: QPaintEvent) -> None:
        with QPainter(self) as painter:  # an error while painting must not leave it open
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), self._background)
        if self.slide is None or self.slide_layer is None:
            return
        self._complete = self.paint_scene(
            painter, self.slide_layer, self.viewport, self.devicePixelRatioF()
        )
        self.paint_over(painter)
        paint_scale_bar(painter, self.rect(), self.viewport.scale, self.slide.mpp)

    def paint_scene(
        self, painter: QPainter, tissue: SlideLayer, view: Viewport, ratio: float
    ) -> bool:
        """Paint tissue and layers as `view` shows them; return whether every tile was there.

        Layers know neither turns nor mirrors: they get the upright view and a painter that is turned.
        """
        upright = view.upright
        painter.save()
        if not view.is_upright:
            painter.translate(view.width / 2, view.height / 2)
            painter.rotate(view.turn)
            painter.scale(-1 if view.mirrored else 1, 1)
            painter.translate(-upright.width / 2, -upright.height / 2)
        complete = tissue.paint(painter, upright, ratio)
        self.paint_layers(painter, upright)
        painter.restore()
        return complete

    def paint_layers(self, painter: QPainter, view: Viewport) -> None:
        """Paint what lies over the tissue, in an upright view; nothing here."""

    def paint_over(self, painter: QPainter) -> None:
        """Paint what belongs to the screen, not to the slide; nothing here."""


def _ahead(before: Viewport, now: Viewport) -> Viewport | None:
    """Return the view that a motion leads to, None where nothing moved sideways."""
    dx, dy = now.x - before.x, now.y - before.y
    way = max(abs(dx), abs(dy))
    if now.scale != before.scale or way == 0:
        return None
    reach = AHEAD * max(now.width, now.height) * now.scale / way
    return replace(now, x=now.x + dx * reach, y=now.y + dy * reach)
