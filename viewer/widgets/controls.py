"""Small controls of the panels: a slider with its name and value, a stacked bar, a colour bar."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from viewer.rendering import heat_colours


class LabelledSlider(QWidget):
    """Name, slider, value in one row."""

    moved = Signal(float)

    def __init__(
        self,
        title: str,
        low: int,
        high: int,
        form: str,
        *,
        factor: float = 1.0,
        name_width: int = 0,
    ) -> None:
        super().__init__()
        self._form, self._factor = form, factor
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(low, high)
        self.slider.setAccessibleName(title)
        self._value = QLabel()
        self._value.setObjectName("key")
        self._value.setFixedWidth(42)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        name = QLabel(title)
        name.setMinimumWidth(name_width)
        row.addWidget(name)
        row.addWidget(self.slider, 1)
        row.addWidget(self._value)
        self.slider.valueChanged.connect(self._on_move)

    @property
    def value(self) -> float:
        return self.slider.value() / self._factor

    def set(self, value: float) -> None:
        """Show `value` without telling listeners."""
        self.slider.blockSignals(True)
        self.slider.setValue(round(value * self._factor))
        self.slider.blockSignals(False)
        self._value.setText(self._form.format(self.value))

    def _on_move(self) -> None:
        self._value.setText(self._form.format(self.value))
        self.moved.emit(self.value)


class Bar(QWidget):
    """The composition as one stacked bar."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[tuple[float, QColor]] = []
        self.setFixedHeight(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, parts: list[tuple[float, QColor]]) -> None:
        self._parts = parts
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        x = 0.0
        for share, colour in self._parts:
            width = share * self.width()
            painter.fillRect(QRectF(x, 0, width, self.height()), colour)
            x += width


class Ramp(QWidget):
    """The colour bar of the heatmap."""

    def __init__(self) -> None:
        super().__init__()
        self._gradient = QLinearGradient()
        self.setFixedHeight(10)

    def load(self, *, signed: bool) -> None:
        colours = heat_colours(signed=signed)
        for step in range(0, 256, 15):
            self._gradient.setColorAt(step / 255, QColor(*map(int, colours[step])))

    def paintEvent(self, _: QPaintEvent) -> None:
        self._gradient.setFinalStop(self.width(), 0)
        QPainter(self).fillRect(self.rect(), self._gradient)
