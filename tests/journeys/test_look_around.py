"""The first minute: welcome page, opening, panning and zooming, finding commands."""

import subprocess
import sys

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from viewer.actions import ACTIONS, action_named, menu_groups
from viewer.widgets.command_search import matching
from viewer.widgets.magnification import MagnificationBox, magnification_text
from viewer.widgets.main_window import MENUS
from viewer.widgets.scale_bar import bar_text, round_length


def wheel(canvas, at, notches):
    event = QWheelEvent(
        QPointF(at), canvas.mapToGlobal(QPointF(at)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def test_the_window_is_up_without_torch():
    code = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from viewer.app import build\n"
        "from viewer.settings import Settings\n"
        "session, window = build(Settings())\n"
        "window.show()\n"
        "app.processEvents()\n"
        "assert window.isVisible()\n"
        "heavy = {'torch', 'captum', 'numba', 'pyqtgraph'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_first_page_offers_a_slide_and_the_sample_and_is_not_modal(person):
    assert person.window.stage.currentWidget() is person.window.stage.welcome
    texts = [button.text() for button in person.window.stage.welcome.findChildren(QPushButton)]
    assert texts == ["Open a slide…", "Try the sample slide"]


def test_an_opened_slide_is_listed_as_recent_when_it_is_closed(person, slide):
    person.opens(slide)
    person.does("file.close")

    texts = [button.text() for button in person.window.stage.welcome.findChildren(QPushButton)]
    assert slide.name in texts
    assert person.window.stage.currentWidget() is person.window.stage.welcome


def test_a_dropped_slide_opens(person, slide):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(slide))])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, data,
        Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip

    person.window.stage.dropEvent(event)
    person.waits()

    assert person.session.workspace.slide.path == slide


def test_the_opened_slide_is_seen_whole_and_in_its_colours(person, slide, qtbot):
    person.opens(slide)
    qtbot.waitUntil(
        lambda: person.canvas.grab() is not None and person.canvas.complete, timeout=10000
    )

    image = person.canvas.grab().toImage()

    for x, wanted in ((200, (110, 50, 140)), (600, (230, 150, 190))):
        at = person.at(x, 400)
        colour = image.pixelColor(at)
        got = (colour.red(), colour.green(), colour.blue())
        assert all(abs(a - b) <= 3 for a, b in zip(got, wanted, strict=True))


def test_the_wheel_zooms_at_the_cursor(person, slide):
    person.opens(slide)
    at = QPoint(300, 200)
    before = person.canvas.viewport.to_slide(300, 200)
    scale = person.canvas.viewport.scale

    wheel(person.canvas, at, 2)

    assert person.canvas.viewport.scale < scale
    assert person.canvas.viewport.to_slide(300, 200) == pytest.approx(before, abs=1e-6)


def test_dragging_pans(person, slide):
    person.opens(slide)
    person.does("view.zoom_in")
    before = person.canvas.viewport

    person.drags((600, 400), (650, 430))

    assert person.canvas.viewport.x == pytest.approx(before.x - 50, abs=2 * before.scale)
    assert person.canvas.viewport.y == pytest.approx(before.y - 30, abs=2 * before.scale)


def test_the_status_bar_tells_micrometres_under_the_cursor(person, slide):
    person.opens(slide)

    person.canvas.pointed.emit((400.0, 200.0))

    assert "x 200.0  y 100.0 µm" in person.window.status.place.text()


def test_a_click_selects_a_region_and_delete_removes_it(person, slide):
    person.opens(slide)
    person.region(200, 200, 500, 500)
    person.session.select(frozenset())
    person.qtbot.mouseClick(person.canvas, Qt.MouseButton.LeftButton, pos=person.at(350, 350))
    assert len(person.session.selection) == 1

    person.key(Qt.Key.Key_Delete)

    assert not person.session.workspace.document.annotations


def test_a_typed_magnification_is_taken_and_nothing_else_happens(person, slide):
    person.opens(slide)
    person.region(200, 200, 500, 500)
    box = person.window.findChild(MagnificationBox)
    box.setFocus()
    box.selectAll()

    QTest.keyClicks(box, "10")
    QTest.keyClick(box, Qt.Key.Key_Return)

    assert person.canvas.viewport.scale == pytest.approx(2.0)  # 1 µm per screen pixel at 0.5 µm
    assert box.text() == "10×"
    (region,) = person.session.workspace.document.annotations.values()
    assert region.class_name is None
    assert person.session.active_class.name == "Tumor"


def test_a_command_is_found_and_run_from_the_keyboard(person, slide):
    person.opens(slide)
    person.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)

    QTest.keyClicks(person.window.search, "1:1")
    QTest.keyClick(person.window.search, Qt.Key.Key_Return)

    assert person.canvas.viewport.scale == pytest.approx(1.0)
    assert not person.window.search.results.isVisible()


def test_magnifications_are_those_of_objectives():
    assert magnification_text(1.0, 0.5) == "20×"
    assert magnification_text(4.0, 0.25) == "10×"
    assert magnification_text(2.0, None) == "50 %"


def test_scale_bars_have_round_lengths():
    assert [round_length(x) for x in (1, 1.9, 2, 4.99, 5, 9.9, 99, 730)] == [
        1,
        1,
        2,
        2,
        5,
        5,
        50,
        500,
    ]
    assert bar_text(200, known=True) == "200 µm"
    assert bar_text(2000, known=True) == "2 mm"
    assert bar_text(200, known=False) == "200 px"


def test_commands_are_found_by_words_of_title_or_help():
    assert matching("segment")[0].name == "segment.region"
    assert "file.export" in [each.name for each in matching("qupath")]
    assert matching("zzz") == []


def test_every_action_has_a_help_and_dots_where_it_asks_first():
    for each in ACTIONS.values():
        assert each.help.endswith("."), each.name
    asking = {
        "file.open",
        "file.save_as",
        "file.export",
        "file.import",
        "file.export_tiles",
        "file.export_measurements",
        "shape.expand",
        "shape.shrink",
        "shape.simplify",
        "shape.smooth",
        "file.export_view",
        "file.open_beside",
        "segment.model",
        "view.go_to",
        "view.label",
        "measure.pixel_size",
        "measure.table",
        "measure.export_counts",
        "measure.counts",
        "explain.export",
        "edit.properties",
        "classes.edit",
        "classes.import",
        "classes.export",
    }
    assert {each.name for each in ACTIONS.values() if each.title.endswith("…")} == asking


def test_no_shortcut_is_the_letter_that_opens_a_menu():
    letters = {f"Alt+{title[title.index('&') + 1].upper()}" for title in MENUS}

    assert len(letters) == len(MENUS)
    assert not letters & {each.shortcut for each in ACTIONS.values()}


def test_no_shortcut_is_taken_twice():
    from viewer.tools import TOOLS

    keys = [key for each in ACTIONS.values() for key in each.shortcut.split(" or ") if key]
    keys += [tool.key for tool in TOOLS]
    assert len(keys) == len(set(keys))


def test_every_focusable_widget_has_a_name(person, slide):
    from PySide6.QtWidgets import QAbstractButton, QLineEdit, QListWidget, QSlider

    person.opens(slide)
    for kind in (QAbstractButton, QLineEdit, QListWidget, QSlider):
        for widget in person.window.findChildren(kind):
            if widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
                name = widget.accessibleName() or getattr(widget, "text", str)()
                assert name or widget.toolTip(), widget


def test_the_theme_changes_live(person):
    person.does("view.theme")

    assert QApplication.instance().palette().window().color().lightness() > 128
    person.does("view.theme")
    assert QApplication.instance().palette().window().color().lightness() < 128


@pytest.mark.parametrize("words", ["nan", "inf", "-5", "0", "abc"])
def test_what_is_no_magnification_is_said_and_the_view_stays(open_window, slide, words):
    person = open_window().opens(slide)
    before = person.canvas.viewport
    box = person.window.findChild(MagnificationBox)

    box.setText(words)
    box.returnPressed.emit()

    assert person.canvas.viewport == before
    assert person.messages()[-1] == "Type a magnification such as 20."


def test_a_misspelt_action_names_its_neighbours():
    with pytest.raises(KeyError, match=r"view\.mirror"):
        action_named("view.mirorr")


def titles(menu):
    """Return what stands in a menu and in those within it."""
    found = []
    for item in menu.actions():
        found += titles(item.menu()) if item.menu() else [item.text()]
    return found


def test_every_action_stands_in_a_menu_once(open_window):
    bar = open_window().window.menuBar()

    assert sorted(each.name for group in menu_groups() for each in group) == sorted(ACTIONS)
    assert all(titles(bar).count(each.title) >= 1 for each in ACTIONS.values())


def test_no_menu_is_longer_than_a_screen(open_window):
    for top in open_window().window.menuBar().actions():
        rows = [item for item in top.menu().actions() if not item.isSeparator()]
        assert len(rows) <= 20, top.text()
