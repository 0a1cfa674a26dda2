"""What floats over the canvas: overview, running jobs, hint, messages."""

import time
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from segcore.slides.base import Rgb
from viewer.jobs import Job
from viewer.rendering.tile_loader import as_image
from viewer.rendering.viewport import Viewport
from viewer.session.ports import Offer

OVERVIEW = QSize(190, 150)
MESSAGE_SECONDS = 6
OFFER_SECONDS = 15  # where there is something to press


class Overview(QWidget):
    """The whole slide small, with a frame around what is on screen; a click goes there."""

    jumped = Signal(float, float)
    """Level-0 point that should become the centre."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = QPixmap()
        self._area = (0, 0, 1, 1)
        self._view = Viewport()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Click to go there")
        self.setAccessibleName("Overview of the slide")
        self.hide()

    def show_slide(self, thumbnail: Rgb, area: tuple[int, int, int, int]) -> None:
        """Show the part (left, top, width, height) of the slide that `thumbnail` is of."""
        self._area = area
        self._picture = QPixmap.fromImage(as_image(thumbnail))
        _, _, width, height = area
        shrink = min(OVERVIEW.width() / width, OVERVIEW.height() / height)
        self.setFixedSize(max(24, round(width * shrink)) + 2, max(24, round(height * shrink)) + 2)

    def look(self, view: Viewport) -> None:
        self._view = view
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        inner = QRectF(1, 1, self.width() - 2, self.height() - 2)
        painter.drawPixmap(inner, self._picture, QRectF(self._picture.rect()))
        painter.setPen(QPen(QColor(255, 255, 255, 200), 1))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        left, top, width, height = self._area
        across, down = inner.width() / width, inner.height() / height
        corners = [
            QPointF(1 + (x - left) * across, 1 + (y - top) * down) for x, y in self._view.corners
        ]
        seen = QPolygonF(corners).intersected(QPolygonF(inner.adjusted(1, 1, -1, -1)))
        for colour, width in ((QColor(0, 0, 0, 150), 4), (QColor(255, 214, 10), 2)):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(seen)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._jump(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._jump(event)

    def _jump(self, event: QMouseEvent) -> None:
        at = event.position()
        left, top, width, height = self._area
        self.jumped.emit(
            left + at.x() / self.width() * width, top + at.y() / self.height() * height
        )


class JobCard(QFrame):
    """One running job: what, how far, how long still, and Cancel."""

    def __init__(self, parent: QWidget, job: Job) -> None:
        super().__init__(parent)
        self.setObjectName("float")
        self.setFixedWidth(310)
        self._job = job
        self._title = QLabel(job.title)
        self._title.setStyleSheet("font-weight: 600;")
        self._eta = QLabel("")
        self._eta.setObjectName("muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName(f"Progress: {job.title}")
        self._text = QLabel("starting")
        self._text.setObjectName("muted")
        self._cancel = QPushButton("Cancel")
        self._cancel.setObjectName("link")
        self._cancel.clicked.connect(self._stop)
        self._arrange()
        job.progressed.connect(self._on_progress)

    def _arrange(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._eta)
        foot.addWidget(self._text, 1)
        foot.addWidget(self._cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 8)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addLayout(foot)

    def _on_progress(self, fraction: float, text: str) -> None:
        if self._job.cancelling:
            return
        if fraction > 0:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(fraction * 1000))
        self._text.setText(text)
        passed = time.monotonic() - self._job.started
        if 0.02 < fraction < 1 and passed > 1:
            self._eta.setText(f"{_duration(passed / fraction * (1 - fraction))} left")

    def _stop(self) -> None:
        self._job.cancel()
        self._cancel.setEnabled(False)
        self._text.setText("stopping after this tile")


class Message(QFrame):
    """One sentence to the person; it goes by itself unless it is an error or the cursor is on it."""

    closed = Signal()

    def __init__(
        self, parent: QWidget, text: str, *, kind: str, offers: Sequence[Offer] = ()
    ) -> None:
        super().__init__(parent)
        self.setObjectName("float")
        self.text = text
        self.kind = kind
        self.offers = offers
        mark = {"error": "#e5645a", "warning": "#e0a63a", "info": "#5aa2f5"}[kind]
        self.setStyleSheet(f"QFrame#float {{ border-left: 4px solid {mark}; }}")
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.ensurePolished()
        label.setFixedWidth(min(440, label.fontMetrics().horizontalAdvance(text) + 12))
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        row, below = QHBoxLayout(), QHBoxLayout()
        row.addWidget(label, 1)
        below.addStretch(1)
        buttons = row if len(offers) < 2 else below  # more of them leave the sentence no room
        for offer in offers:
            buttons.addWidget(self._button(offer), 0, Qt.AlignmentFlag.AlignTop)
        close = self._button(Offer("✕", self.close_message))
        close.setAccessibleName("Close message")
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 9, 10, 9)
        column.setSpacing(4)
        column.addLayout(row)
        column.addLayout(below)
        seconds = OFFER_SECONDS if offers else MESSAGE_SECONDS
        self._time = QTimer(self, singleShot=True, interval=seconds * 1000)
        self._time.timeout.connect(self.close_message)
        self._let_go()

    def close_message(self) -> None:
        self.closed.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._time.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._let_go()

    def _let_go(self) -> None:
        if self.kind != "error":
            self._time.start()

    def _button(self, offer: Offer) -> QPushButton:
        button = QPushButton(offer.title)
        button.setObjectName("link")
        button.clicked.connect(lambda _checked=False: self._take(offer))
        return button

    def _take(self, offer: Offer) -> None:
        if offer.closes:
            self.close_message()
        offer.verb()


class Hint(QLabel):
    """What the tool in the hand does."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setStyleSheet("background: rgba(20, 22, 26, 205); color: white; border-radius: 14px;")
        self.setContentsMargins(16, 7, 16, 7)
        self.setWordWrap(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        text = self.fontMetrics().size(0, self.text())
        return QSize(text.width() + 36, text.height() + 16)

    def say(self, text: str) -> None:
        self.setText(text)
        self.setVisible(bool(text))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"
