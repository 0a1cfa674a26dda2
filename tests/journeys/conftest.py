import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.builders import ColourBundle, OneBundle, write_slide
from tests.fakes import Answers
from viewer.actions import action_named
from viewer.app import build
from viewer.settings import Settings


class Person:
    """Drives the window as a person does: keys, mouse, waiting for what happens."""

    def __init__(self, qtbot, session, window):
        self.qtbot, self.session, self.window = qtbot, session, window
        self.canvas = window.canvas

    def opens(self, path):
        self.session.open(path)
        self.waits()
        return self

    def waits(self, seconds=60):
        assert self.session.jobs.wait_idle(seconds), "a job did not end"

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.window, key, modifier)

    def does(self, name):
        each = action_named(name)
        assert each.enabled(self.session), f"{name} is disabled"
        return each.run(self.session)

    def at(self, x, y):
        """Return the screen point of a level-0 point."""
        sx, sy = self.canvas.viewport.to_screen(x, y)
        return QPoint(round(sx), round(sy))

    def drags(self, *points):
        """Drag through what are level-0 points when the button goes down."""
        left = Qt.MouseButton.LeftButton
        path = [self.at(*point) for point in points]
        self.qtbot.mousePress(self.canvas, left, pos=path[0])
        for place in path[1:]:
            self._move(QPointF(place))
        self.qtbot.mouseRelease(self.canvas, left, pos=path[-1])

    def _move(self, place):
        # QTest.mouseMove carries no button, so the drag is told as Qt's platforms do.
        event = QMouseEvent(
            QEvent.Type.MouseMove, place, self.canvas.mapToGlobal(place),
            Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(self.canvas, event)

    def messages(self):
        return [each.text for each in self.window.stage.messages]

    def region(self, left, top, right, bottom):
        """Draw a rectangle with the tool."""
        self.key(Qt.Key.Key_R)
        self.drags((left, top), ((left + right) / 2, (top + bottom) / 2), (right, bottom))


@pytest.fixture
def open_window(qtbot, own_home):
    """Open windows that share one home, as starts of the program one after the other."""
    windows = []

    def make(**answers):
        session, window = build(Settings(own_home / "settings.json"))
        session.models = OneBundle(ColourBundle())
        session.ask = Answers(**answers)
        qtbot.addWidget(window)
        window.resize(1500, 900)
        window.show()
        qtbot.waitExposed(window)
        windows.append((session, window))
        return Person(qtbot, session, window)

    yield make
    for session, window in windows:
        session.jobs.cancel_all()
        session.jobs.wait_idle(30)
        window.close()


@pytest.fixture
def person(open_window):
    return open_window()


@pytest.fixture
def slide(tmp_path):
    return write_slide(tmp_path / "three fields.tif")
