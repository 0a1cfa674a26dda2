from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from viewer.session.ports import PictureOptions

FINER = (1, 2, 4)


class PictureDialog(QDialog):
    """Asks how fine the picture of a view should be and what belongs on it."""

    def __init__(self, width: int, height: int, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export view")
        self.fineness = QComboBox()
        for finer in FINER:
            pixels = f"{width * finer:,} x {height * finer:,} pixels"
            inches = f"{width * finer / 300:.1f} x {height * finer / 300:.1f} inches at 300 dpi"
            name = "As on the screen" if finer == 1 else f"{finer} times as fine"
            self.fineness.addItem(f"{name}: {pixels} ({inches})")
        self.fineness.setCurrentIndex(1)
        self.fineness.setAccessibleName("Fineness of the picture")
        self.scale_bar, self.legend = QCheckBox("Scale bar"), QCheckBox("Legend of the classes")
        for box in (self.scale_bar, self.legend):
            box.setChecked(True)
        buttons = QDialogButtonBox.StandardButton
        chosen = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        chosen.accepted.connect(self.accept)
        chosen.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(QLabel("The picture shows what the canvas shows, with its layers."))
        for widget in (self.fineness, self.scale_bar, self.legend, chosen):
            column.addWidget(widget)

    @property
    def options(self) -> PictureOptions:
        finer = FINER[self.fineness.currentIndex()]
        return PictureOptions(finer, self.scale_bar.isChecked(), self.legend.isChecked())
