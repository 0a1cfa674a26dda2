from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from segcore import __version__
from viewer.actions import action_named, perform
from viewer.session import Session

SHORTCUTS = (
    ("R O P", "outline a region"),
    ("S", "segment it"),
    ("B", "correct with the brush"),
    ("Y", "ask why"),
    ("Ctrl+E", "export for QuPath"),
    ("Ctrl+L", "find any command"),
)


class Welcome(QWidget):
    """The first page, in the place of the canvas: open, try the sample, go on where you were."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self._headline())
        claim = QLabel("Outline a region. Press S. See tumor, stroma, lymphocytes and necrosis.")
        claim.setObjectName("muted")
        claim.setStyleSheet("font-size: 15px;")
        column.addWidget(claim)
        column.addSpacing(18)
        column.addLayout(self._buttons())
        drop = QLabel("or drop a slide anywhere on this window")
        drop.setObjectName("muted")
        column.addWidget(drop)
        column.addSpacing(20)
        column.addLayout(self._recent)
        column.addSpacing(20)
        column.addLayout(self._keys())
        column.addSpacing(24)
        foot = QLabel(f"Version {__version__} · Research use only")
        foot.setObjectName("muted")
        column.addWidget(foot)
        frame = QVBoxLayout(self)
        frame.addStretch(2)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(column)
        row.addStretch(1)
        frame.addLayout(row)
        frame.addStretch(3)
        self.refresh()

    def refresh(self) -> None:
        """Show the recent slides as they are now; missing ones are greyed."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()  # it may be deleted only after the next painting
                widget.deleteLater()
        recent = [Path(each) for each in self.session.settings["recent"]][:5]
        if recent:
            title = QLabel("RECENT")
            title.setObjectName("title")
            self._recent.addWidget(title)
        for path in recent:
            self._recent.addWidget(self._recent_button(path))

    def _recent_button(self, path: Path) -> QPushButton:
        there = path.is_file()
        button = QPushButton(path.name if there else f"{path.name} (not found)")
        button.setObjectName("link")
        button.setEnabled(there)
        button.setToolTip(str(path))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.session.open(path))
        return button

    def _headline(self) -> QLabel:
        label = QLabel("Acinus")
        label.setStyleSheet("font-size: 40px; font-weight: 700;")
        return label

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        for name, title, look in (
            ("file.open", "Open a slide…", "go"),
            ("file.sample", "Try the sample slide", ""),
        ):
            button = QPushButton(title)
            button.setObjectName(look)
            button.setMinimumHeight(38)
            button.setToolTip(action_named(name).help)
            button.clicked.connect(lambda _=False, n=name: perform(action_named(n), self.session))
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _keys(self) -> QVBoxLayout:
        rows = QVBoxLayout()
        rows.setSpacing(4)
        for keys, meaning in SHORTCUTS:
            row = QHBoxLayout()
            key = QLabel(keys)
            key.setFixedWidth(64)
            key.setStyleSheet("font-weight: 600;")
            text = QLabel(meaning)
            text.setObjectName("muted")
            row.addWidget(key)
            row.addWidget(text, 1)
            rows.addLayout(row)
        return rows
