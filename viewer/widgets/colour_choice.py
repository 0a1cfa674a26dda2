from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QWidget

Colour = tuple[int, int, int]


def choose_colour(title: str, present: Colour, parent: QWidget) -> Colour | None:
    """Ask for a colour; None means: leave it."""
    chosen = QColorDialog.getColor(QColor(*present), parent, title)
    return (chosen.red(), chosen.green(), chosen.blue()) if chosen.isValid() else None
