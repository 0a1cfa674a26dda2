"""The shape all panels share: a small grey title over cards."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from segcore.annotations import Class
from viewer.widgets.theme import HATCHES


class ElidedLabel(QLabel):
    """A line of text that ends in dots where it has no room, and is then whole in its tooltip."""

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width()
        )
        self.setToolTip(self.text() if shown != self.text() else "")
        self.style().drawItemText(
            painter, self.rect(), int(self.alignment()), self.palette(), True, shown,
            self.foregroundRole(),
        )  # fmt: skip


class Panel(QWidget):
    """A titled card; put widgets into `rows`."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = ElidedLabel(title.upper())
        self._title.setObjectName("title")
        self.aside = QLabel("")
        self.aside.setObjectName("key")
        self.head = QHBoxLayout()
        self.head.setContentsMargins(4, 0, 4, 0)
        self.head.addWidget(self._title, 1)
        self.head.addWidget(self.aside)
        card = QFrame()
        card.setObjectName("card")
        self.rows = QVBoxLayout(card)
        self.rows.setContentsMargins(10, 9, 10, 9)
        self.rows.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self.head)
        column.addWidget(card)

    def set_title(self, title: str) -> None:
        self._title.setText(title.upper())


class Swatch(QWidget):
    """The colour of a class with its hatch, so that colour is never alone."""

    def __init__(self, shown: Class) -> None:
        super().__init__()
        self._class = shown
        self.setFixedSize(QSize(16, 16))

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        place = QRectF(0, 0, 16, 16)
        painter.setBrush(QColor(*self._class.colour))
        painter.drawRoundedRect(place, 4, 4)
        pattern = HATCHES.get(self._class.hatch)
        if pattern is not None:
            light = sum(self._class.colour) > 380
            painter.setBrush(Qt.BrushStyle.NoBrush)
            brush = painter.brush()
            brush.setStyle(pattern)
            brush.setColor(QColor(0, 0, 0, 130) if light else QColor(255, 255, 255, 130))
            painter.setBrush(brush)
            painter.drawRoundedRect(place, 4, 4)


def dot(colour: QColor) -> QIcon:
    """Return a small round of a colour, which a selected row does not tint."""
    picture = QPixmap(24, 24)
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(0, 0, 12, 12), 3, 3)
    painter.end()
    shown = QIcon(picture)
    shown.addPixmap(picture, QIcon.Mode.Selected)
    return shown


def side(*panels: QWidget, width: int, stretch: QWidget | None = None) -> QScrollArea:
    """Return a column of panels that scrolls where the window is low."""
    inner = QWidget()
    column = QVBoxLayout(inner)
    column.setContentsMargins(10, 12, 10, 12)
    column.setSpacing(14)
    for panel in panels:
        column.addWidget(panel, 1 if panel is stretch else 0)
    if stretch is None:
        column.addStretch(1)
    area = QScrollArea()
    area.setWidget(inner)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(width)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
