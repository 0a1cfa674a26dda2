import pytest
from PySide6.QtWidgets import QDialogButtonBox

from viewer.widgets.pixel_size_dialog import PixelSizeDialog


def accepts(dialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()


def test_without_a_reason_nothing_is_filled_in_and_nothing_can_be_accepted(qtbot):
    dialog = PixelSizeDialog("slide", None, None)
    qtbot.addWidget(dialog)

    assert dialog.field.text() == ""
    assert not accepts(dialog)


def test_what_the_file_gives_reason_for_is_proposed(qtbot):
    dialog = PixelSizeDialog("slide", 0.25, None)
    qtbot.addWidget(dialog)

    assert dialog.value == 0.25
    assert accepts(dialog)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("0.5", 0.5),
        ("0,5", 0.5),
        (" 0.2 ", 0.2),
        ("0", None),
        ("500", None),
        ("half", None),
        ("nan", None),
    ],
)
def test_only_sensible_sizes_are_accepted(qtbot, typed, value):
    dialog = PixelSizeDialog("slide", None, None)
    qtbot.addWidget(dialog)

    dialog.field.setText(typed)

    assert dialog.value == value
    assert accepts(dialog) == (value is not None)
    assert ("0.02 to 100 µm" in dialog.reason.text()) == (value is None)
