"""The annotations of the slide as a list that can be sorted and filtered."""

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel

from viewer.session import Session
from viewer.widgets.annotation_table_columns import panel_columns
from viewer.widgets.annotation_table_model import AnnotationTableModel
from viewer.widgets.annotation_table_rows import matching
from viewer.widgets.annotation_table_view import AnnotationTable
from viewer.widgets.panels import Panel
from viewer.widgets.text_field import TextField

WIDTHS = (0, 78, 90, 22)
ROOMY = 290  # pixels from which the class has a column of its own, beside its colour
LEAST = 5  # rows that are seen at least
PAUSE = 150  # ms without a key after which the filter works


class FilterField(TextField):
    """What rows must hold; it works when the typing pauses. Escape empties it, Down goes to the rows."""

    left = Signal()

    def __init__(self, model: AnnotationTableModel) -> None:
        super().__init__()
        self._model = model
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.apply)
        self.setPlaceholderText("Filter")
        self.setClearButtonEnabled(True)
        self.setAccessibleName("Filter annotations")
        self.setToolTip(
            "Words of name, class or notes; class:stroma asks for the class alone (Ctrl+F)"
        )
        self.textChanged.connect(lambda _: self._pause.start())

    def apply(self) -> None:
        """Filter now."""
        self._pause.stop()
        self._model.filter(matching(self.text()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self.apply()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.apply()
            self.left.emit()
        else:
            super().keyPressEvent(event)


class AnnotationsPanel(Panel):
    """The annotations of the slide; choosing some selects them."""

    menu_wanted = Signal(QPoint)

    def __init__(self, session: Session) -> None:
        super().__init__("Annotations")
        self.session = session
        self.model = AnnotationTableModel(session, panel_columns, self)
        self.table = AnnotationTable(session, self.model)
        self.table.arrange(WIDTHS)
        self.table.hidden_below = {1: ROOMY}
        self.table.setMinimumHeight(LEAST * 24 + 30)
        self.table.menu_wanted.connect(self.menu_wanted)
        self.filter = FilterField(self.model)
        self.filter.left.connect(self.table.setFocus)
        self._empty = QLabel("None yet. Press R and drag over the tissue.")
        self._empty.setObjectName("muted")
        self._empty.setWordWrap(True)
        self.rows.setContentsMargins(5, 5, 5, 5)
        for widget in (self._empty, self.filter, self.table):
            self.rows.addWidget(widget)
        for signal in (self.model.modelReset, self.model.rowsInserted, self.model.rowsRemoved):
            signal.connect(self._count)
        session.window_asked.connect(self._on_asked)
        self._count()

    def _count(self) -> None:
        total, shown = self.model.total, self.model.rowCount()
        self.aside.setText(f"{shown:,} of {total:,}" if shown != total else f"{total:,}" if total else "")  # fmt: skip
        self.filter.setVisible(total > 0)
        self.table.setVisible(total > 0)
        self._empty.setVisible(total == 0)

    def _on_asked(self, window: str) -> None:
        if window == "find" and self.filter.isVisible():
            self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.filter.selectAll()
