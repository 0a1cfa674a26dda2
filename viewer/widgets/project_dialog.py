from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import Project, ProjectImage
from viewer.actions.sentences import counted
from viewer.widgets.import_dialog import words

WIDTH, MOST = 540, 320
MOST_TOLD = 6
NOTE = "They become one study of Acinus; the project itself stays as it is."


class ProjectDialog(QDialog):
    """Asks which images of a QuPath project to open, and where those are that were not found."""

    def __init__(self, project: Project, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"QuPath project {project.name}")
        self.setMinimumWidth(WIDTH)
        self._images = list(project.images)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        self._head = QLabel()
        column.addWidget(self._head)
        self.boxes: list[QCheckBox] = []
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        column.addWidget(_scrolled(self._rows))
        self.look = QPushButton("Look in another folder…")
        self.look.clicked.connect(self._ask_folder)
        column.addWidget(self.look, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(words(NOTE, name="muted"))
        if project.unread:
            column.addWidget(words("\n".join(project.unread[:MOST_TOLD]), name="muted"))
        buttons = QDialogButtonBox()
        self.go = buttons.addButton("Open as study", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setObjectName("go")
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addSpacing(6)
        column.addWidget(buttons)
        self._fill()
        self.resize(WIDTH, column.heightForWidth(WIDTH))

    @property
    def chosen(self) -> list[ProjectImage]:
        """Return the images that are ticked, each where it was found."""
        pairs = zip(self._images, self.boxes, strict=True)
        return [image for image, box in pairs if box.isChecked()]

    def look_in(self, folder: Path) -> None:
        """Look for the images that were not found in a folder, by the names of their files."""
        for row, image in enumerate(self._images):
            names = {image.name, *(Path(each).name for each in image.tried)}
            found = next((folder / each for each in names if (folder / each).is_file()), None)
            if image.path is None and found is not None:
                self._images[row] = replace(image, path=found)
        self._fill()

    def _fill(self) -> None:
        for old in self.boxes:
            old.hide()
            old.deleteLater()
        self.boxes = [self._box(image) for image in self._images]
        for box in self.boxes:
            self._rows.addWidget(box)
        missing = sum(each.path is None for each in self._images)
        here = len(self._images) - missing
        self._head.setText(f"{here:,} of {counted(len(self._images), 'image')} {'is' if here == 1 else 'are'} there.")  # fmt: skip
        self.look.setVisible(missing > 0)
        self._check()

    def _box(self, image: ProjectImage) -> QCheckBox:
        there = image.path is not None
        box = QCheckBox(image.name if there else f"{image.name} (not found)")
        box.setToolTip(str(image.path) if there else "Looked for:\n" + "\n".join(image.tried))
        box.setChecked(there)
        box.setEnabled(there)
        box.toggled.connect(lambda _: self._check())
        return box

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where are the images?")
        if folder:
            self.look_in(Path(folder))

    def _check(self) -> None:
        self.go.setEnabled(bool(self.chosen))


def _scrolled(rows: QVBoxLayout) -> QScrollArea:
    """Return a list that scrolls where there are many rows."""
    inner = QWidget()
    outer = QVBoxLayout(inner)
    outer.setContentsMargins(0, 4, 0, 4)
    outer.addLayout(rows)
    outer.addStretch(1)
    area = QScrollArea()
    area.setObjectName("within")
    area.setWidget(inner)
    area.setWidgetResizable(True)
    area.setMaximumHeight(MOST)
    return area
