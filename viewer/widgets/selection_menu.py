"""The menu of a right click: what can be done with the selected annotations."""

from collections.abc import Mapping

from PySide6.QtGui import QAction, QColor, QIcon, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from viewer.actions.table import give_class
from viewer.session import Session

ITEMS = (
    ("segment.region", "explain.grad_cam"),
    ("edit.copy", "edit.paste"),
    (
        "edit.properties",
        "view.selection",
        "edit.select_inside",
        "edit.lock",
        "edit.unlock",
        "shape.duplicate",
        "edit.delete",
    ),
    ("shape.merge", "shape.subtract", "shape.intersect", "shape.split", "shape.fill_holes"),
    ("shape.simplify", "shape.smooth", "shape.expand", "shape.invert"),
    ("edit.undo", "view.fit"),
)
"""Names of actions; a line parts the groups."""


def selection_menu(session: Session, actions: Mapping[str, QAction], parent: QWidget) -> QMenu:
    """Return the menu; classes first, since classifying is what it is opened for most."""
    menu = QMenu(parent)
    if session.selection:
        classes = menu.addMenu("Class")
        for each in session.taxonomy.classes:
            dot = QPixmap(12, 12)
            dot.fill(QColor(*each.colour))
            item = classes.addAction(QIcon(dot), each.name)
            item.triggered.connect(lambda _=False, name=each.name: give_class(session, name))
        classes.addSeparator()
        classes.addAction("None").triggered.connect(lambda: give_class(session, None))
    for group in ITEMS:
        menu.addSeparator()
        menu.addActions([actions[name] for name in group if name in actions])
    return menu
