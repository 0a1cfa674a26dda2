"""The classes: which one tools paint, which ones are seen, how strongly."""

from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segcore.annotations import Class
from viewer.actions import action_named, perform
from viewer.actions.classes import choose_numbered, give_numbered
from viewer.actions.table import give_class
from viewer.session import Session
from viewer.session.classes import KEYS
from viewer.widgets.colour_choice import choose_colour
from viewer.widgets.controls import LabelledSlider
from viewer.widgets.panels import Panel, Swatch
from viewer.widgets.theme import icon, theme_named

IGNORED = "Ignored, as its * says: drawn unfilled, not counted in areas, not trained."
MOST = 9.5  # rows that are seen at once; the half one says that there are more


class ClassRow(QFrame):
    """One class: swatch, name, eye, number key."""

    def __init__(self, session: Session, shown: Class, number: int) -> None:
        super().__init__()
        self.shown = shown
        self._session = session
        self.eye = QToolButton()
        self.eye.setCheckable(True)
        self.eye.setChecked(shown.code not in session.hidden_classes)
        self.eye.setIconSize(QSize(15, 15))
        self.eye.setStyleSheet("QToolButton { padding: 2px; background: transparent; }")
        self.eye.setToolTip(f"Show or hide {shown.name} in the mask")
        self.eye.setAccessibleName(f"Show {shown.name}")
        self.eye.toggled.connect(self._on_eye)
        self._name = QLabel(shown.name)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        key = QLabel(str(number) if number <= KEYS else "")
        key.setObjectName("key")
        key.setFixedWidth(10)
        row = QHBoxLayout(self)
        row.setContentsMargins(7, 3, 4, 3)
        row.setSpacing(9)
        row.addWidget(Swatch(shown))
        row.addWidget(self._name, 1)
        row.addWidget(self.eye)
        row.addWidget(key)
        self.setToolTip(_about(shown, number))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.restyle()

    def restyle(self) -> None:
        theme = theme_named(self._session.settings["theme"])
        active = self._session.active_class == self.shown
        colour = theme.chosen if active else "transparent"
        self.setStyleSheet(f"ClassRow {{ background: {colour}; border-radius: 6px; }}")
        name = "mdi6.eye-outline" if self.eye.isChecked() else "mdi6.eye-off-outline"
        self.eye.setIcon(icon(name, theme))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._session.set_class(self.shown)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """Return what a right click offers."""
        session, menu = self._session, QMenu(self)
        menu.addAction("Colour…", self.change_colour).setEnabled(session.workspace is not None)
        give = menu.addAction("Give it to the selection", partial(give_class, session, self.shown.name))  # fmt: skip
        give.setEnabled(bool(session.selection))
        edit = menu.addAction("Edit classes…", partial(_edit_classes, session))
        edit.setEnabled(session.workspace is not None)
        return menu

    def change_colour(self) -> None:
        colour = choose_colour(f"Colour of {self.shown.name}", self.shown.colour, self)
        if colour is not None:
            self._session.classes.recolour(self.shown, colour)

    def _on_eye(self, seen: bool) -> None:  # noqa: FBT001 - Qt's signature
        hidden = set(self._session.hidden_classes)
        (hidden.discard if seen else hidden.add)(self.shown.code)
        self._session.hidden_classes = frozenset(hidden)
        self.restyle()
        self._session.looks_changed.emit(None)


class ClassesPanel(Panel):
    """All classes of the study, and how strongly the mask is drawn."""

    def __init__(self, session: Session) -> None:
        super().__init__("Classes")
        self.session = session
        self.edit = QToolButton()
        self.edit.setText("Edit…")
        self.edit.setObjectName("small")
        self.edit.setToolTip("Add, name, colour, order and remove classes; import those of QuPath")
        self.edit.setAccessibleName("Edit classes")
        self.edit.clicked.connect(partial(_edit_classes, session))
        self.head.addWidget(self.edit)
        self.rows.setSpacing(1)
        self.class_rows: list[ClassRow] = []
        self._list = QScrollArea()
        self._list.setWidgetResizable(True)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setObjectName("within")
        self.rows.addWidget(self._list)
        self.opacity = LabelledSlider("Opacity", 0, 100, "{:.0f} %")
        self.opacity.set(float(session.settings["mask.opacity"]) * 100)
        self.opacity.moved.connect(self._on_opacity)
        self.rows.addSpacing(4)
        self.rows.addWidget(self.opacity)
        session.class_changed.connect(lambda _: self._restyle())
        session.looks_changed.connect(lambda _: self._restyle())
        session.classes_changed.connect(lambda _: self._fill())
        for event in (session.opened, session.closed):
            event.connect(lambda _: self._enable())
        self._fill()
        self._enable()

    def _fill(self) -> None:
        classes = self.session.taxonomy.classes
        self.class_rows = [ClassRow(self.session, each, n) for n, each in enumerate(classes, 1)]
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        for row in self.class_rows:
            column.addWidget(row)
        column.addStretch(1)
        before = self._list.takeWidget()
        if before is not None:
            before.deleteLater()  # the menu of one of its rows may be what brought us here
        self._list.setWidget(inner)
        height = self.class_rows[0].sizeHint().height() + 1
        self._list.setFixedHeight(round(height * min(len(classes), MOST)))

    def _enable(self) -> None:
        self.edit.setEnabled(self.session.workspace is not None)

    def _restyle(self) -> None:
        for row in self.class_rows:
            row.restyle()
        self.opacity.set(float(self.session.settings["mask.opacity"]) * 100)

    def _on_opacity(self, percent: float) -> None:
        self.session.settings["mask.opacity"] = percent / 100
        self.session.looks_changed.emit(None)


def add_class_keys(session: Session, window: QWidget) -> None:
    """Let 1 to 9 choose a class, and with Shift give it to the selected annotations."""
    for number in range(1, KEYS + 1):
        for key, verb in ((f"{number}", choose_numbered), (f"Shift+{number}", give_numbered)):
            shortcut = QShortcut(QKeySequence(key), window)
            shortcut.activated.connect(partial(verb, session, number))


def _edit_classes(session: Session) -> None:
    perform(action_named("classes.edit"), session)


def _about(shown: Class, number: int) -> str:
    said = [shown.name, shown.about, IGNORED if shown.ignored else ""]
    if number <= KEYS:
        said.append(
            f"{number} chooses it, Shift+{number} gives it to the selection, a right click colours it"
        )
    return "\n".join(text for text in said if text)
