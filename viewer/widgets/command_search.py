from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QBrush, QColor, QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from viewer.actions import ACTIONS, Action, perform
from viewer.session import Session
from viewer.widgets.text_field import TextField


class CommandSearch(TextField):
    """Finds any command by a few of its letters and runs it; says why one cannot run now."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.session = session
        self.setPlaceholderText("Commands  Ctrl+L")
        self.setFixedWidth(175)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Search commands")
        self.results = QListWidget(parent)
        self.results.setWindowFlag(Qt.WindowType.SubWindow)
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setObjectName("float")
        self.results.setStyleSheet(
            "QListWidget { background: palette(window); border: 1px solid palette(mid);"
            " border-radius: 8px; padding: 4px; }"
        )
        self.results.hide()
        self.results.itemClicked.connect(lambda _: self._run())
        self.textEdited.connect(lambda _: self._refresh())
        self.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self._refresh()
        elif event.type() == QEvent.Type.FocusOut:
            self.results.hide()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event.key())
        return super().eventFilter(watched, event)

    def _on_key(self, key: int) -> bool:
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if key == Qt.Key.Key_Down else -1
            rows = self.results.count()
            self.results.setCurrentRow((self.results.currentRow() + step) % max(rows, 1))
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run()
            return True
        if key == Qt.Key.Key_Escape:
            self._leave()
            return True
        return False

    def _refresh(self) -> None:
        self.results.clear()
        for each in matching(self.text()):
            can = each.enabled(self.session)
            aside = each.shortcut if can else each.why_not
            item = QListWidgetItem(f"{each.title}    {aside}")
            item.setData(Qt.ItemDataRole.UserRole, each.name)
            item.setToolTip(each.help)
            if not can:
                item.setForeground(QBrush(QColor("#8b919c")))
            self.results.addItem(item)
        self.results.setCurrentRow(0)
        window = self.window()
        below = self.mapTo(window, QPoint(0, self.height() + 6))
        width = 520
        height = min(12, max(1, self.results.count())) * 30 + 12
        x = min(below.x(), window.width() - width - 8)
        self.results.setGeometry(x, below.y(), width, height)
        self.results.setVisible(self.results.count() > 0 and self.hasFocus())
        self.results.raise_()

    def _run(self) -> None:
        item = self.results.currentItem()
        if item is None:
            return
        name = item.data(Qt.ItemDataRole.UserRole)
        self._leave()
        perform(ACTIONS[name], self.session)

    def _leave(self) -> None:
        self.clear()
        self.results.hide()
        window = self.window()
        window.setFocus()


def matching(text: str) -> list[Action]:
    """Return the actions whose title or help holds the words of `text`, titles first."""
    words = text.casefold().split()

    def rank(each: Action) -> int | None:
        title, whole = each.title.casefold(), f"{each.title} {each.help} {each.menu}".casefold()
        if all(word in title for word in words):
            return 0
        return 1 if all(word in whole for word in words) else None

    ranked = [(rank(each), i, each) for i, each in enumerate(ACTIONS.values())]
    found = [(order, i, each) for order, i, each in ranked if order is not None]
    return [each for _, _, each in sorted(found, key=lambda row: row[:2])]
