from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import Annotation, Taxonomy
from viewer.document.properties import Properties
from viewer.widgets.colour_choice import choose_colour
from viewer.widgets.panels import dot

DIFFERENT = "different; leave it empty to keep them"
NO_CLASS = "None"
Colour = tuple[int, int, int] | None


class AnnotationDialog(QDialog):
    """Asks for name, class, colour, notes and lock of annotations; of several, only what is changed counts."""

    def __init__(
        self,
        annotations: Sequence[Annotation],
        class_names: Sequence[str],
        taxonomy: Taxonomy,
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self._held = annotations
        self._taxonomy = taxonomy
        one = len(annotations) == 1
        self.setWindowTitle("Annotation" if one else f"{len(annotations):,} annotations")
        self.setMinimumWidth(380)
        self.name = self._name_field()
        self.class_name = self._class_box(class_names)
        self.colour: Colour = annotations[0].colour
        self._colour_touched = False
        self.own_colour, self.class_colour = QPushButton(), QPushButton("Class colour")
        self.notes = self._notes_field()
        self.locked = QCheckBox("Locked: kept from change and deletion")
        states = {each.locked for each in annotations}
        self.locked.setTristate(len(states) > 1)
        self.locked.setCheckState(_check_state(states))
        self._arrange()
        self.own_colour.clicked.connect(self._ask_colour)
        self.class_colour.clicked.connect(lambda: self.set_colour(None))
        self.class_name.currentTextChanged.connect(lambda _: self._show_colour())
        self.locked.checkStateChanged.connect(lambda _: self._enable())
        self._enable()
        self.name.selectAll()
        self.name.setFocus()

    @property
    def answer(self) -> Properties:
        """What was changed."""
        found: Properties = {}
        name = self.name.text().strip() or None
        if self.name.isModified() and (name or self._common("name") is not DIFFERENT):
            found["name"] = name
        class_name = " ".join(self.class_name.currentText().split())
        if class_name != self._class_before:
            found["class_name"] = None if class_name in ("", NO_CLASS) else class_name
        if self._colour_touched:
            found["colour"] = self.colour
        if self.notes.document().isModified():
            found["notes"] = self.notes.toPlainText().strip()
        if self.locked.checkState() != Qt.CheckState.PartiallyChecked:
            found["locked"] = self.locked.isChecked()
        return self._without_what_is_so(found)

    def set_colour(self, colour: Colour) -> None:
        """Give the annotations a colour of their own; None takes that of the class."""
        self.colour, self._colour_touched = colour, True
        self._show_colour()

    def _without_what_is_so(self, found: Properties) -> Properties:
        kept = {key: value for key, value in found.items() if self._common(key) != value}
        return Properties(**kept)  # type: ignore[typeddict-item] - keys of `found`

    def _common(self, what: str) -> object:
        """Return what all annotations have in common, DIFFERENT if it is not one thing."""
        values = {getattr(each, what) for each in self._held}
        return values.pop() if len(values) == 1 else DIFFERENT

    def _name_field(self) -> QLineEdit:
        field = QLineEdit()
        common = self._common("name")
        if common is DIFFERENT:
            field.setPlaceholderText(DIFFERENT)
        else:
            field.setText(str(common or ""))
        return field

    def _class_box(self, names: Sequence[str]) -> QComboBox:
        box = QComboBox()
        box.setEditable(True)
        box.setIconSize(QSize(14, 14))
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.addItem(NO_CLASS)
        for name in names:
            rgb = self._taxonomy.colour_of(name)
            box.addItem(dot(QColor(*rgb) if rgb else QColor("gray")), name)
        common = self._common("class_name")
        text = "" if common is DIFFERENT else str(common or NO_CLASS)
        box.setCurrentIndex(box.findText(text))
        box.setCurrentText(text)
        self._class_before = text
        field = box.lineEdit()
        if common is DIFFERENT and field is not None:
            field.setPlaceholderText(DIFFERENT)
        box.setToolTip("Choose a class or type one; “Tumor: Positive” is derived from Tumor")
        return box

    def _notes_field(self) -> QPlainTextEdit:
        field = QPlainTextEdit()
        field.setTabChangesFocus(True)
        field.setFixedHeight(84)
        common = self._common("notes")
        if common is DIFFERENT:
            field.setPlaceholderText(DIFFERENT)
        else:
            field.setPlainText(str(common))
        field.document().setModified(False)
        return field

    def _arrange(self) -> None:
        colours = QHBoxLayout()
        colours.addWidget(self.own_colour, 1)
        colours.addWidget(self.class_colour)
        form = QFormLayout()
        form.setSpacing(10)
        rows = (("&Name", self.name), ("&Class", self.class_name), ("Colour", colours), ("No&tes", self.notes))  # fmt: skip
        for title, field in rows:
            form.addRow(title, field)
            if isinstance(field, QWidget):
                field.setAccessibleName(title.replace("&", ""))
        self.own_colour.setAccessibleName("Colour")
        form.addRow("", self.locked)
        self._why = QLabel("Locked: only the lock can be changed. Take it off to change the rest.")
        self._why.setObjectName("muted")
        self._why.setWordWrap(True)
        buttons = QDialogButtonBox.StandardButton
        chosen = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        chosen.accepted.connect(self.accept)
        chosen.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self._why)
        column.addWidget(chosen)

    def _enable(self) -> None:
        """Let a lock that stays keep the rest as it is."""
        stays = all(each.locked for each in self._held) and self.locked.isChecked()
        for field in (self.name, self.class_name, self.own_colour, self.class_colour, self.notes):
            field.setEnabled(not stays)
        self._why.setVisible(stays)
        self._show_colour()

    def _ask_colour(self) -> None:
        present = self._shown_colour()
        rgb = (present.red(), present.green(), present.blue())
        chosen = choose_colour("Colour of the annotation", rgb, self)
        if chosen is not None:
            self.set_colour(chosen)

    def _shown_colour(self) -> QColor:
        rgb = self.colour or self._taxonomy.colour_of(self.class_name.currentText())
        return QColor(*rgb) if rgb else QColor(255, 214, 10)

    def _show_colour(self) -> None:
        mixed = not self._colour_touched and self._common("colour") is DIFFERENT
        said = "Different" if mixed else "Its own" if self.colour else "That of the class"
        self.own_colour.setText(f" {said}…")
        self.own_colour.setIcon(dot(self._shown_colour()))
        own = mixed or self.colour is not None
        self.class_colour.setEnabled(own and self.own_colour.isEnabled())


def _check_state(states: set[bool]) -> Qt.CheckState:
    if len(states) > 1:
        return Qt.CheckState.PartiallyChecked
    return Qt.CheckState.Checked if True in states else Qt.CheckState.Unchecked
