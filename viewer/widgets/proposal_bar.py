"""The bar over the canvas that says what is proposed for the mask, and takes the person's word on it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from viewer.actions import action_named, perform
from viewer.document import Proposal
from viewer.session import Session
from viewer.widgets.canvas import Canvas

ACCEPT = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
COMPARE = Qt.Key.Key_QuoteLeft
KEYS = (*ACCEPT, Qt.Key.Key_Escape, Qt.Key.Key_Backspace, COMPARE)
MOST_CLASSES = 4
"""Those with most pixels are named, the others go with the whole."""
COMPARING = "Hold ` to see the mask as it is"
SCRIBBLING = f"{COMPARING} · Ctrl+click takes one region · Backspace takes back the last stroke"


class ProposalBar(QFrame):
    """Accept, accept one class only, compare, drop; with their keys while the canvas has the focus."""

    def __init__(self, parent: QWidget, session: Session, canvas: Canvas) -> None:
        super().__init__(parent)
        self.setObjectName("float")
        self.session, self._canvas = session, canvas
        self.text = QLabel()
        self.text.setStyleSheet("font-weight: 600;")
        self.accept_button = _button("Accept   ⏎", "go")
        self.accept_button.clicked.connect(lambda: self._do("correct.accept"))
        self.compare_button = _button("Show before   `", "")
        self.compare_button.pressed.connect(lambda: session.proposals.compare(before=True))
        self.compare_button.released.connect(lambda: session.proposals.compare(before=False))
        self.drop_button = _button("Drop   Esc", "")
        self.drop_button.clicked.connect(lambda: self._do("correct.drop"))
        self.class_buttons: list[QPushButton] = []
        self._only = QLabel("Only")
        self._hint = QLabel()
        self._classes = QHBoxLayout()
        self._arrange()
        session.proposals.changed.connect(lambda _: self.refresh())
        canvas.installEventFilter(self)
        self.refresh()

    def _arrange(self) -> None:
        for label in (self._only, self._hint):
            label.setObjectName("muted")
        row = QHBoxLayout()
        row.addWidget(self.accept_button)
        row.addSpacing(24)
        row.addStretch(1)
        row.addWidget(self.compare_button)
        row.addWidget(self.drop_button)
        self._classes.addWidget(self._only)
        self._classes.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 12, 9)
        column.setSpacing(7)
        column.addWidget(self.text)
        column.addLayout(row)
        column.addLayout(self._classes)
        column.addWidget(self._hint)
        for each in (row, self._classes):
            each.setSpacing(8)

    def fit(self, room: int) -> None:
        """Take the size that it needs, but be no wider than `room`."""
        for label in (self.text, self._hint):
            label.setWordWrap(False)
            label.setWordWrap(label.sizeHint().width() > room - 40)
        width = min(room, self.sizeHint().width())
        wraps = self.hasHeightForWidth()
        self.resize(width, self.heightForWidth(width) if wraps else self.sizeHint().height())

    def refresh(self) -> None:
        """Say what is proposed now; hidden where nothing is."""
        proposals = self.session.proposals
        proposal = proposals.current
        self.text.setText(self._said(proposal))
        for button in (self.accept_button, self.compare_button):
            button.setEnabled(proposal is not None)
        self._hint.setText(SCRIBBLING if proposals.scribbles else COMPARING)
        self._make_class_buttons(proposal)
        self.setVisible(proposals.waiting and self.session.workspace is not None)
        self._classes.activate()

    def _said(self, proposal: Proposal | None) -> str:
        if proposal is None:
            busy = self.session.proposals.spreading
            return "Spreading…" if busy else "Nothing would change yet; scribble on."
        counts = list(proposal.counts.items())
        parts = [f"{pixels:,} px → {self._name(code)}" for code, pixels in counts[:MOST_CLASSES]]
        rest = sum(pixels for _, pixels in counts[MOST_CLASSES:])
        return ",   ".join([*parts, f"{rest:,} px more"] if rest else parts)

    def _make_class_buttons(self, proposal: Proposal | None) -> None:
        for button in self.class_buttons:
            self._classes.removeWidget(button)
            button.deleteLater()
        self.class_buttons = []
        counts = proposal.counts if proposal is not None else {}
        if proposal is not None and len(counts) > 1:
            for code in list(counts)[:MOST_CLASSES]:
                button = self._class_button(proposal.of_class(code), code)
                self._classes.insertWidget(self._classes.count() - 1, button)
                button.show()  # so that the layout counts with it at once
                self.class_buttons.append(button)
        self._only.setVisible(bool(self.class_buttons))

    def _class_button(self, part: Proposal, code: int) -> QPushButton:
        name, area = self._name(code), part.pixels * part.grid.mpp**2 / 1e6
        button = _button(name, "")
        button.setIcon(_dot(self._canvas.code_colour(code)))
        button.setToolTip(
            f"Accept only what becomes {name}: {part.pixels:,} px, {area:.4f} mm²; the rest stays proposed"
        )
        button.clicked.connect(lambda: self.session.proposals.accept(part))
        return button

    def _name(self, code: int) -> str:
        names = {each.code: each.name for each in self.session.taxonomy.classes}
        return names.get(code, "Unlabelled")

    def _do(self, name: str) -> None:
        perform(action_named(name), self.session)
        self._canvas.setFocus()

    # -- keys ---------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of the bar from the canvas, but not from a gesture under way."""
        if isinstance(event, QKeyEvent) and event.key() in KEYS and self.session.proposals.waiting:
            alone = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if event.type() == QEvent.Type.KeyRelease and event.key() == COMPARE:
                if not event.isAutoRepeat():
                    self.session.proposals.compare(before=False)
                return True
            if alone and not self._canvas.hand.busy:
                if event.type() == QEvent.Type.ShortcutOverride:
                    event.accept()
                    return True
                if event.type() == QEvent.Type.KeyPress:
                    self._press(event)
                    return True
        return super().eventFilter(watched, event)

    def _press(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() in ACCEPT:
            self._do("correct.accept")
        elif event.key() == Qt.Key.Key_Escape:
            self._do("correct.drop")
        elif event.key() == Qt.Key.Key_Backspace:
            self.session.proposals.take_back()
        else:
            self.session.proposals.compare(before=True)


def _button(text: str, look: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(look)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _dot(colour: QColor) -> QIcon:
    picture = QPixmap(24, 24)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(3, 3, 18, 18)
    return QIcon(picture)
