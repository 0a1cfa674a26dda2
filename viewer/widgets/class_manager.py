from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import Class
from segcore.errors import AcinusError
from viewer.actions import action_named
from viewer.actions.classes import change_name
from viewer.session import Session
from viewer.session.classes import KEYS
from viewer.widgets.classes_panel import IGNORED
from viewer.widgets.colour_choice import choose_colour
from viewer.widgets.panels import dot

CODE = Qt.ItemDataRole.UserRole
NEW = "A name that ends with * is left out of areas and training"
DERIVED = "What kind of {}? For example Positive, Negative, in situ"


class ClassManager(QDialog):
    """The classes of the study: added, derived, named, coloured, ordered, removed, exchanged with QuPath."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.session = session
        self.setWindowTitle("Classes")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(460, 470)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Classes")
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setIconSize(QSize(14, 14))
        self.list.setObjectName("framed")
        self.list.currentItemChanged.connect(lambda *_: self._describe())
        self.list.itemDoubleClicked.connect(lambda *_: self._do(self._rename))
        self.about = QLabel()
        self.about.setObjectName("muted")
        self.about.setWordWrap(True)
        self.about.setMinimumHeight(34)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.buttons: dict[str, QPushButton] = {}
        self._arrange()
        session.classes_changed.connect(self._on_change)
        session.closed.connect(self._on_closed)
        self.refill()

    def done(self, result: int) -> None:
        """Close, and follow the session no longer."""
        self.session.classes_changed.disconnect(self._on_change)
        self.session.closed.disconnect(self._on_closed)
        super().done(result)

    @property
    def chosen(self) -> Class:
        """The class whose row is marked."""
        return self.session.taxonomy.classes[max(self.list.currentIndex().row(), 0)]

    def mark(self, code: int) -> None:
        """Mark the row of the class with that pixel value, the first where there is none."""
        codes = [each.code for each in self.session.taxonomy.classes]
        row = codes.index(code) if code in codes else 0
        self.list.setCurrentIndex(self.list.model().index(row, 0))

    def refill(self) -> None:
        """Show the classes as they are now; the same one stays marked."""
        before = self.list.currentItem()
        code = before.data(0, CODE) if before is not None else 0
        self.list.blockSignals(True)
        self.list.clear()
        for number, each in enumerate(self.session.taxonomy.classes, 1):
            item = QTreeWidgetItem([each.name, str(number) if number <= KEYS else ""])
            item.setIcon(0, dot(QColor(*each.colour)))
            item.setData(0, CODE, each.code)
            self.list.addTopLevelItem(item)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.mark(code)
        self.list.blockSignals(False)
        self._describe()

    def say(self, text: str, *, wrong: bool = False) -> None:
        self.about.setObjectName("warning" if wrong else "muted")
        self.about.style().polish(self.about)  # its colour hangs on its name
        self.about.setText(text)

    def _arrange(self) -> None:
        beside, below = QVBoxLayout(), QHBoxLayout()
        beside.setSpacing(6)
        verbs = (
            ("Add…", self._add), ("Derive…", self._derive), ("Rename…", self._rename),
            ("Colour…", self._recolour), ("Up", partial(self._move, -1)),
            ("Down", partial(self._move, 1)), ("Remove", self._remove),
        )  # fmt: skip
        for title, verb in verbs:
            beside.addWidget(self._button(title, verb))
        beside.addStretch(1)
        for title, name in (("Import from QuPath…", "classes.import"), ("Export for QuPath…", "classes.export")):  # fmt: skip
            each = action_named(name)
            button = self._button(title, partial(each.run, self.session))
            button.setToolTip(each.help)
            below.addWidget(button)
        below.addStretch(1)
        close = QPushButton("Close")
        close.clicked.connect(self.accept)
        below.addWidget(close)
        middle = QHBoxLayout()
        middle.addWidget(self.list, 1)
        middle.addLayout(beside)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addLayout(middle, 1)
        column.addWidget(self.about)
        column.addLayout(below)

    def _button(self, title: str, verb: Callable[[], object]) -> QPushButton:
        button = QPushButton(title)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self._do(verb))
        self.buttons[title.rstrip("…")] = button
        return button

    def _do(self, verb: Callable[[], object]) -> None:
        """Do it, or say here why it cannot be done."""
        self._describe()
        try:
            verb()
        except AcinusError as error:
            self.say(str(error), wrong=True)

    def _add(self) -> None:
        name = self.session.ask.text("Add a class", NEW)
        if name:
            self._show(self.session.classes.add(name))

    def _derive(self) -> None:
        parent = self.chosen.name
        kind = self.session.ask.text("Derive a class", DERIVED.format(parent))
        if kind:
            self._show(self.session.classes.add(f"{parent}: {kind}"))

    def _rename(self) -> None:
        each = self.chosen
        if self.session.classes.is_built_in(each):
            self.session.classes.rename(each, "")  # says why not
        name = self.session.ask.text("Rename the class", f"Another name for {each.name}", each.name)
        if name and name != each.name:
            change_name(self.session, each, name)

    def _recolour(self) -> None:
        colour = choose_colour(f"Colour of {self.chosen.name}", self.chosen.colour, self)
        if colour is not None:
            self.session.classes.recolour(self.chosen, colour)

    def _move(self, by: int) -> None:
        self.session.classes.move(self.chosen, by)

    def _remove(self) -> None:
        self.session.classes.remove(self.chosen)

    def _show(self, added: Class) -> None:
        self.mark(added.code)

    def _describe(self) -> None:
        each = self.chosen
        said = [each.about and f"{each.about}.", IGNORED if each.ignored else ""]
        if self.session.classes.is_built_in(each):
            said.append("Models find this class: its name stays.")
        elif each.parent is not None:
            said.append(f"Derived from {each.parent}.")
        self.say(" ".join(text for text in said if text))

    def _on_change(self, _: object) -> None:
        self.refill()

    def _on_closed(self, _: object) -> None:
        self.reject()
