from pathlib import Path

from PySide6.QtWidgets import QLabel

from viewer.jobs.packages import PackageAnswer, PackageQuestion
from viewer.widgets.model_dialog import ModelDialog
from viewer.widgets.package_dialog import DANGER, PackageDialog


def question(**changes):
    values = {
        "path": Path("/downloads/net.zip"),
        "name": "A net",
        "origin": "bioimage.io package",
        "authors": ("A. Uthor", ""),
        "licence": "MIT",
        "runs_program": True,
        "asks_mpp": False,
        "channels": (),
        "proposals": (),
    }
    return PackageQuestion(**(values | changes))


def shown(qtbot, asked):
    dialog = PackageDialog(asked, None)
    qtbot.addWidget(dialog)
    return dialog


def words(dialog):
    return "\n".join(each.text() for each in dialog.findChildren(QLabel))


def test_it_says_what_it_is_where_it_comes_from_and_why_it_is_dangerous(qtbot):
    dialog = shown(qtbot, question())

    for word in ("A net", "bioimage.io package", "/downloads/net.zip", "A. Uthor", "MIT", DANGER):
        assert word in words(dialog)
    assert dialog.run.text() == "Run it in a separate process"
    assert dialog.cancel.isDefault()
    assert not dialog.run.isDefault()
    assert dialog.answer == PackageAnswer(trusted=True, mpp=None, classes=())


def test_without_a_program_nothing_has_to_be_trusted(qtbot):
    dialog = shown(qtbot, question(runs_program=False, asks_mpp=True))

    assert DANGER not in words(dialog)
    assert dialog.run.text() == "Use it"
    dialog.pixel.setCurrentText("0,5")
    assert dialog.answer == PackageAnswer(trusted=False, mpp=0.5, classes=())


def test_no_pixel_size_is_guessed_and_no_nonsense_is_taken(qtbot):
    dialog = shown(qtbot, question(asks_mpp=True))

    for text, good in [("", False), ("0", False), ("nan", False), ("half", False), ("0.25", True)]:
        dialog.pixel.setCurrentText(text)
        assert dialog.run.isEnabled() == good
    assert dialog.pixel.count() == 3


def test_classes_are_proposed_by_the_channels_names_and_one_is_needed(qtbot):
    dialog = shown(qtbot, question(channels=("tumour", "", "vessel"), proposals=("Tumor", "", "")))

    assert dialog.answer.classes == ("Tumor", "unlabelled", "vessel")
    dialog.classes[1].setCurrentText("Stroma")
    assert dialog.answer.classes == ("Tumor", "Stroma", "vessel")
    for box in dialog.classes:
        box.setCurrentIndex(0)
    assert dialog.answer is None
    assert not dialog.run.isEnabled()


def test_names_of_others_are_shown_as_plain_text(qtbot):
    """A label that looked like HTML would be drawn as such, and could say what is not so."""
    dialog = shown(
        qtbot, question(name="<b>safe</b>", channels=("<i>x</i>",), proposals=("Tumor",))
    )

    for label in dialog.findChildren(QLabel):
        assert label.textFormat().name == "PlainText"


def test_the_model_in_use_is_marked_wherever_it_lies(qtbot):
    dialog = ModelDialog(["default", "mine"], "/elsewhere/net.zip", None)
    qtbot.addWidget(dialog)

    assert dialog.chosen == "/elsewhere/net.zip"
    dialog.list.setCurrentRow(1)
    assert dialog.chosen == "mine"
