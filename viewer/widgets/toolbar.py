"""The toolbar: a button for each family of tools, the few verbs that everybody needs, search, magnification."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton, QWidget

from viewer.actions import action_named, perform
from viewer.session import Session
from viewer.tools import TOOLS, Tool, families
from viewer.widgets.theme import Theme, icon

PAINT_ON = {"mask": "On mask", "annotations": "On annotations"}


class ToolButtons:
    """An action for each tool; on the toolbar the tools of a family share a button, which keeps the last."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        self.actions: dict[str, QAction] = {}
        self._buttons: dict[str, QToolButton] = {}
        self._session = session
        group = QActionGroup(parent)
        for tool in TOOLS:
            item = QAction(tool.title, parent)
            item.setCheckable(True)
            item.setShortcut(QKeySequence(tool.key))
            item.setToolTip(f"{tool.title} ({tool.key})\n{tool.hint}")
            item.triggered.connect(lambda _=False, t=tool: session.set_tool(t))
            group.addAction(item)
            self.actions[tool.name] = item
        session.tool_changed.connect(self.follow)
        self.actions[session.tool.name].setChecked(True)

    def fill(self, bar: QToolBar) -> None:
        for family in families():
            bar.addWidget(self._button(family, bar))

    def follow(self, tool: Tool) -> None:
        """Show the chosen tool on the button of its family."""
        self.actions[tool.name].setChecked(True)
        self._buttons[tool.family].setDefaultAction(self.actions[tool.name])

    def restyle(self, theme: Theme) -> None:
        for tool in TOOLS:
            self.actions[tool.name].setIcon(icon(tool.icon, theme))

    def enable(self, enabled: bool) -> None:  # noqa: FBT001 - as Qt's setEnabled
        for item in self.actions.values():
            item.setEnabled(enabled)

    def _button(self, family: Sequence[Tool], bar: QToolBar) -> QToolButton:
        button = QToolButton(bar)
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setDefaultAction(self.actions[family[0].name])
        button.setAccessibleName(family[0].title)
        if len(family) > 1:
            menu = QMenu(button)
            menu.addActions([self.actions[each.name] for each in family])
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self._buttons[family[0].family] = button
        return button


class PaintSwitch(QToolButton):
    """Says what brush, eraser and wand change, the mask or annotations; a click changes it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setObjectName("switch")
        self.setAccessibleName("What brush, eraser and wand change")
        self.setToolTip("Brush, eraser and wand change the mask, or annotations (X)")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda: perform(action_named("draw.on_annotations"), session))
        session.tool_changed.connect(lambda _: self.refresh())
        session.opened.connect(lambda _: self.refresh())
        session.looks_changed.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        self.setText(PAINT_ON[self._session.settings["paint.on"]])
        tool = self._session.tool
        self.setEnabled(tool.works_on == "either" and self._session.workspace is not None)
