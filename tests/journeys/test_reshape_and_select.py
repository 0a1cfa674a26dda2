"""Shapes under the hand: moved, reshaped, chosen, drawn by key, asked about by a right click."""

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from shapely.geometry import Polygon, box

from segcore.annotations import Annotation
from viewer.actions import ACTIONS
from viewer.document import edits
from viewer.rendering.viewport import Viewport
from viewer.widgets.selection_menu import ITEMS, selection_menu

TRIANGLE = Annotation(Polygon([(100, 100), (300, 100), (100, 300)]), id="t")


def shown(person, slide, *annotations):
    person.opens(slide)
    person.session.apply(edits.add(annotations))
    person.session.select(frozenset({annotations[0].id}))
    return person


def held(person):
    return person.session.workspace.document.annotations


def test_a_selected_shape_is_moved_by_its_edge_and_undone_by_one_key(person, slide):
    shown(person, slide, TRIANGLE)

    person.drags((200, 100), (210, 130), (220, 150))
    moved = held(person)["t"].geometry.bounds

    assert abs(moved[0] - 120) < 2
    assert abs(moved[1] - 150) < 2
    person.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert held(person)["t"].geometry.equals(TRIANGLE.geometry)


def test_the_interior_of_a_selected_shape_pans(person, slide):
    shown(person, slide, TRIANGLE)
    before = person.canvas.viewport

    person.drags((140, 140), (160, 160), (180, 180))

    assert held(person)["t"].geometry.equals(TRIANGLE.geometry)
    assert person.canvas.viewport != before


def test_a_vertex_is_dragged_while_the_shape_stays_in_view(person, slide):
    shown(person, slide, TRIANGLE)

    person.drags((300, 100), (320, 90), (350, 60))

    assert abs(held(person)["t"].geometry.bounds[2] - 350) < 2
    assert person.session.tool.name == "move"


def test_the_cursor_tells_what_a_press_would_grip(person, slide):
    shown(person, slide, TRIANGLE)
    shapes = []
    for place in ((200, 100), (300, 100), (500, 400)):
        at = QPointF(person.at(*place))
        event = QMouseEvent(
            QEvent.Type.MouseMove, at, person.canvas.mapToGlobal(at), Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(person.canvas, event)
        shapes.append(person.canvas.cursor().shape())

    assert shapes == [
        Qt.CursorShape.SizeAllCursor, Qt.CursorShape.CrossCursor, Qt.CursorShape.ArrowCursor,
    ]  # fmt: skip


def test_a_rubber_band_selects_several_and_escape_drops_them(person, slide):
    others = [Annotation(box(k, 400, k + 40, 440), id=f"b{k}") for k in (100, 200, 300)]
    shown(person, slide, TRIANGLE, *others)

    person.key(Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    person.drags((90, 390), (200, 420), (250, 450))

    assert person.session.workspace.selection == {"b100", "b200"}
    assert person.session.tool.name == "select"


def test_a_rectangle_is_drawn_by_keys_alone(person, slide):
    person.opens(slide)
    person.canvas.look(Viewport(200, 200, 1, person.canvas.width(), person.canvas.height()))

    for key in (Qt.Key.Key_R, Qt.Key.Key_Return, *[Qt.Key.Key_Right] * 6, *[Qt.Key.Key_Down] * 4):
        person.key(key) if key == Qt.Key.Key_R else QTest.keyClick(person.canvas, key)
    QTest.keyClick(person.canvas, Qt.Key.Key_Return)

    (drawn,) = held(person).values()
    assert drawn.geometry.equals(box(200, 200, 260, 240))


def test_a_polygon_is_drawn_by_keys_alone(person, slide):
    person.opens(slide)
    person.canvas.look(Viewport(200, 200, 1, person.canvas.width(), person.canvas.height()))
    person.key(Qt.Key.Key_P)

    right, down, enter = Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return
    for key in (enter, *[right] * 6, enter, *[down] * 6, enter, enter):
        QTest.keyClick(person.canvas, key)

    (drawn,) = held(person).values()
    assert drawn.geometry.equals(Polygon([(200, 200), (260, 200), (260, 260)]))


def test_x_turns_the_brush_from_the_mask_to_annotations_and_back(person, slide):
    person.opens(slide)
    person.key(Qt.Key.Key_X)
    on_annotations = person.session.context().on_mask
    person.key(Qt.Key.Key_X)

    assert not on_annotations
    assert person.session.context().on_mask


def test_a_right_click_selects_what_it_is_about_and_classifies_it(person, slide):
    shown(person, slide, TRIANGLE)
    person.session.select(frozenset())
    person.canvas.menu_wanted.disconnect()
    at = person.at(140, 140)

    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, person.canvas.mapToGlobal(at))
    QApplication.sendEvent(person.canvas, event)
    menu = selection_menu(person.session, {}, person.window)
    classes = menu.actions()[0].menu()
    next(each for each in classes.actions() if each.text() == "Stroma").trigger()

    assert person.session.workspace.selection == {"t"}
    assert held(person)["t"].class_name == "Stroma"


def test_the_menu_of_a_right_click_names_only_actions_that_there_are():
    assert {name for group in ITEMS for name in group} <= set(ACTIONS)


def test_undo_while_drawing_takes_back_a_vertex_and_no_finished_edit(person, slide):
    shown(person, slide, TRIANGLE)
    person.key(Qt.Key.Key_P)
    left = Qt.MouseButton.LeftButton
    for place in ((400, 100), (500, 100), (500, 200)):
        person.qtbot.mouseClick(person.canvas, left, pos=person.at(*place))

    QTest.keyClick(person.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    assert person.session.workspace.document.can_undo
    assert "t" in held(person)
    assert len(person.canvas.hand.preview.vertices) == 2


def test_undo_while_dragging_drops_the_gesture_alone(person, slide):
    shown(person, slide, TRIANGLE)
    person.key(Qt.Key.Key_R)
    person.qtbot.mousePress(person.canvas, Qt.MouseButton.LeftButton, pos=person.at(400, 100))

    QTest.keyClick(person.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    assert not person.canvas.hand.busy
    assert "t" in held(person)
