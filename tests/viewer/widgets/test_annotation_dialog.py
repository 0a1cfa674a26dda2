import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from shapely.geometry import box

from segcore.annotations import Annotation, load_taxonomy
from segcore.annotations.model import NOTES
from viewer.actions import action_named, perform
from viewer.document import edits
from viewer.widgets.annotation_dialog import DIFFERENT, AnnotationDialog

CLASSES = ["Tumor", "Stroma", "Tumor: Positive"]


def square(**fields):
    return Annotation(box(0, 0, 10, 10), **fields)


@pytest.fixture
def ask(qtbot):
    def make(*annotations):
        dialog = AnnotationDialog(annotations, CLASSES, load_taxonomy(), None)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def retype(field, text):
    field.selectAll()
    QTest.keyClicks(field, text) if text else QTest.keyClick(field, Qt.Key.Key_Delete)


def test_it_shows_what_is_and_answers_nothing_where_nothing_is_changed(ask):
    dialog = ask(square(name="ROI 1", class_name="Stroma", metadata={NOTES: "ask"}, locked=False))

    assert dialog.name.text() == "ROI 1"
    assert dialog.class_name.currentText() == "Stroma"
    assert dialog.notes.toPlainText() == "ask"
    assert dialog.focusWidget() is dialog.name
    assert dialog.answer == {}


def test_the_answer_holds_what_was_changed_and_nothing_else(ask):
    dialog = ask(square(name="ROI 1", class_name="Stroma"))

    retype(dialog.name, " margin ")
    dialog.class_name.setCurrentText("Tumor:  Unheard of")
    dialog.notes.setPlainText("ask\nagain ")
    dialog.notes.document().setModified(True)
    dialog.set_colour((1, 2, 3))
    dialog.locked.setChecked(True)

    assert dialog.answer == {
        "name": "margin",
        "class_name": "Tumor: Unheard of",
        "notes": "ask\nagain",
        "colour": (1, 2, 3),
        "locked": True,
    }


def test_what_is_emptied_is_taken_away(ask):
    dialog = ask(
        square(name="x", class_name="Tumor", colour=(1, 2, 3), metadata={NOTES: "gone soon"})
    )

    retype(dialog.name, "")
    dialog.class_name.setCurrentText("None")
    dialog.class_colour.click()
    assert not dialog.class_colour.isEnabled()
    dialog.notes.clear()
    dialog.notes.document().setModified(True)

    assert dialog.answer == {"name": None, "class_name": None, "colour": None, "notes": ""}


def test_of_several_only_what_is_changed_is_answered(ask):
    dialog = ask(
        square(name="a", class_name="Tumor", locked=True, colour=(1, 2, 3)),
        square(name="b", class_name="Stroma", metadata={NOTES: "n"}),
    )

    for field in (dialog.name, dialog.class_name.lineEdit(), dialog.notes):
        assert field.placeholderText() == DIFFERENT
    assert dialog.name.text() == dialog.class_name.currentText() == ""
    assert dialog.locked.checkState() == Qt.CheckState.PartiallyChecked
    assert dialog.answer == {}
    dialog.class_name.setCurrentText("Tumor")
    assert dialog.answer == {"class_name": "Tumor"}
    dialog.locked.setCheckState(Qt.CheckState.Unchecked)
    assert dialog.answer == {"class_name": "Tumor", "locked": False}


def test_what_is_locked_can_only_be_unlocked_until_it_is(ask):
    dialog = ask(square(name="a", locked=True))

    assert not dialog.name.isEnabled()
    dialog.locked.setChecked(False)
    assert dialog.name.isEnabled()
    retype(dialog.name, "b")
    assert dialog.answer == {"name": "b", "locked": False}


def test_derived_classes_are_offered_in_the_colour_of_their_parent(ask):
    dialog = ask(square())
    offered = [dialog.class_name.itemText(n) for n in range(dialog.class_name.count())]
    assert offered == ["None", *CLASSES]

    picture = dialog.class_name.itemIcon(3).pixmap(12, 12).toImage()

    assert picture.pixelColor(6, 6).getRgb()[:3] == (0xD5, 0x5E, 0x00)


# -- what becomes of the answer -------------------------------------------------------------------


def test_the_answer_is_one_edit_and_one_undo(session):
    session.apply(edits.add([square(name="a"), square(name="b")]))
    held = session.workspace.document.annotations
    session.select(frozenset(held))
    session.ask.told = {"class_name": "Tumor", "notes": "ask"}

    perform(action_named("edit.properties"), session)

    assert [(each.class_name, each.notes) for each in held.values()] == [("Tumor", "ask")] * 2
    assert session.workspace.document.undo_name == "Change 2 annotations"
    perform(action_named("edit.undo"), session)
    assert [(each.class_name, each.notes) for each in held.values()] == [(None, "")] * 2


def test_locked_ones_are_kept_and_counted(session):
    session.apply(edits.add([square(name="a", locked=True), square(name="b")]))
    session.select(frozenset(session.workspace.document.annotations))

    perform(action_named("edit.classify"), session)

    names = [each.class_name for each in session.workspace.document.annotations.values()]
    assert names == [None, "Tumor"]
    assert session.tell.texts("info") == ["1 locked annotation was kept; unlock to change."]


def test_unlocking_and_naming_in_one_answer_changes_the_locked_one(session):
    session.apply(edits.add([square(locked=True)]))
    session.select(frozenset(session.workspace.document.annotations))
    session.ask.told = {"name": "mine", "locked": False}

    perform(action_named("edit.properties"), session)

    assert [(a.name, a.locked) for a in session.selection] == [("mine", False)]
    assert not session.tell.said


def test_other_metadata_stays_when_notes_are_changed_and_taken_away(session):
    session.apply(edits.add([square(metadata={"kept": "yes", NOTES: "old"})]))
    session.select(frozenset(session.workspace.document.annotations))
    for notes in ("new", ""):
        session.ask.told = {"notes": notes}
        perform(action_named("edit.properties"), session)
        assert session.selection[0].notes == notes
        assert session.selection[0].metadata["kept"] == "yes"
    assert set(session.selection[0].metadata) == {"kept"}


def test_an_answer_that_changes_nothing_leaves_no_step_in_the_history(session):
    session.apply(edits.add([square(name="a")]))
    session.select(frozenset(session.workspace.document.annotations))
    session.ask.told = {"name": "a"}

    perform(action_named("edit.properties"), session)

    assert session.workspace.document.position == 1


def test_the_lock_is_turned_for_all_or_taken_from_all(session):
    session.apply(edits.add([square(locked=True), square()]))
    session.select(frozenset(session.workspace.document.annotations))
    states = []
    for name in ("edit.toggle_lock", "edit.toggle_lock", "edit.lock", "edit.unlock"):
        perform(action_named(name), session)
        states.append([each.locked for each in session.selection])
    assert states == [[True] * 2, [False] * 2, [True] * 2, [False] * 2]
