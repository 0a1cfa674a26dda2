from pathlib import Path

from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import FORMATS, Format, Origin
from viewer.jobs.exchange import ExportOrder
from viewer.session.ports import ExportQuestion
from viewer.widgets.import_dialog import words

WIDTH = 540
FORMATS_OUT = tuple(each for each in FORMATS if each.can_write)
WHICH = ("all", "selected", "none")
FRAMES: tuple[tuple[Origin, str, str], ...] = (
    ("bounds", "QuPath's frame", "Coordinates count from the corner of the scanned part, as QuPath shows the slide."),
    ("full", "Full slide", "Coordinates count from the corner of the whole slide, as ASAP and most programs do."),
)  # fmt: skip


class ExportDialog(QDialog):
    """Asks in which format, what, in which frame and where annotations should be written."""

    def __init__(self, question: ExportQuestion, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export annotations")
        self.setMinimumWidth(WIDTH)
        self._question = question
        self._replaces = Path()
        """What the person has agreed to replace."""
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(20, 18, 20, 16)
        self.column.setSpacing(6)
        self.formats = self._ask_format()
        self.which = self._ask_which()
        self.areas = self._ask_mask()
        self.frames, self._frame_widgets = self._ask_frame()
        self.place = self._ask_place()
        self.go = self._add_buttons()
        self._follow_format()
        self._check()

    @property
    def order(self) -> ExportOrder:
        """Return what was chosen."""
        known = self.format
        chosen = FRAMES[self.frames.checkedId()][0]
        return ExportOrder(
            self._path(),
            known.name,
            WHICH[self.which.checkedId()],
            self.areas.isChecked(),
            chosen if known.origin is not None else None,
        )

    @property
    def format(self) -> Format:
        return FORMATS_OUT[self.formats.currentIndex()]

    def accept(self) -> None:
        """Close, unless a file is there that should stay."""
        path = self.order.path
        if path.exists() and path != self._replaces and not self._may_replace(path):
            return
        super().accept()

    def _path(self) -> Path:
        """Return the file, with an ending of its format, by which it is known again."""
        path = Path(self.place.text().strip()).expanduser()
        fits = path.name.lower().endswith(self.format.suffixes)
        return path if fits else path.parent / f"{path.name}{self.format.suffixes[0]}"

    def _title(self, text: str) -> None:
        title = QLabel(text.upper())
        title.setObjectName("title")
        title.setContentsMargins(0, 8 if self.column.count() else 0, 0, 0)
        self.column.addWidget(title)

    def _ask_format(self) -> QComboBox:
        self._title("Format")
        box = QComboBox()
        box.addItems([each.title for each in FORMATS_OUT])
        box.setAccessibleName("Format of the file")
        names = [each.name for each in FORMATS_OUT]
        last = self._question.last.format
        box.setCurrentIndex(names.index(last) if last in names else 0)
        box.currentIndexChanged.connect(lambda _: self._follow_format())
        self.about = words("", name="muted")
        self.column.addWidget(box)
        self.column.addWidget(self.about)
        return box

    def _ask_which(self) -> QButtonGroup:
        self._title("What")
        question, group = self._question, QButtonGroup(self)
        titles = (
            f"All annotations ({question.total:,})",
            f"The selected ones ({question.selected:,})",
            "No annotations, the mask only",
        )
        possible = (question.total > 0, question.selected > 0, question.has_mask)
        for number, (title, can) in enumerate(zip(titles, possible, strict=True)):
            button = QRadioButton(title)
            button.setEnabled(can)
            group.addButton(button, number)
            self.column.addWidget(button)
        wanted = WHICH.index(question.last.annotations)
        first = possible.index(True) if any(possible) else 0
        group.button(wanted if wanted < 2 and possible[wanted] else first).setChecked(True)
        group.idToggled.connect(lambda *_: self._check())
        return group

    def _ask_mask(self) -> QCheckBox:
        box = QCheckBox("The areas of the mask, too")
        box.setEnabled(self._question.has_mask)
        box.setChecked(self._question.has_mask and self._question.last.mask)
        box.setToolTip("" if box.isEnabled() else "This slide has no mask yet.")
        box.toggled.connect(lambda _: self._check())
        self.column.addWidget(box)
        return box

    def _ask_frame(self) -> tuple[QButtonGroup, list[QWidget]]:
        """Ask for the frame; where both are the same there is nothing to ask."""
        self._title("Frame")
        group, shown = QButtonGroup(self), []
        for number, (_, title, note) in enumerate(FRAMES):
            button, sentence = QRadioButton(title), words(note, name="muted")
            sentence.setContentsMargins(24, 0, 0, 4)
            group.addButton(button, number)
            shown += [button, sentence]
            self.column.addWidget(button)
            self.column.addWidget(sentence)
        self.one_frame = words("", name="muted")
        self.column.addWidget(self.one_frame)
        return group, shown

    def _ask_place(self) -> QLineEdit:
        self._title("File")
        place = QLineEdit()
        place.setAccessibleName("File to write")
        place.textChanged.connect(lambda _: self._check())
        browse = QPushButton("Choose…")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(place, 1)
        row.addWidget(browse)
        self.column.addLayout(row)
        return place

    def _add_buttons(self) -> QPushButton:
        buttons = QDialogButtonBox()
        go = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        go.setObjectName("go")
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.column.addSpacing(10)
        self.column.addWidget(buttons)
        return go

    def _follow_format(self) -> None:
        """Say what the chosen format keeps, and give name and frame its customs."""
        known = self.format
        self.about.setText(known.about)
        last: Origin = self._question.frames.get(known.name, known.origin or "full")
        self.frames.button(0 if last == "bounds" else 1).setChecked(True)
        asks = self._question.cropped and known.origin is not None
        for each in self._frame_widgets:
            each.setVisible(asks)
        self.one_frame.setVisible(not asks)
        self.one_frame.setText(
            "This slide is scanned to its corner, so both frames are the same."
            if known.origin is not None
            else "The file covers the whole slide, or says itself where it lies."
        )
        folder = Path(self.place.text()).parent if self.place.text() else self._question.last.path
        self.place.setText(str(folder / f"{self._question.slide.stem}{known.suffixes[0]}"))
        self.resize(WIDTH, self.column.heightForWidth(WIDTH))

    def _browse(self) -> None:
        known = self.format
        pattern = f"{known.title} ({' '.join(f'*{each}' for each in known.suffixes)})"
        name, _ = QFileDialog.getSaveFileName(
            self, "Export annotations", self.place.text(), pattern
        )
        if name:
            self.place.setText(name)
            self._replaces = Path(name)  # the other dialog has asked already

    def _may_replace(self, path: Path) -> bool:
        box = QMessageBox(
            QMessageBox.Icon.Question, "Acinus", f"{path.name} is there already.", parent=self
        )
        yes = box.addButton("Replace it", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Back", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is yes

    def _check(self) -> None:
        """Let the person go on where there is something to write and a place for it."""
        nothing = self.which.checkedId() == 2 and not self.areas.isChecked()
        some = any((self._question.total, self._question.has_mask)) and not nothing
        self.go.setEnabled(some and bool(self.place.text().strip()))
