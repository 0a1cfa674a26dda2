from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QMenu

from viewer.actions.places import show_place
from viewer.session import Session
from viewer.session.places import Place
from viewer.widgets.panels import Panel

ROW = 28


class BookmarksPanel(Panel):
    """The views that were kept; a click goes there, a double click renames, the menu removes."""

    def __init__(self, session: Session) -> None:
        super().__init__("Bookmarks")
        self.session = session
        self.list = QListWidget()
        self.list.setAccessibleName("Bookmarks")
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.itemClicked.connect(lambda item: show_place(session, _place(item)))
        self.list.itemChanged.connect(self._rename)
        self.rows.addWidget(self.list)
        for event in (session.opened, session.closed, session.places_changed):
            event.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        workspace = self.session.workspace
        places = workspace.places.bookmarks if workspace is not None else ()
        self.setVisible(bool(places))
        self.list.blockSignals(True)
        self.list.clear()
        for place in places:
            item = QListWidgetItem(place.name)
            item.setData(Qt.ItemDataRole.UserRole, place)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.list.setFixedHeight(min(len(places), 5) * ROW + 4)

    def _rename(self, item: QListWidgetItem) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            workspace.places.rename(_place(item), item.text().strip() or _place(item).name)
            self.session.places_changed.emit(None)

    def _menu(self, at: QPoint) -> None:
        item = self.list.itemAt(at)
        workspace = self.session.workspace
        if item is None or workspace is None:
            return
        menu = QMenu(self)
        menu.addAction("Rename", lambda: self.list.editItem(item))
        menu.addAction("Remove", lambda: self._remove(_place(item)))
        menu.popup(self.list.mapToGlobal(at))

    def _remove(self, place: Place) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            workspace.places.remove(place)
            self.session.places_changed.emit(None)


def _place(item: QListWidgetItem) -> Place:
    return item.data(Qt.ItemDataRole.UserRole)
