from pathlib import Path

import pytest

from segcore.annotations import FORMATS
from viewer.jobs.exchange import ExportOrder
from viewer.session.ports import Choice, ExportQuestion
from viewer.widgets.export_dialog import ExportDialog
from viewer.widgets.import_dialog import ChoiceDialog

SLIDE = Path("/data/CMU-1.svs")


@pytest.fixture
def ask(qtbot, tmp_path):
    def make(*, total=12, selected=3, has_mask=True, cropped=True, last=None, frames=None):
        last = last or ExportOrder(tmp_path, "geojson")
        dialog = ExportDialog(
            ExportQuestion(SLIDE, total, selected, has_mask, cropped, last, frames or {}), None
        )
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def choose(dialog, name):
    names = [each.name for each in FORMATS if each.can_write]
    dialog.formats.setCurrentIndex(names.index(name))


def test_the_proposal_is_everything_for_qupath_beside_the_last_export(ask, tmp_path):
    expected = ExportOrder(tmp_path / "CMU-1.geojson", "geojson", "all", mask=True, origin="bounds")
    assert ask().order == expected


def test_a_format_brings_its_ending_its_sentence_and_its_frame(ask, tmp_path):
    dialog = ask()

    choose(dialog, "asap")

    assert dialog.order == ExportOrder(tmp_path / "CMU-1.xml", "asap", "all", True, "full")
    assert dialog.about.text() == dialog.format.about
    dialog.frames.button(0).setChecked(True)
    assert dialog.order.origin == "bounds"


def test_the_frame_of_the_last_time_holds_for_its_format_only(ask):
    dialog = ask(frames={"geojson": "full"})

    assert dialog.order.origin == "full"
    choose(dialog, "asap")
    dialog.frames.button(0).setChecked(True)
    choose(dialog, "geojson")
    assert dialog.order.origin == "full"


def test_where_both_frames_are_the_same_none_is_asked_for(ask):
    dialog = ask(cropped=False)

    assert not dialog.frames.button(0).isVisible()
    assert dialog.one_frame.isVisible()


def test_a_mask_of_pixels_has_no_frame(ask):
    dialog = ask()

    choose(dialog, "png")

    assert not dialog.frames.button(0).isVisible()
    assert dialog.order.origin is None


def test_only_what_is_there_can_be_chosen(ask):
    dialog = ask(selected=0, has_mask=False)

    assert [dialog.which.button(n).isEnabled() for n in range(3)] == [True, False, False]
    assert not dialog.areas.isEnabled()
    assert dialog.order.annotations == "all"
    assert not dialog.order.mask


def test_an_empty_slide_has_nothing_to_export(ask):
    assert not ask(total=0, selected=0, has_mask=False).go.isEnabled()


def test_neither_annotations_nor_mask_is_no_export(ask):
    dialog = ask()
    dialog.which.button(2).setChecked(True)
    assert dialog.go.isEnabled()

    dialog.areas.setChecked(False)

    assert not dialog.go.isEnabled()


def test_a_file_that_is_there_is_replaced_only_after_consent(ask, monkeypatch):
    dialog = ask()
    dialog.order.path.write_text("mine")
    asked = []

    def refuse(path):
        asked.append(path)
        return False

    monkeypatch.setattr(dialog, "_may_replace", refuse)
    dialog.accept()
    assert asked == [dialog.order.path]
    assert dialog.isVisible()

    monkeypatch.setattr(dialog, "_may_replace", lambda _: True)
    dialog.accept()
    assert dialog.result() == 1


def test_a_name_without_an_ending_of_its_format_gets_one(ask, tmp_path):
    dialog = ask()

    for typed, written in (("a", "a.geojson"), ("a.txt", "a.txt.geojson"), ("a.JSON", "a.JSON")):
        dialog.place.setText(str(tmp_path / typed))
        assert dialog.order.path == tmp_path / written


def test_of_several_ways_the_first_is_proposed_and_each_says_what_it_means(qtbot):
    choices = (Choice("a", "One", "It is so."), Choice("b", "Other", "Or <b>so</b>."))
    dialog = ChoiceDialog("Import", "Which?", choices, None)
    qtbot.addWidget(dialog)

    assert dialog.value == "a"
    dialog.buttons.button(1).click()
    assert dialog.value == "b"
