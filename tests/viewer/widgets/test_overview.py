import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from viewer.widgets.floats import Overview


def test_a_click_goes_to_its_place_within_the_bounds_that_the_overview_shows(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    overview = Overview(parent)
    overview.show_slide(np.zeros((60, 80, 3), np.uint8), (1000, 5000, 8000, 6000))
    overview.show()
    middle = QPoint(overview.width() // 2, overview.height() // 2)

    with qtbot.waitSignal(overview.jumped) as jump:
        qtbot.mouseClick(overview, Qt.MouseButton.LeftButton, pos=middle)

    assert jump.args == pytest.approx([5000, 8000], abs=60)
