"""How the session's ports reach the person: messages on the stage, dialogs for what must be asked."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QInputDialog,
    QMessageBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from viewer.jobs.packages import PackageAnswer, PackageQuestion
from viewer.session.ports import PictureOptions
from viewer.widgets.model_dialog import ModelDialog
from viewer.widgets.package_dialog import PackageDialog
from viewer.widgets.picture_dialog import PictureDialog
from viewer.widgets.pixel_size_dialog import PixelSizeDialog
from viewer.widgets.stage import Stage

SLIDES = (
    "Slides and images (*.svs *.ndpi *.tif *.tiff *.mrxs *.scn *.bif *.vms *.vmu *.dcm *.czi *.svslide"
    " *.png *.jpg *.jpeg *.jp2 *.bmp *.acinus);;All files (*)"
)


class StageMessages:
    """`Tell` on the stage. Until the stage is there, messages wait."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._waiting: list[tuple[str, str]] = []

    def attach(self, stage: Stage) -> None:
        self._stage = stage
        for text, kind in self._waiting:
            stage.add_message(text, kind=kind)

    def info(self, text: str) -> None:
        self._say(text, "info")

    def warn(self, text: str) -> None:
        self._say(text, "warning")

    def error(
        self, text: str, *, details: str = "", retry: Callable[[], None] | None = None
    ) -> None:
        if self._stage is not None:
            self._stage.add_message(text, kind="error", details=details, retry=retry)
        else:
            self._waiting.append((text, "error"))

    def page(self, title: str, text: str) -> None:
        page = QDialog(self._stage)
        page.setWindowTitle(title)
        page.resize(620, 560)
        page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QTextBrowser()
        words.setMarkdown(text)
        QVBoxLayout(page).addWidget(words)
        page.show()

    def _say(self, text: str, kind: str) -> None:
        if self._stage is not None:
            self._stage.add_message(text, kind=kind)
        else:
            self._waiting.append((text, kind))


class Dialogs:
    """`Ask` by the platform's dialogs."""

    def __init__(self) -> None:
        self.parent: QWidget | None = None

    def slide_to_open(self) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self.parent, "Open slide", "", SLIDES)
        return Path(name) if name else None

    def file_to_save(self, title: str, suggestion: Path, pattern: str) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(self.parent, title, str(suggestion), pattern)
        if not name:
            return None
        path = Path(name)
        return path if path.suffix else path.with_suffix(suggestion.suffix)

    def folder_to_make(self, title: str, suggestion: Path) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(self.parent, title, str(suggestion), "Folder (*)")
        return Path(name) if name else None

    def pixel_size(self, slide_name: str, proposal: float | None) -> float | None:
        dialog = PixelSizeDialog(slide_name, proposal, self.parent)
        return dialog.value if dialog.exec() else None

    def text(self, title: str, question: str, suggestion: str = "") -> str | None:
        answer, given = QInputDialog.getText(self.parent, title, question, text=suggestion)
        return answer.strip() if given else None

    def model_to_use(self, installed: Sequence[str], current: str) -> str | None:
        dialog = ModelDialog(installed, current, self.parent)
        return dialog.chosen if dialog.exec() else None

    def about_package(self, question: PackageQuestion) -> PackageAnswer | None:
        dialog = PackageDialog(question, self.parent)
        return dialog.answer if dialog.exec() else None

    def picture(self, width: int, height: int) -> PictureOptions | None:
        dialog = PictureDialog(width, height, self.parent)
        return dialog.options if dialog.exec() else None

    def confirm(self, question: str, yes: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, "Acinus", question, parent=self.parent)
        accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Back", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is accept
