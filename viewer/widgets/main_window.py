from PySide6.QtCore import QByteArray, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QToolBar,
    QWidget,
)

from viewer.actions import ACTIONS, Action, action_named, menu_groups, perform
from viewer.session import Session
from viewer.tools import families
from viewer.widgets.annotation_table import AnnotationsPanel
from viewer.widgets.bookmarks import BookmarksPanel
from viewer.widgets.classes_panel import ClassesPanel, add_class_keys
from viewer.widgets.command_search import CommandSearch
from viewer.widgets.composition_panel import CompositionPanel
from viewer.widgets.history_panel import HistoryPanel
from viewer.widgets.left_panels import SlidePanel
from viewer.widgets.magnification import MagnificationBox
from viewer.widgets.panels import side
from viewer.widgets.right_panels import ModelPanel
from viewer.widgets.selection_menu import selection_menu
from viewer.widgets.stage import Stage
from viewer.widgets.status import Status
from viewer.widgets.theme import apply_theme, icon, theme_named
from viewer.widgets.toolbar import PaintSwitch, ToolButtons
from viewer.widgets.why_panel import WhyPanel
from viewer.widgets.windows import Windows

MENUS = ("&File", "&Edit", "&View", "&Draw", "Sha&pe", "Se&gment", "E&xplain", "Meas&ure", "&Help")
LEFT, RIGHT = 240, 290
SETTLE_MS = 2000  # after the last edit the study file is made whole by itself


class MainWindow(QMainWindow):
    """Glue: the stage in the middle, panels beside it, menus and toolbar built from the tables."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.stage = Stage(session)
        self.canvas = self.stage.canvas
        self._actions: dict[str, QAction] = {}
        self.setWindowTitle("Acinus")
        room = self.screen().availableSize()
        self.resize(min(1500, room.width()), min(920, room.height() - 40))
        self.tools = ToolButtons(session, self)
        self._build_menus()
        self._build_toolbar()
        self._build_sides()
        self.windows = Windows(session, self._open_menu, self)
        self.status = Status(session)
        self.setStatusBar(self.status)
        self.canvas.pointed.connect(self.status.point)
        self.canvas.menu_wanted.connect(self._open_menu)
        self.restyle()
        self._listen()
        self._restore()
        self.refresh()
        self.stage.setFocus()

    def _listen(self) -> None:
        session = self.session
        for event in (
            session.opened, session.closed, session.edited, session.selected,
            session.looks_changed, session.heatmap_changed, session.study_changed,
            session.adjusted, session.beside.changed, session.places_changed,
        ):  # fmt: skip
            event.connect(lambda _: self.refresh())
        session.tool_changed.connect(lambda _: self.canvas.setFocus())
        self._quiet = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._quiet.timeout.connect(self._settle)
        session.study_changed.connect(lambda _: self._quiet.start())
        session.looks_changed.connect(lambda _: self.restyle())

    def _build_menus(self) -> None:
        menus: dict[str, QMenu] = {
            title.replace("&", ""): self.menuBar().addMenu(title) for title in MENUS
        }
        for family in families():
            menus["Draw"].addSeparator()
            menus["Draw"].addActions([self.tools.actions[each.name] for each in family])
        for group in menu_groups():
            for menu in {each.menu: _menu(menus, each.menu) for each in group}.values():
                menu.addSeparator()  # Qt shows none at the beginning of a menu
            for each in group:
                self._actions[each.name] = self._menu_item(each)
                _menu(menus, each.menu).addAction(self._actions[each.name])
        leave = QAction("Quit", self)
        leave.setShortcut(QKeySequence("Ctrl+Q"))
        leave.triggered.connect(self.close)
        menus["File"].addSeparator()
        menus["File"].addAction(leave)
        for menu in menus.values():
            menu.aboutToShow.connect(self.refresh)
        add_class_keys(self.session, self)

    def _menu_item(self, each: Action) -> QAction:
        item = QAction(each.title, self)
        item.setCheckable(each.checked is not None)
        item.setStatusTip(each.help)
        item.setShortcuts([QKeySequence(key) for key in each.shortcut.split(" or ") if key])
        item.triggered.connect(lambda: self._run(each))
        return item

    def _build_toolbar(self) -> None:
        bar = QToolBar("Tools")
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.tools.fill(bar)
        bar.addWidget(PaintSwitch(self.session))
        bar.addSeparator()
        for name in ("edit.undo", "edit.redo", "edit.delete"):
            bar.addAction(self._actions[name])
            self._actions[name].setToolTip(_tip(action_named(name)))
        bar.addSeparator()
        self.segment_button = self._button("segment.region", "Segment ROI   S", "go")
        self.why_button = self._button("explain.grad_cam", "Why?   Y", "")
        self.export_button = self._button("file.export", "Export…", "")
        for button in (self.segment_button, self.why_button, self.export_button):
            bar.addWidget(button)
            bar.addWidget(_gap(4))
        stretch = QWidget()
        stretch.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(stretch)
        self.search = CommandSearch(self.session, self)
        bar.addWidget(self.search)
        bar.addWidget(_gap(8))
        bar.addWidget(MagnificationBox(self.session, self.canvas))
        self.addToolBar(bar)
        find = QShortcut(QKeySequence("Ctrl+L"), self)
        find.activated.connect(lambda: self.search.setFocus(Qt.FocusReason.ShortcutFocusReason))

    def _button(self, name: str, text: str, look: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(look)
        button.setToolTip(_tip(action_named(name)))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._run(action_named(name)))
        return button

    def _build_sides(self) -> None:
        session = self.session
        annotations = AnnotationsPanel(session)
        annotations.menu_wanted.connect(self._open_menu)
        history = HistoryPanel(session)
        left = side(
            SlidePanel(session),
            BookmarksPanel(session),
            annotations,
            history,
            width=LEFT,
            stretch=annotations,
        )
        right = side(
            ClassesPanel(session), CompositionPanel(session), ModelPanel(session),
            WhyPanel(session), width=RIGHT,
        )  # fmt: skip
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        for widget in (left, self.stage, right):
            self.splitter.addWidget(widget)
        self.splitter.setHandleWidth(1)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([LEFT, self.width() - LEFT - RIGHT, RIGHT])
        self.setCentralWidget(self.splitter)

    def refresh(self) -> None:
        """Bring menus, buttons and title up to the session's state."""
        session = self.session
        for name, item in self._actions.items():
            each = ACTIONS[name]
            item.setEnabled(each.enabled(session))
            if each.checked is not None:
                item.setChecked(each.checked(session))
        workspace = session.workspace
        undo = workspace.document.undo_name if workspace else None
        redo = workspace.document.redo_name if workspace else None
        self._actions["edit.undo"].setText(f"Undo {undo}" if undo else "Undo")
        self._actions["edit.redo"].setText(f"Redo {redo}" if redo else "Redo")
        for button in (self.segment_button, self.why_button, self.export_button):
            button.setEnabled(workspace is not None)
        self.tools.enable(workspace is not None)
        mark = "*" if workspace is not None and workspace.study.unsaved else ""
        self.setWindowTitle(f"{workspace.slide.name}{mark} - Acinus" if workspace else "Acinus")

    def restyle(self) -> None:
        """Take on the chosen theme."""
        theme = theme_named(self.session.settings["theme"])
        app = QApplication.instance()
        if isinstance(app, QApplication) and app.property("theme") != theme.name:
            app.setProperty("theme", theme.name)
            apply_theme(app, theme)
        self.tools.restyle(theme)
        for name, item in self._actions.items():
            item.setIcon(icon(ACTIONS[name].icon, theme))
        self.canvas.set_background(theme.canvas)

    def _run(self, each: Action) -> None:
        perform(each, self.session)
        self.refresh()

    def _open_menu(self, at: QPoint) -> None:
        """Open the menu about the selection."""
        self.refresh()
        selection_menu(self.session, self._actions, self).exec(at)

    def _settle(self) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            workspace.study.settle()

    def _restore(self) -> None:
        stored = self.session.settings["window.geometry"]
        if stored:
            self.restoreGeometry(QByteArray.fromBase64(stored.encode()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close; edits are saved already, and a running job is stopped."""
        workspace = self.session.workspace
        if workspace is not None and workspace.study.unsaved and not workspace.study.flush():
            stay = not self.session.ask.confirm(
                f"{workspace.study.unsaved} edits could not be saved. Close and lose them?", "Close"
            )
            if stay:
                event.ignore()
                return
        geometry = self.saveGeometry().toBase64().data()
        self.session.settings["window.geometry"] = bytes(geometry).decode()
        self.session.jobs.cancel_all()
        self.session.close()
        event.accept()


def _menu(menus: dict[str, QMenu], path: str) -> QMenu:
    """Return the menu of a path such as "View/Turn", made where its first action stands."""
    if path not in menus:
        above, _, title = path.rpartition("/")
        menus[path] = _menu(menus, above).addMenu(title)
    return menus[path]


def _tip(each: Action) -> str:
    key = f" ({each.shortcut})" if each.shortcut else ""
    return f"{each.title}{key}\n{each.help}"


def _gap(width: int) -> QLabel:
    gap = QLabel()
    gap.setFixedWidth(width)
    return gap
