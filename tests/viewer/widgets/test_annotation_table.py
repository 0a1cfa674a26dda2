import csv

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication
from shapely.geometry import LineString, MultiPoint, Point, box

from segcore.annotations import Annotation
from segcore.annotations.model import NOTES
from viewer.document import Change, Edit, edits
from viewer.document.properties import set_properties
from viewer.widgets import annotation_table_model
from viewer.widgets.annotation_table import ROOMY, AnnotationsPanel
from viewer.widgets.annotation_table_columns import panel_columns, shape_of, size_text
from viewer.widgets.annotation_table_model import AnnotationTableModel
from viewer.widgets.annotation_table_rows import matching
from viewer.widgets.annotation_table_window import AnnotationTableWindow
from viewer.widgets.history_panel import HistoryPanel

NAME, CLASS, SIZE, LOCK = range(4)
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def square(side, **fields):
    return Annotation(box(0, 0, side, side), **fields)


def add(session, *annotations):
    session.apply(edits.add(annotations))


@pytest.fixture
def panel(session, qtbot):
    panel = AnnotationsPanel(session)
    qtbot.addWidget(panel)
    panel.resize(240, 500)
    panel.show()
    return panel


def column(model, number=NAME):
    return [model.index(row, number).data() for row in range(model.rowCount())]


def ids(model):
    return [model.annotation(row).id for row in range(model.rowCount())]


def sort(panel, number, order=UP):
    panel.table.horizontalHeader().setSortIndicator(number, order)


# -- what is shown, in which order ----------------------------------------------------------------


def test_the_newest_is_first_and_an_unnamed_one_is_called_by_its_class_or_its_shape(session, panel):
    add(session, square(10, name="ROI 1"))
    add(session, square(10, class_name="Stroma"), Annotation(Point(5, 5).buffer(3), ellipse=True))

    assert column(panel.model) == ["Ellipse", "Stroma", "ROI 1"]
    assert panel.aside.text() == "3"


@pytest.mark.parametrize(
    ("geometry", "word"),
    [
        (box(0, 0, 4, 3), "Rectangle"),
        (Point(0, 0).buffer(3), "Polygon"),
        (LineString([(0, 0), (1, 1)]), "Line"),
        (Point(1, 1), "Point"),
        (MultiPoint([(1, 1), (2, 2)]), "Points"),
        (shapely.MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]), "Polygon"),
    ],
)
def test_shapes_have_a_word(geometry, word):
    assert shape_of(Annotation(geometry)) == word


@pytest.mark.parametrize(
    ("geometry", "mpp", "text"),
    [
        (box(0, 0, 100, 100), 0.5, "2,500 µm²"),
        (box(0, 0, 1000, 1000), 0.5, "0.25 mm²"),
        (LineString([(0, 0), (300, 400)]), 0.5, "250 µm"),
        (LineString([(0, 0), (3000, 4000)]), 0.5, "2.5 mm"),
        (MultiPoint([(0, 0), (1, 1), (2, 2)]), 0.5, "3 pt"),
        (box(0, 0, 100, 100), None, "10,000 px²"),
        (LineString([(0, 0), (300, 400)]), None, "500 px"),
    ],
)
def test_sizes_have_the_unit_that_can_be_known(geometry, mpp, text):
    assert size_text(Annotation(geometry), mpp) == text


def test_every_column_sorts_both_ways_and_a_third_click_brings_back_the_order_of_drawing(
    session, panel
):
    a = square(30, name="beta", class_name="Tumor")
    b = square(10, name="Alpha", class_name="Stroma", locked=True)
    c = square(20, class_name=None)
    add(session, a, b, c)
    expected = {NAME: [b, a, c], CLASS: [b, a, c], SIZE: [b, c, a], LOCK: [b, a, c]}

    for number, order in expected.items():
        sort(panel, number)
        assert ids(panel.model) == [each.id for each in order], number
        sort(panel, number, DOWN)
        assert ids(panel.model) == [each.id for each in reversed(order)], number
    sort(panel, -1)
    assert ids(panel.model) == [c.id, b.id, a.id]


def test_points_lines_and_areas_are_not_sorted_among_one_another(session, panel):
    many = Annotation(MultiPoint([(k, k) for k in range(90)]), name="points")
    line = Annotation(LineString([(0, 0), (80, 0)]), name="line")
    add(session, square(1, name="small area"), line, many)

    sort(panel, SIZE)

    assert column(panel.model) == ["points", "line", "small area"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("roi", ["ROI 1"]),
        ("ASK surgeon", ["margin"]),
        ("stroma", ["stroma-like", "margin"]),
        ("class:stroma", ["margin"]),
        ("class:str margin", ["margin"]),
        ("nothing such", []),
        ("  ", ["stroma-like", "margin", "ROI 1"]),
    ],
)
def test_the_filter_looks_at_name_class_and_notes(session, panel, text, found):
    add(
        session,
        square(1, name="ROI 1"),
        square(2, name="margin", class_name="Stroma", metadata={NOTES: "Ask the surgeon"}),
        square(3, name="stroma-like", class_name="Tumor"),
    )

    panel.filter.setText(text)
    panel.filter.apply()

    assert column(panel.model) == found
    assert panel.aside.text() == ("3" if len(found) == 3 else f"{len(found)} of 3")


def test_typing_filters_by_itself_and_escape_shows_all_again(session, panel, qtbot):
    add(session, square(1, name="one"), square(2, name="two"))

    qtbot.keyClicks(panel.filter, "tw")
    qtbot.waitUntil(lambda: column(panel.model) == ["two"])
    qtbot.keyClick(panel.filter, Qt.Key.Key_Escape)

    assert column(panel.model) == ["two", "one"]


# -- following edits ------------------------------------------------------------------------------

KINDS = st.sampled_from(["add", "delete", "rename", "grow", "classify", "undo", "redo"])


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(st.tuples(KINDS, st.integers(0, 99)), max_size=25),
    by=st.sampled_from([-1, NAME, CLASS, SIZE]),
    order=st.sampled_from([UP, DOWN]),
    text=st.sampled_from(["", "n1", "class:tumor"]),
)
def test_after_any_edits_the_rows_are_those_of_a_table_made_anew(session, steps, by, order, text):
    document = session.workspace.document
    model = AnnotationTableModel(session, panel_columns)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.sort(by, order)
    model.filter(matching(text))
    told = as_told(model)
    for kind, n in steps:
        held = list(document.annotations.values())
        one = held[n % len(held)] if held else None
        if kind == "add":
            document.apply(edits.add([square(1 + n % 7, name=f"n{n}", class_name="Tumor")]))
        elif kind == "undo":
            document.undo()
        elif kind == "redo":
            document.redo()
        elif one is not None:
            document.apply(edit_of(kind, one, n))

    fresh = AnnotationTableModel(session, panel_columns)
    fresh.sort(by, order)
    fresh.filter(matching(text))

    assert ids(model) == ids(fresh) == told
    shown = matching(text) or (lambda _: True)
    assert set(ids(model)) == {each.id for each in document.annotations.values() if shown(each)}
    for table in (model, fresh):
        table.leave()


def as_told(model):
    """Return the ids of a model's rows, kept by nothing but what it tells of its changes."""
    rows = ids(model)

    def insert(_, first, last):
        rows[first:first] = model.ids(first, last)

    def remove(_, first, last):
        del rows[first : last + 1]

    model.rowsInserted.connect(insert)
    model.rowsRemoved.connect(remove)
    return rows


def edit_of(kind, one, n):
    changed = {
        "rename": one.with_(name=f"n{n}" if n % 3 else None),
        "grow": one.with_(geometry=box(0, 0, 1 + n, 1)),
        "classify": one.with_(class_name=("Stroma", None)[n % 2]),
    }
    if kind == "delete":
        return edits.delete([one])
    if n % 5 == 0:  # twice in one edit
        between = one.with_(name="between")
        return Edit(kind, (Change(one, between), Change(between, changed[kind])))
    return edits.replace([one], [changed[kind]], name=kind)


def test_an_edit_changes_its_row_and_no_other(session, panel, qtbot):
    add(session, *(square(k + 1, name=f"n{k}") for k in range(5)))
    one = panel.model.annotation(2)
    told = []
    panel.model.modelReset.connect(lambda: told.append("all"))
    panel.model.rowsInserted.connect(lambda _, first, last: told.append(("in", first, last)))
    panel.model.rowsRemoved.connect(lambda _, first, last: told.append(("out", first, last)))
    panel.model.dataChanged.connect(lambda a, b, _: told.append(("is", a.row(), b.row())))

    session.apply(set_properties([one], {"name": "other"}))
    session.apply(edits.delete([panel.model.annotation(2)]))
    session.workspace.document.undo()

    assert told == [("is", 2, 2), ("out", 2, 2), ("in", 2, 2)]


def test_an_edit_of_very_many_fills_the_table_once(session, panel, monkeypatch):
    monkeypatch.setattr(annotation_table_model, "MANY", 3)
    resets = []
    panel.model.modelReset.connect(lambda: resets.append(panel.model.rowCount()))

    add(session, *(square(k + 1) for k in range(4)))
    session.workspace.document.undo()

    assert resets == [4, 0]
    assert not panel.table.isVisible()


def test_areas_are_told_anew_when_the_pixel_size_is_set(session, panel):
    add(session, square(100))
    assert column(panel.model, SIZE) == ["2,500 µm²"]

    session.set_pixel_size(1.0)

    assert column(panel.model, SIZE) == ["0.01 mm²"]


# -- selection --------------------------------------------------------------------------------------


def test_the_selection_is_one_thing_here_and_on_the_slide(session, panel, qtbot):
    a, b, c = (square(k, name=f"n{k}") for k in (1, 2, 3))
    add(session, a, b, c)

    panel.table.selectRow(0)
    assert session.workspace.selection == {c.id}
    session.select(frozenset({a.id, b.id}))
    assert [panel.table.is_selected(row) for row in range(3)] == [False, True, True]
    assert {i.row() for i in panel.table.selectionModel().selectedRows()} == {1, 2}
    panel.table.selectAll()
    assert len(session.workspace.selection) == 3
    session.select(frozenset())
    assert not panel.table.selectionModel().hasSelection()


def click(panel, qtbot, row, modifier=Qt.KeyboardModifier.NoModifier, number=NAME):
    place = panel.table.visualRect(panel.model.index(row, number)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def test_shift_extends_control_adds_and_takes_away_as_everywhere(session, panel, qtbot):
    annotations = [square(k + 1) for k in range(6)]
    add(session, *annotations)
    of = [each.id for each in reversed(annotations)]

    click(panel, qtbot, 1)
    click(panel, qtbot, 3, Qt.KeyboardModifier.ShiftModifier)
    assert session.workspace.selection == {of[1], of[2], of[3]}
    click(panel, qtbot, 2, Qt.KeyboardModifier.ControlModifier)
    click(panel, qtbot, 5, Qt.KeyboardModifier.ControlModifier)
    assert session.workspace.selection == {of[1], of[3], of[5]}
    click(panel, qtbot, 0)
    assert session.workspace.selection == {of[0]}


def test_a_drag_with_control_takes_back_what_it_leaves_again(session, panel):
    annotations = [square(k + 1) for k in range(4)]
    add(session, *annotations)
    of = [each.id for each in reversed(annotations)]
    flag, model = QItemSelectionModel.SelectionFlag, panel.model
    session.select(frozenset({of[3]}))
    chosen = panel.table.selectionModel()

    chosen.select(model.index(0, 0), flag.Toggle | flag.Rows)
    for last in (2, 1):
        rows = [model.index(row, 0) for row in range(1, last + 1)]
        chosen.select(QItemSelection(rows[0], rows[-1]), flag.Toggle | flag.Current | flag.Rows)

    assert session.workspace.selection == {of[3], of[1]}


def test_neither_filter_nor_sorting_nor_an_edit_takes_from_the_selection(session, panel):
    a, b = square(1, name="a"), square(2, name="b")
    add(session, a, b)
    session.select(frozenset({a.id, b.id}))

    panel.filter.setText("b")
    panel.filter.apply()
    sort(panel, NAME)
    session.apply(set_properties([session.workspace.document.annotations[b.id]], {"name": "c"}))

    assert session.workspace.selection == {a.id, b.id}
    session.apply(edits.delete([a]))
    assert session.workspace.selection == {b.id}


def test_the_keys_select_and_control_a_takes_only_what_is_shown(session, panel, qtbot):
    annotations = [square(k + 1, name=f"n{k}") for k in range(4)]
    add(session, *annotations)
    panel.filter.setText("n")
    QTest.keyClick(panel.filter, Qt.Key.Key_Return)
    panel.table.setCurrentIndex(panel.model.index(0, 0))
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    QTest.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert session.workspace.selection == {annotations[2].id, annotations[1].id}

    panel.filter.setText("n3")
    panel.filter.apply()
    QTest.keyClick(panel.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert session.workspace.selection == {annotations[3].id}


def test_what_is_selected_on_the_slide_is_scrolled_to(session, panel):
    annotations = [square(k + 1) for k in range(200)]
    add(session, *annotations)
    QApplication.processEvents()

    session.select(frozenset({annotations[0].id}))

    place = panel.table.visualRect(panel.model.index(199, 0))
    assert panel.table.viewport().rect().contains(place.center())


# -- what can be done ---------------------------------------------------------------------------------


def test_a_double_click_goes_there_and_enter_edits(session, panel, qtbot):
    session.ask.told = {"name": "margin"}
    add(session, Annotation(box(1000, 2000, 3000, 2400)))
    index = panel.model.index(0, 0)

    panel.table.doubleClicked.emit(index)
    (left, top, right, bottom) = session.view.shown[0]
    assert left < 1000
    assert right > 3000
    assert top < 2000
    assert bottom > 2400
    panel.table.selectRow(0)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)

    assert session.ask.asked == ["properties of 1"]
    assert column(panel.model) == ["margin"]
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    assert panel.model.rowCount() == 0


def test_a_click_on_the_lock_locks_and_unlocks(session, panel, qtbot):
    add(session, square(1))

    click(panel, qtbot, 0, number=LOCK)
    assert session.selection[0].locked
    assert not panel.model.index(0, LOCK).data(Qt.ItemDataRole.DecorationRole).isNull()
    click(panel, qtbot, 0, number=LOCK)
    assert not session.selection[0].locked
    assert session.workspace.document.undo_name == "Unlock annotation"


def test_the_right_button_leaves_the_selection_and_asks_for_its_menu(session, panel, qtbot):
    annotations = [square(k + 1) for k in range(3)]
    add(session, *annotations)
    panel.table.selectAll()
    asked = []
    panel.menu_wanted.connect(asked.append)
    place = panel.table.visualRect(panel.model.index(1, 0)).center()
    press = QMouseEvent(
        QEvent.Type.MouseButtonPress, place.toPointF(), panel.table.viewport().mapToGlobal(place).toPointF(),
        Qt.MouseButton.RightButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(panel.table.viewport(), press)
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, QPoint(7, 8))
    QApplication.sendEvent(panel.table.viewport(), menu)

    assert len(session.workspace.selection) == 3
    assert asked == [QPoint(7, 8)]


def test_nothing_is_cut_off_at_240_pixels_and_a_long_name_is_told_in_full(session, panel):
    name = "Desmoplastic stroma at the invasive front"
    add(session, square(2000, name=name, class_name="Stroma", locked=True, metadata={NOTES: "x"}))
    QApplication.processEvents()
    table = panel.table

    assert table.isColumnHidden(CLASS)
    assert table.horizontalHeader().length() == table.viewport().width()
    words = table.fontMetrics().horizontalAdvance("0.999 mm²")
    assert table.columnWidth(SIZE) >= words
    tip = panel.model.index(0, NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == f"{name}\nStroma\nx\nLocked"
    panel.resize(ROOMY + 40, 500)
    QApplication.processEvents()
    assert not table.isColumnHidden(CLASS)


# -- the large table ----------------------------------------------------------------------------------


@pytest.fixture
def window(session, panel, qtbot):
    window = AnnotationTableWindow(session, lambda _: None, panel)
    window.show()
    yield window
    window.done(0)


def cells(window, row):
    model = window.model
    titles = [each.title for each in model.columns]
    return {t: model.index(row, n).data() for n, t in enumerate(titles) if t}


def test_the_large_table_measures_in_micrometres_and_tells_what_lies_in_what(session, window):
    roi = Annotation(box(0, 0, 400, 200), name="ROI 1")
    disc = Annotation(Point(100, 100).buffer(50, 64), class_name="Tumor", metadata={NOTES: "a\nb"})
    line = Annotation(LineString([(10, 10), (10, 60)]), name="line")
    add(session, roi, disc, line)

    found = [cells(window, row) for row in range(3)]

    assert found[0]["Length µm"] == "25"
    assert found[0]["Area µm²"] == ""
    assert found[1]["Lies in"] == "ROI 1"
    assert found[1]["Notes"] == "a b"
    assert float(found[1]["Circularity"]) == pytest.approx(1, abs=0.01)
    assert found[2]["Area µm²"] == "20,000"  # 400 x 200 pixels of 0.5 µm
    assert found[2]["Perimeter µm"] == "600"
    assert found[2]["Lies in"] == ""
    window.table.horizontalHeader().setSortIndicator(2, DOWN)
    assert [cells(window, row)["Name"] for row in range(3)] == ["ROI 1", "Polygon", "line"]


def test_the_rows_that_are_shown_are_exported(session, window, tmp_path):
    add(session, square(4, name="keep"), square(8, name="leave"))
    session.ask.save_path = tmp_path / "out.csv"
    window.filter.setText("keep")
    window.filter.apply()

    window.export.click()
    session.jobs.wait_idle(20)

    with (tmp_path / "out.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["Name"] for row in rows] == ["keep"]
    assert float(rows[0]["Area µm^2"]) == 4.0


def test_a_closed_table_follows_nothing_any_more(session, panel, qtbot):
    window = AnnotationTableWindow(session, lambda _: None, panel)
    model = window.model
    before = len(session.edited._listeners)
    window.done(0)

    add(session, square(1))

    assert len(session.edited._listeners) < before
    assert model.rowCount() == 0


# -- history ------------------------------------------------------------------------------------------


def test_the_history_grows_by_a_row_and_a_click_goes_back_to_any_step(session, qtbot):
    panel = HistoryPanel(session)
    qtbot.addWidget(panel)
    QAbstractItemModelTester(panel.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    resets = []
    panel.model.modelReset.connect(lambda: resets.append(1))
    for k in range(4):
        session.apply(edits.add([square(k + 1)], name=f"step {k}"))

    panel.list.clicked.emit(panel.model.index(2))

    assert panel.model.rowCount() == 5
    assert session.workspace.document.position == 2
    assert panel.list.currentIndex().row() == 2
    assert panel.model.index(3).data(Qt.ItemDataRole.FontRole).italic()
    assert panel.model.index(2).data(Qt.ItemDataRole.FontRole) is None
    panel.list.setCurrentIndex(panel.model.index(3))
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert session.workspace.document.position == 3
    panel.list.clicked.emit(panel.model.index(2))
    session.apply(edits.add([square(9)], name="another way"))
    shown = [panel.model.index(row).data() for row in range(panel.model.rowCount())]
    assert shown == ["Slide as it came", "step 0", "step 1", "another way"]
    assert not resets
