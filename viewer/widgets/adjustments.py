from dataclasses import replace

from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from viewer.rendering import Adjustment
from viewer.session import Session
from viewer.widgets.controls import LabelledSlider

STAINS = ("", "haematoxylin", "eosin")
WIDTH, STRIP, WIDEST = 290, 620, 860


class Adjustments(QFrame):
    """Brightness, contrast, gamma and single stains, floating over the canvas. For the eye only."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self.session = session
        self.setObjectName("float")
        self.setFixedWidth(WIDTH)
        self._stain = QComboBox()
        self._stain.addItems(["The slide's own colours", "Haematoxylin only", "Eosin only"])
        self._stain.setAccessibleName("Stain shown")
        self._brightness = LabelledSlider(
            "Brightness", -100, 100, "{:+.2f}", factor=100, name_width=78
        )
        self._contrast = LabelledSlider("Contrast", -90, 90, "{:+.2f}", factor=100, name_width=78)
        self._gamma = LabelledSlider("Gamma", 20, 300, "{:.2f}", factor=100, name_width=78)
        self._sliders = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._note = QLabel("For the eye only: analysis sees the pixels as scanned.")
        self._arrange()
        self._stain.currentIndexChanged.connect(lambda _: self._apply())
        for slider in (self._brightness, self._contrast, self._gamma):
            slider.moved.connect(lambda _: self._apply())
        session.adjusted.connect(self._show)
        self._show(session.adjustment)
        self.hide()

    def _arrange(self) -> None:
        reset, close = QPushButton("Reset"), QPushButton("✕")
        reset.clicked.connect(lambda: self.session.adjust(Adjustment()))
        close.clicked.connect(self._close)
        close.setAccessibleName("Close the display controls")
        head = QHBoxLayout()
        head.addWidget(self._stain, 1)
        for button in (reset, close):
            button.setObjectName("link")
            head.addWidget(button)
        for slider in (self._brightness, self._contrast, self._gamma):
            self._sliders.addWidget(slider)
        self._note.setObjectName("muted")
        self._note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 12, 10)
        column.addLayout(head)
        column.addLayout(self._sliders)
        column.addWidget(self._note)

    def lay_out(self, *, room: int) -> None:
        """Lie as a low strip where there is room for it, else stand."""
        lies = room >= STRIP
        direction = QBoxLayout.Direction
        self._sliders.setDirection(direction.LeftToRight if lies else direction.TopToBottom)
        self._sliders.setSpacing(20 if lies else 6)
        self._note.setVisible(not lies)
        self.setFixedWidth(min(room, WIDEST) if lies else WIDTH)
        self.adjustSize()

    def _apply(self) -> None:
        stain = STAINS[self._stain.currentIndex()]
        self.session.adjust(
            replace(
                self.session.adjustment,
                brightness=self._brightness.value,
                contrast=self._contrast.value,
                gamma=self._gamma.value,
                stain=stain,
            )
        )

    def _show(self, adjustment: Adjustment) -> None:
        self._stain.blockSignals(True)
        self._stain.setCurrentIndex(STAINS.index(adjustment.stain))
        self._stain.blockSignals(False)
        self._brightness.set(adjustment.brightness)
        self._contrast.set(adjustment.contrast)
        self._gamma.set(adjustment.gamma)

    def _close(self) -> None:
        self.session.show_adjustments = False
        self.session.looks_changed.emit(None)
