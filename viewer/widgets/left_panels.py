"""The left side: the slide; its annotations and the history have modules of their own."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from viewer.rendering.tile_loader import as_image
from viewer.session import Session, Workspace
from viewer.widgets.panels import Panel
from viewer.widgets.study_slides import StudySlides


class SlidePanel(Panel):
    """Which slide is open, and what is known of it."""

    def __init__(self, session: Session) -> None:
        super().__init__("Slide")
        self._picture = QLabel()
        self._picture.setFixedSize(64, 48)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = QLabel("No slide")
        self._name.setWordWrap(True)
        self._facts = QLabel("Open one to begin")
        self._facts.setObjectName("muted")
        self._facts.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self._name)
        texts.addWidget(self._facts)
        row = QHBoxLayout()
        row.addWidget(self._picture)
        row.addLayout(texts, 1)
        self.rows.addLayout(row)
        self.rows.addWidget(StudySlides(session))
        self._picture.hide()
        session.opened.connect(self._show)
        session.closed.connect(lambda _: self._clear())
        session.study_changed.connect(lambda _: session.workspace and self._show(session.workspace))

    def _show(self, workspace: Workspace) -> None:
        slide = workspace.slide
        width, height = slide.dimensions
        picture = QPixmap.fromImage(as_image(workspace.thumbnail))
        fine = self.devicePixelRatioF()
        small = picture.scaled(
            self._picture.size() * fine,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        small.setDevicePixelRatio(fine)
        self._picture.setPixmap(small)
        self._picture.show()
        self._name.setText(slide.name)
        size = f"{slide.mpp:.3g} µm/px" if slide.mpp is not None else "pixel size unknown"
        levels = f"{len(slide.levels)} level{'s' if len(slide.levels) > 1 else ''}"
        self._facts.setText(f"{width:,} x {height:,}\n{size} · {levels}")

    def _clear(self) -> None:
        self._picture.hide()
        self._name.setText("No slide")
        self._facts.setText("Open one to begin")
