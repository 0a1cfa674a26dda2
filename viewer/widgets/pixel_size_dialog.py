from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

SMALLEST, LARGEST = 0.02, 100.0  # micrometres: beyond these it is a slip of the keyboard


class PixelSizeDialog(QDialog):
    """Asks how wide a pixel is. Filled in only where the file gives a reason to; nothing is guessed."""

    def __init__(self, slide_name: str, proposal: float | None, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Pixel size")
        question = QLabel(
            f"{slide_name} does not say how large its pixels are.\n"
            "How many micrometres is one pixel wide? Usual: 0.25 for 40x, 0.5 for 20x."
        )
        self.field = QLineEdit("" if proposal is None else f"{proposal:g}")
        self.field.setPlaceholderText("µm per pixel")
        self.field.setAccessibleName("Micrometres per pixel")
        self._proposal = self.field.text()
        self.reason = QLabel()
        self.reason.setObjectName("muted")
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (question, self.field, self.reason, self.buttons):
            column.addWidget(widget)
        self.field.textChanged.connect(lambda _: self._check())
        self._check()

    @property
    def value(self) -> float | None:
        """Return the size typed, None while it is not a sensible one."""
        try:
            size = float(self.field.text().strip().replace(",", "."))
        except ValueError:
            return None
        return size if SMALLEST <= size <= LARGEST else None

    def _check(self) -> None:
        good = self.value is not None
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(good)
        text = self.field.text()
        if text and not good:
            self.reason.setText(f"Microscopes have from {SMALLEST:g} to {LARGEST:g} µm per pixel.")
        elif text and text == self._proposal:
            self.reason.setText("Proposed from the file; please check.")
        else:
            self.reason.clear()
