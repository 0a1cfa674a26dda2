import json

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget
from shapely.geometry import box

from segcore.annotations import Annotation
from segcore.annotations.qupath_classes import NamedColour
from viewer.document import edits
from viewer.widgets import class_manager, classes_panel
from viewer.widgets.class_manager import ClassManager
from viewer.widgets.classes_panel import ClassesPanel
from viewer.widgets.composition_panel import CompositionPanel


@pytest.fixture
def manager(session, qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    manager = ClassManager(session, parent)
    manager.show()
    closed = []
    manager.finished.connect(closed.append)
    yield manager
    if not closed:
        manager.done(0)


def names(session):
    return [each.name for each in session.taxonomy.classes]


def press(manager, button, **answers):
    for what, answer in answers.items():
        setattr(manager.session.ask, what, answer)
    manager.buttons[button].click()


def square(**fields):
    return Annotation(box(0, 0, 10, 10), **fields)


def listed(manager):
    items = [manager.list.topLevelItem(row) for row in range(manager.list.topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items]


def test_a_class_is_added_derived_renamed_and_removed(manager, session):
    press(manager, "Add", words="Duct")
    press(manager, "Derive", words="In situ")
    assert names(session)[5:] == ["Duct", "Duct: In situ"]
    assert manager.chosen.name == "Duct: In situ"
    manager.mark(session.taxonomy.named("Duct").code)

    press(manager, "Rename", words="Gland")

    assert names(session)[5:] == ["Gland", "Gland: In situ"]
    assert manager.chosen.name == "Gland"
    press(manager, "Remove")
    assert names(session)[5:] == ["Gland: In situ"]


def test_what_cannot_be_done_is_said_in_the_window(manager, session):
    press(manager, "Add", words="stroma")
    assert "already" in manager.about.text()
    press(manager, "Remove")
    assert "must stay" in manager.about.text()
    press(manager, "Rename")
    assert "what models call it" in manager.about.text()
    assert session.ask.asked == ["Add a class"]
    assert manager.about.objectName() == "warning"


def test_the_order_gives_the_number_keys_and_the_marked_class_stays_marked(manager, session):
    press(manager, "Add", words="Duct")
    for _ in range(9):
        press(manager, "Up")

    assert listed(manager)[:2] == [("Duct", "1"), ("Tumor", "2")]
    assert manager.chosen.name == "Duct"
    assert session.classes.numbered(1).name == "Duct"
    press(manager, "Down")
    assert listed(manager)[:2] == [("Tumor", "1"), ("Duct", "2")]


def test_a_new_colour_is_that_of_the_list_at_once(manager, session, monkeypatch):
    monkeypatch.setattr(class_manager, "choose_colour", lambda *_: (1, 2, 3))

    press(manager, "Colour")

    assert session.taxonomy.named("Tumor").colour == (1, 2, 3)
    assert session.active_class.colour == (1, 2, 3)


@pytest.mark.parametrize("wanted", [True, False])
def test_annotations_follow_a_new_name_in_one_edit_if_that_is_wanted(manager, session, wanted):
    session.apply(
        edits.add(
            [
                square(class_name="Duct", locked=True),
                square(class_name="Duct: In situ"),
                square(class_name="Tumor"),
            ]
        )
    )
    press(manager, "Add", words="Duct")
    press(manager, "Rename", words="Gland", yes=wanted)

    held = [each.class_name for each in session.workspace.document.annotations.values()]
    before, after = ["Duct", "Duct: In situ", "Tumor"], ["Gland", "Gland: In situ", "Tumor"]
    assert held == (after if wanted else before)
    assert session.workspace.document.position == 1 + wanted
    assert session.ask.asked[-1].startswith("2 annotations are Duct.")


def test_removing_leaves_the_name_with_the_annotations(manager, session):
    press(manager, "Add", words="Duct")
    session.apply(edits.add([square(class_name="Duct")]))

    press(manager, "Remove")

    assert "Duct" not in names(session)
    assert [a.class_name for a in session.workspace.document.annotations.values()] == ["Duct"]


def test_qupaths_classes_come_and_go_through_the_window(manager, session, tmp_path):
    file = tmp_path / "classes.json"
    file.write_text('{"pathClasses":[{"name":"Region*","color":-16777036},{"name":"tumor"}]}')

    press(manager, "Import from QuPath", open_path=file)
    press(manager, "Export for QuPath", save_path=tmp_path / "out.json")

    assert names(session)[5:] == ["Region*"]
    assert session.tell.texts("info")[0].startswith("1 class was added; 1 of classes.json")
    written = json.loads((tmp_path / "out.json").read_text())["pathClasses"]
    assert {"name": "Region*", "color": -16777036} in written
    manager.mark(session.taxonomy.named("Region*").code)
    assert "not trained" in manager.about.text()


def test_a_closed_slide_closes_it(manager, session):
    session.close()
    assert not manager.isVisible()


# -- the panel ------------------------------------------------------------------------------------


@pytest.fixture
def panel(session, qtbot):
    panel = ClassesPanel(session)
    qtbot.addWidget(panel)
    panel.resize(290, 400)
    panel.show()
    return panel


def test_the_panel_lists_all_classes_and_stays_low(session, panel):
    session.classes.adopt(NamedColour(f"Class {n}", (1, 2, 3)) for n in range(30))
    QApplication.processEvents()

    assert len(panel.class_rows) == 35
    assert panel.height() < 450
    tips = [row.toolTip() for row in panel.class_rows]
    assert "9 chooses it, Shift+9 gives it to the selection" in tips[8]
    assert "chooses" not in tips[9]


def test_a_hidden_class_stays_hidden_when_another_is_added(session, panel):
    panel.class_rows[1].eye.click()
    session.classes.add("Duct")

    assert session.hidden_classes == {2}
    assert [row.eye.isChecked() for row in panel.class_rows] == [
        True,
        False,
        True,
        True,
        True,
        True,
    ]


def test_a_right_click_offers_the_colour_and_gives_the_class(session, panel, monkeypatch):
    monkeypatch.setattr(classes_panel, "choose_colour", lambda *_: (7, 7, 7))
    session.apply(edits.add([square()]))
    session.select(frozenset(session.workspace.document.annotations))
    actions = {each.text(): each for each in panel.class_rows[2].menu().actions()}

    actions["Give it to the selection"].trigger()
    actions["Colour…"].trigger()

    assert session.selection[0].class_name == "Lymphocyte"
    assert session.taxonomy.classes[2].colour == (7, 7, 7)


def test_ignored_classes_are_left_out_of_the_composition(session, qtbot):
    panel = CompositionPanel(session)
    qtbot.addWidget(panel)
    duct, ignored = session.classes.add("Duct"), session.classes.add("Artefact*")
    labels = np.repeat(np.array([[duct.code, ignored.code]], np.uint8), 100, 0).repeat(100, 1)
    document = session.workspace.document
    grid = session.workspace.default_grid

    session.apply(edits.paint(document.mask, labels, 0, 0, grid=grid))

    texts = {each.text() for each in panel.findChildren(type(panel.ratio)) if not each.isHidden()}
    assert {"Duct", "100 %"} <= texts
    assert "Artefact*" not in texts
