"""Name what was marked, give it classes of one's own, find it again in the table."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.widgets.annotation_table import AnnotationsPanel
from viewer.widgets.classes_panel import ClassesPanel
from viewer.widgets.history_panel import HistoryPanel

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def marked(person, slide):
    """A person with two regions drawn, the second one selected."""
    person.opens(slide)
    person.region(100, 100, 300, 300)
    person.region(500, 100, 900, 300)
    return person


def panel(person, kind):
    return person.window.findChild(kind)


def rows(person):
    model = panel(person, AnnotationsPanel).model
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def classes(person):
    return [each.class_name for each in person.session.workspace.document.annotations.values()]


def test_a_number_chooses_a_class_and_with_shift_gives_it_to_the_selection(marked):
    marked.key(Qt.Key.Key_3)
    assert marked.session.active_class.name == "Lymphocyte"
    assert classes(marked) == [None, None]

    marked.key(Qt.Key.Key_2, SHIFT)
    assert classes(marked) == [None, "Stroma"]
    assert marked.session.active_class.name == "Lymphocyte"
    marked.key(Qt.Key.Key_Return, CONTROL)
    assert classes(marked) == [None, "Lymphocyte"]
    marked.key(Qt.Key.Key_8)
    marked.key(Qt.Key.Key_8, SHIFT)
    assert classes(marked) == [None, "Lymphocyte"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_F2])
def test_enter_asks_for_name_and_class_and_the_table_shows_them(marked, key):
    marked.session.ask.told = {"name": "margin", "class_name": "Tumor: Positive"}

    marked.key(key)

    assert rows(marked)[0] == "margin"
    assert classes(marked)[1] == "Tumor: Positive"


def test_a_region_drawn_is_selected_in_the_table_and_a_row_selects_it_on_the_slide(marked):
    table = panel(marked, AnnotationsPanel).table
    assert [table.is_selected(row) for row in (0, 1)] == [True, False]

    table.selectRow(1)

    first = next(iter(marked.session.workspace.document.annotations))
    assert marked.session.workspace.selection == {first}


def test_control_f_goes_to_the_filter_and_control_t_opens_the_large_table(marked):
    marked.key(Qt.Key.Key_F, CONTROL)
    assert panel(marked, AnnotationsPanel).filter.hasFocus()
    marked.canvas.setFocus()

    marked.key(Qt.Key.Key_T, CONTROL)
    table = marked.window.windows.open_ones["table"]
    marked.key(Qt.Key.Key_T, CONTROL)

    assert list(marked.window.windows.open_ones.values()) == [table]
    assert table.model.rowCount() == 2
    QTest.keyClick(table, Qt.Key.Key_Z, CONTROL)
    assert table.model.rowCount() == 1
    table.reject()
    assert not marked.window.windows.open_ones


def test_own_classes_are_there_again_with_the_history_when_the_slide_is_opened_again(
    marked, open_window, slide
):
    session = marked.session
    marked.does("classes.edit")
    manager = marked.window.windows.open_ones["classes"]
    session.ask.words = "DCIS"
    manager.buttons["Add"].click()
    marked.key(Qt.Key.Key_6, SHIFT)
    assert classes(marked) == [None, "DCIS"]
    history = panel(marked, HistoryPanel).model.rowCount()

    marked.window.close()
    again = open_window().opens(slide)

    shown = [row.shown.name for row in panel(again, ClassesPanel).class_rows]
    assert shown[5:] == ["DCIS"]
    assert panel(again, HistoryPanel).model.rowCount() == history
    assert classes(again) == [None, "DCIS"]
    again.does("file.close")
    assert len(panel(again, ClassesPanel).class_rows) == 5
    assert rows(again) == []


def test_the_classes_of_one_slide_are_not_those_of_another(marked, tmp_path):
    from tests.builders import three_field_pixels, write_slide

    marked.session.classes.add("DCIS")
    marked.session.set_class(marked.session.taxonomy.named("DCIS"))

    marked.opens(write_slide(tmp_path / "other.tif", three_field_pixels(900, 600)))

    assert [each.name for each in marked.session.taxonomy.classes][-1] == "Other"
    assert marked.session.active_class.name == "Tumor"


def test_a_painted_class_of_ones_own_is_drawn_in_its_colour_and_named_in_the_status_bar(marked):
    session = marked.session
    session.set_class(session.classes.add("DCIS", (255, 0, 0)))
    session.settings["mask.opacity"] = 1.0
    session.looks_changed.emit(None)
    marked.key(Qt.Key.Key_B)
    marked.drags((600, 500), (640, 500), (680, 500))
    QApplication.processEvents()

    picture = marked.canvas.grab().toImage()
    place = marked.at(640, 500)
    ratio = picture.devicePixelRatio()

    assert picture.pixelColor(int(place.x() * ratio), int(place.y() * ratio)).red() > 200
    marked.window.status.point((640, 500))
    assert marked.window.status.under.text() == "DCIS"
    session.classes.recolour(session.taxonomy.named("DCIS"), (0, 0, 255))
    picture = marked.canvas.grab().toImage()
    assert picture.pixelColor(int(place.x() * ratio), int(place.y() * ratio)).blue() > 200
