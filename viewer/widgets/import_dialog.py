from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from viewer.session.ports import Choice

WIDTH, INDENT = 500, 24


class ChoiceDialog(QDialog):
    """Asks which way to go on; each has a sentence about what it means."""

    def __init__(
        self, title: str, text: str, choices: Sequence[Choice], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(WIDTH)
        self._choices = choices
        self.buttons = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setSpacing(6)
        column.setContentsMargins(20, 18, 20, 16)
        column.addWidget(words(text))
        column.addSpacing(8)
        for number, each in enumerate(choices):
            button = QRadioButton(each.title)
            self.buttons.addButton(button, number)
            button.setVisible(len(choices) > 1)
            column.addWidget(button)
            note = words(each.note, name="muted")
            note.setContentsMargins(INDENT if len(choices) > 1 else 0, 0, 0, 4)
            column.addWidget(note)
        self.buttons.button(0).setChecked(True)
        chosen = QDialogButtonBox()
        yes = "Import" if len(choices) > 1 else choices[0].title
        go = chosen.addButton(yes, QDialogButtonBox.ButtonRole.AcceptRole)
        leave = chosen.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        leads = (
            go if len(choices) > 1 else leave
        )  # what is only possible "anyway" is not recommended
        leads.setObjectName("go")
        leads.setDefault(True)
        chosen.accepted.connect(self.accept)
        chosen.rejected.connect(self.reject)
        column.addSpacing(8)
        column.addWidget(chosen)
        self.resize(WIDTH, column.heightForWidth(WIDTH))

    @property
    def value(self) -> str:
        return self._choices[self.buttons.checkedId()].value


def words(text: str, *, name: str = "") -> QLabel:
    """Return a label that wraps, in which a file's words are never taken for HTML."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setObjectName(name)
    label.setWordWrap(True)
    return label
