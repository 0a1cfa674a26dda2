from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segcore.slides.base import Rgb
from viewer.rendering.tile_loader import as_image

LARGEST = QSize(620, 420)


class PicturesDialog(QDialog):
    """Shows pictures that a slide file carries, as long as it is open; keeps nothing of them."""

    def __init__(
        self, title: str, note: str, pictures: Mapping[str, Rgb], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QLabel(note)
        words.setWordWrap(True)
        grid = QGridLayout()
        grid.setSpacing(14)
        for row, (name, pixels) in enumerate(pictures.items()):
            height, width, _ = pixels.shape
            caption = QLabel(f"{name}\n{width:,} x {height:,} pixels")
            caption.setAlignment(Qt.AlignmentFlag.AlignTop)
            grid.addWidget(caption, row, 0)
            grid.addWidget(_picture(name, pixels), row, 1)
        inside = QWidget()
        inside.setLayout(grid)
        area = QScrollArea()
        area.setWidget(inside)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        chosen = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        chosen.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (words, area, chosen):
            column.addWidget(widget)
        room = QGuiApplication.primaryScreen().availableSize()
        size = inside.sizeHint()
        self.resize(
            min(size.width() + 40, room.width() - 80), min(size.height() + 120, room.height() - 80)
        )


def _picture(name: str, pixels: Rgb) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    image = as_image(pixels)
    if image.width() > LARGEST.width() or image.height() > LARGEST.height():
        image = image.scaled(
            LARGEST,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    label.setPixmap(QPixmap.fromImage(image))
    return label
