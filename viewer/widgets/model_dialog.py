from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QListWidget,
    QVBoxLayout,
    QWidget,
)


class ModelDialog(QDialog):
    """Chooses a model among the installed ones, or a package by its place."""

    def __init__(self, installed: Sequence[str], current: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Model")
        self.setMinimumWidth(440)
        self.list = QListWidget()
        self.list.setAccessibleName("Installed models")
        self.list.addItems(list(dict.fromkeys([*installed, current])))
        self.list.setCurrentRow(
            next(row for row in range(self.list.count()) if self.list.item(row).text() == current)
        )
        self.list.itemDoubleClicked.connect(lambda _: self.accept())
        roles = QDialogButtonBox.ButtonRole
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.addButton("Package (zip)…", roles.ActionRole).clicked.connect(self._zip)
        self.buttons.addButton("Folder…", roles.ActionRole).clicked.connect(self._folder)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        hint = QLabel(
            "Bundles, bioimage.io packages (zip or folder) and WSInfer folders can be used."
        )
        hint.setObjectName("muted")
        hint.setWordWrap(True)
        for widget in (hint, self.list, self.buttons):
            column.addWidget(widget)

    @property
    def chosen(self) -> str | None:
        """Return the name or the path that is marked."""
        item = self.list.currentItem()
        return item.text() if item is not None else None

    def _zip(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open a package", "", "Packages (*.zip)")
        self._take(name)

    def _folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, "Open a bundle, package or WSInfer folder"))  # fmt: skip

    def _take(self, name: str) -> None:
        if name:
            self.list.addItem(str(Path(name)))
            self.list.setCurrentRow(self.list.count() - 1)
            self.accept()
