"""How the session's ports reach the person: messages on the stage, dialogs for what must be asked."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QMessageBox,
    QWidget,
)

from segcore.annotations import Annotation, Project, ProjectImage, Taxonomy
from segcore.slides.base import Rgb
from viewer.document.properties import Properties
from viewer.jobs.exchange import ExportOrder
from viewer.jobs.packages import PackageAnswer, PackageQuestion
from viewer.session.ports import Choice, ExportQuestion, Offer, PictureOptions
from viewer.settings import Settings
from viewer.widgets.annotation_dialog import AnnotationDialog
from viewer.widgets.export_dialog import ExportDialog
from viewer.widgets.import_dialog import ChoiceDialog
from viewer.widgets.label_dialog import PicturesDialog
from viewer.widgets.model_dialog import ModelDialog
from viewer.widgets.package_dialog import PackageDialog
from viewer.widgets.page import Page
from viewer.widgets.picture_dialog import PictureDialog
from viewer.widgets.pixel_size_dialog import PixelSizeDialog
from viewer.widgets.project_dialog import ProjectDialog
from viewer.widgets.stage import Stage

SLIDES = (
    "Slides and images (*.svs *.ndpi *.tif *.tiff *.mrxs *.scn *.bif *.vms *.vmu *.dcm *.czi *.svslide"
    " *.png *.jpg *.jpeg *.jp2 *.bmp *.acinus *.qpproj);;All files (*)"
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

    def info(self, text: str, *, offers: Sequence[Offer] = ()) -> None:
        self._say(text, "info", offers)

    def warn(self, text: str) -> None:
        self._say(text, "warning")

    def error(
        self, text: str, *, details: str = "", retry: Callable[[], None] | None = None
    ) -> None:
        offers = []
        if details:
            offers.append(Offer("Copy report", lambda: _copy(f"{text}\n{details}")))
        if retry is not None:
            offers.append(Offer("Retry", retry, closes=True))
        self._say(text, "error", offers)

    def wrote(self, text: str, path: Path) -> None:
        offers = (
            Offer("Show in folder", lambda: self._show_folder(path.parent)),
            Offer("Copy path", lambda: _copy(str(path))),
        )
        self.info(f"{text} Folder: {short_path(path.parent)}", offers=offers)

    def pictures(self, title: str, note: str, pictures: Mapping[str, Rgb]) -> None:
        PicturesDialog(title, note, pictures, self._stage).open()

    def page(self, title: str, text: str) -> None:
        Page(title, text, self._stage).show()

    def _show_folder(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.warn(f"No program here shows folders; the folder is {folder}.")

    def _say(self, text: str, kind: str, offers: Sequence[Offer] = ()) -> None:
        if self._stage is not None:
            self._stage.add_message(text, kind=kind, offers=offers)
        else:
            self._waiting.append((text, kind))


class Dialogs:
    """`Ask` by the platform's dialogs."""

    def __init__(self, settings: Settings) -> None:
        self.parent: QWidget | None = None
        self._settings = settings

    def slide_to_open(self) -> Path | None:
        recent = self._settings["recent"]
        folder = Path(recent[0]).parent if recent else Path.home()
        name, _ = QFileDialog.getOpenFileName(self.parent, "Open slide", str(folder), SLIDES)
        return Path(name) if name else None

    def file_to_open(self, title: str, pattern: str) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self.parent, title, "", pattern)
        return Path(name) if name else None

    def file_to_save(self, title: str, suggestion: Path, pattern: str) -> Path | None:
        path = self._path_to_save(title, suggestion, pattern)
        if path is None or path.suffix:
            return path
        return path.with_suffix(suggestion.suffix)

    def folder_to_make(self, title: str, suggestion: Path) -> Path | None:
        return self._path_to_save(title, suggestion, "Folder (*)")

    def _path_to_save(self, title: str, suggestion: Path, pattern: str) -> Path | None:
        """Ask where to save, first in the folder that was taken last; `suggestion` is beside the slide."""
        last = Path(self._settings["folder.exports"] or suggestion.parent)
        start = last / suggestion.name if last.is_dir() else suggestion
        name, _ = QFileDialog.getSaveFileName(self.parent, title, str(start), pattern)
        if not name:
            return None
        self._settings["folder.exports"] = str(Path(name).parent)
        return Path(name)

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

    def properties(
        self, annotations: Sequence[Annotation], class_names: Sequence[str], taxonomy: Taxonomy
    ) -> Properties | None:
        dialog = AnnotationDialog(annotations, class_names, taxonomy, self.parent)
        return dialog.answer if dialog.exec() else None

    def picture(self, width: int, height: int) -> PictureOptions | None:
        dialog = PictureDialog(width, height, self.parent)
        return dialog.options if dialog.exec() else None

    def choose(self, title: str, text: str, choices: Sequence[Choice]) -> str | None:
        dialog = ChoiceDialog(title, text, choices, self.parent)
        return dialog.value if dialog.exec() else None

    def export(self, question: ExportQuestion) -> ExportOrder | None:
        dialog = ExportDialog(question, self.parent)
        return dialog.order if dialog.exec() else None

    def project_images(self, project: Project) -> Sequence[ProjectImage] | None:
        dialog = ProjectDialog(project, self.parent)
        return dialog.chosen if dialog.exec() else None

    def confirm(self, question: str, yes: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, "Acinus", question, parent=self.parent)
        accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Back", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is accept


def short_path(path: Path) -> str:
    """Return a path as people write it, with ~ for the home folder."""
    home = Path.home()
    return str(Path("~", path.relative_to(home))) if path.is_relative_to(home) else str(path)


def _copy(text: str) -> None:
    QApplication.clipboard().setText(text)
