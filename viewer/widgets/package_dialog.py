from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import load_taxonomy
from viewer.jobs.packages import PackageAnswer, PackageQuestion
from viewer.widgets.pixel_size_dialog import LARGEST, SMALLEST

USUAL_SIZES = ("0.25", "0.5", "1")
DANGER = (
    "Its network is TorchScript: a program that somebody else wrote. A bad one could read your files, change "
    "them, or send them away. Acinus runs it in a process of its own with limited memory, so that a crash or a "
    "hang costs you nothing; that is no protection against malice. Run it only if you trust where you have it "
    "from. Your answer holds for exactly this file."
)
UNLABELLED = "none of these"


class PackageDialog(QDialog):
    """Asks for trust in a package's program, and for what the package does not say."""

    def __init__(self, question: PackageQuestion, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.question = question
        self.setWindowTitle("A program from elsewhere" if question.runs_program else "A model from elsewhere")  # fmt: skip
        self.setMinimumWidth(520)
        self.column = QVBoxLayout(self)
        self.column.setSpacing(12)
        self._say(question.name, bold=True)
        self._say(_whence(question))
        if question.runs_program:
            self._say(DANGER, name="warning")
        self.form = QFormLayout()
        self.column.addLayout(self.form)
        self.pixel = self._ask_size() if question.asks_mpp else None
        self.classes = [
            self._ask_class(number, *each)
            for number, each in enumerate(
                zip(question.channels, question.proposals, strict=True), 1
            )
        ]
        if not all(question.channels):
            self._say(
                "What its channels mean stands in its README, or its author knows.", name="muted"
            )
        self._add_buttons()
        self._check()

    @property
    def answer(self) -> PackageAnswer | None:
        """Return what was answered, None while it is not complete."""
        mpp = self._size()
        if (self.pixel is not None and mpp is None) or (self.classes and not any(self._chosen())):
            return None
        names = zip(self._chosen(), self.question.channels, strict=True) if self.classes else ()
        classes = tuple(chosen or channel or "unlabelled" for chosen, channel in names)
        return PackageAnswer(self.question.runs_program, mpp, classes)

    def _say(self, text: str, *, name: str = "", bold: bool = False) -> None:
        label = _plain(text)
        label.setObjectName(name)
        label.setWordWrap(True)
        if bold:
            label.setStyleSheet("font-weight: 700; font-size: 15px;")
        self.column.addWidget(label)

    def _ask_size(self) -> QComboBox:
        box = QComboBox()
        box.setEditable(True)
        box.addItems(USUAL_SIZES)
        box.setCurrentIndex(-1)
        box.setAccessibleName("Micrometres per pixel")
        field = box.lineEdit()
        if field is not None:
            field.setPlaceholderText("µm: 0.25 at 40x, 0.5 at 20x")
        box.currentTextChanged.connect(lambda _: self._check())
        self.form.addRow(_plain("Pixel size, which it does not say"), box)
        return box

    def _ask_class(self, number: int, channel: str, proposal: str) -> QComboBox:
        title = f"Channel {number} is called “{channel}”" if channel else f"Channel {number} has no name"  # fmt: skip
        box = QComboBox()
        box.addItem(UNLABELLED)
        box.addItems([each.name for each in load_taxonomy().classes])
        box.setCurrentText(proposal or UNLABELLED)
        box.setAccessibleName(f"Class of channel {number}")
        box.currentTextChanged.connect(lambda _: self._check())
        self.form.addRow(_plain(title), box)
        return box

    def _add_buttons(self) -> None:
        roles = QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox()
        words = "Run it in a separate process" if self.question.runs_program else "Use it"
        self.run = buttons.addButton(words, roles.AcceptRole)
        self.cancel = buttons.addButton("Cancel", roles.RejectRole)
        self.cancel.setDefault(True)  # Enter alone must not run a program
        self.cancel.setFocus()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.column.addWidget(buttons)

    def _size(self) -> float | None:
        try:
            size = float(self.pixel.currentText().strip().replace(",", ".")) if self.pixel else None
        except ValueError:
            return None
        return size if size is not None and SMALLEST <= size <= LARGEST else None

    def _chosen(self) -> list[str]:
        """Return the class of each channel, "" for none."""
        return ["" if not box.currentIndex() else box.currentText() for box in self.classes]

    def _check(self) -> None:
        self.run.setEnabled(self.answer is not None)


def _plain(text: str) -> QLabel:
    """Return a label in which a package's words are never taken for HTML."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _whence(question: PackageQuestion) -> str:
    """Return what it is and where it comes from."""
    authors = ", ".join(filter(None, question.authors)) or "unknown"
    return (
        f"{question.origin}\nFile: {question.path}\nAuthors, as it says: {authors}\n"
        f"Licence, as it says: {question.licence}"
    )
