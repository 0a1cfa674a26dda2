"""Correct a segmentation with a few scribbles that spread, and go where the network was not sure."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from viewer.document import edits
from viewer.widgets.proposal_bar import COMPARE
from viewer.widgets.right_panels import ModelPanel

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def mistaken(person, slide):
    """A slide whose left third is tumor and whose middle is stroma, segmented; all of it was taken for stroma."""
    person.opens(slide)
    grid = person.session.workspace.default_grid
    wrong = np.full((800, 1200), 2, np.uint8)
    person.session.apply(edits.paint(person.mask(), wrong, 0, 0, name="Segment region", grid=grid))
    person.key(Qt.Key.Key_B, SHIFT)
    person.waits()
    return person


@pytest.fixture
def person(person):
    document = lambda: person.session.workspace.document  # noqa: E731
    person.mask = lambda: document().mask
    person.labels = lambda: document().mask.read(0, 0, 1200, 800)
    person.history = lambda: list(document().history[: document().position])
    person.bar = person.window.stage.proposal_bar
    person.proposed = lambda: person.session.proposals.current
    return person


def scribble(person, number, *points):
    person.key(getattr(Qt.Key, f"Key_{number}"))
    person.drags(*points)
    person.waits()


def test_a_scribble_proposes_its_side_of_the_edge_and_changes_nothing_yet(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400), (380, 500))

    assert (mistaken.proposed().after == 1).any()
    assert mistaken.bar.isVisible()
    assert mistaken.bar.text.text() == f"{mistaken.proposed().pixels:,} px → Tumor"
    assert (mistaken.labels() == 2).all()
    assert mistaken.history() == ["Segment region"]


def test_enter_accepts_it_in_one_edit_and_undo_takes_all_of_it_back(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400), (380, 500))
    pixels = mistaken.proposed().pixels

    mistaken.qtbot.keyClick(mistaken.canvas, Qt.Key.Key_Return)

    assert mistaken.history()[-1] == f"Spread tumor, {pixels:,} px"
    labels = mistaken.labels()
    assert np.count_nonzero(labels == 1) == pixels
    assert (labels[310:490, 370:400] == 1).all()
    assert (labels[:, 400:] == 2).all()
    assert not mistaken.bar.isVisible()
    mistaken.does("edit.undo")
    assert (mistaken.labels() == 2).all()


def test_escape_leaves_nothing_and_keeps_the_tool(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400))

    mistaken.qtbot.keyClick(mistaken.canvas, Qt.Key.Key_Escape)

    assert mistaken.proposed() is None
    assert mistaken.session.proposals.scribbles == ()
    assert not mistaken.bar.isVisible()
    assert mistaken.history() == ["Segment region"]
    assert mistaken.session.tool.name == "spread"


def test_one_class_is_accepted_and_the_other_stays_proposed(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400))
    scribble(mistaken, 5, (820, 300), (820, 400))
    counts = dict(mistaken.proposed().counts)

    button = next(each for each in mistaken.bar.class_buttons if each.text() == "Other")
    mistaken.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert mistaken.history()[-1] == f"Spread other, {counts[5]:,} px"
    assert np.count_nonzero(mistaken.labels() == 5) == counts[5]
    assert not (mistaken.labels() == 1).any()
    assert dict(mistaken.proposed().counts) == {1: counts[1]}


def test_ctrl_click_accepts_the_region_under_it_only(mistaken):
    scribble(mistaken, 1, (100, 150), (140, 150))
    scribble(mistaken, 1, (300, 600), (340, 600))
    total = mistaken.proposed().pixels

    mistaken.qtbot.mouseClick(
        mistaken.canvas,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.ControlModifier,
        mistaken.at(320, 600),
    )

    labels = mistaken.labels()
    assert (labels[590:610, 300:340] == 1).all()
    assert not (labels[:300] == 1).any()
    assert mistaken.proposed().pixels == total - np.count_nonzero(labels == 1)


def test_the_mask_as_it_is_shows_while_the_key_is_held(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400))

    mistaken.qtbot.keyPress(mistaken.canvas, COMPARE)
    assert mistaken.session.proposals.shows_before
    mistaken.qtbot.keyRelease(mistaken.canvas, COMPARE)

    assert not mistaken.session.proposals.shows_before


def test_backspace_takes_back_the_last_scribble(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400))
    first = mistaken.proposed().pixels
    scribble(mistaken, 1, (100, 600), (140, 600))
    assert mistaken.proposed().pixels > first

    mistaken.qtbot.keyClick(mistaken.canvas, Qt.Key.Key_Backspace)

    assert mistaken.proposed().pixels == first


def test_what_was_corrected_by_hand_stays_and_what_is_accepted_counts_as_such(mistaken):
    mistaken.key(Qt.Key.Key_B)
    mistaken.key(Qt.Key.Key_4)
    mistaken.drags((340, 300), (340, 400))
    painted = mistaken.labels() == 4
    mistaken.key(Qt.Key.Key_B, SHIFT)

    scribble(mistaken, 1, (380, 250), (380, 450))
    mistaken.qtbot.keyClick(mistaken.canvas, Qt.Key.Key_Return)
    assert ((mistaken.labels() == 4) == painted).all()
    accepted = mistaken.labels() == 1
    scribble(mistaken, 3, (300, 250), (300, 450))
    mistaken.qtbot.keyClick(mistaken.canvas, Qt.Key.Key_Return)

    assert (mistaken.labels() == 3).any()
    assert (mistaken.labels()[accepted] == 1).all()


def test_a_brush_stroke_into_a_proposal_counts_and_the_rest_stays_proposed(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400))
    before = mistaken.proposed().pixels
    mistaken.key(Qt.Key.Key_B)
    mistaken.key(Qt.Key.Key_4)

    mistaken.drags((390, 350), (390, 352))

    assert 0 < mistaken.proposed().pixels < before
    mistaken.qtbot.keyClick(mistaken.canvas, Qt.Key.Key_Return)
    assert (mistaken.labels() == 4).any()


def test_without_any_mask_scribbles_make_one(person, slide):
    person.opens(slide)
    person.key(Qt.Key.Key_B, SHIFT)  # what gets ready meanwhile is not waited for

    scribble(person, 1, (380, 300), (380, 500))
    scribble(person, 2, (420, 300), (420, 500))
    person.does("correct.accept")

    labels = person.labels()
    assert (labels[320:480, 380:400] == 1).all()
    assert (labels[320:480, 400:420] == 2).all()
    assert not labels[:, :100].any()


def test_closing_the_slide_forgets_what_was_proposed(mistaken):
    scribble(mistaken, 1, (380, 300), (380, 400))

    mistaken.session.close()

    assert not mistaken.session.proposals.waiting
    assert not mistaken.bar.isVisible()


def test_u_goes_to_where_the_network_is_least_sure(person, tmp_path):
    from tests.builders import STROMA, TUMOR, three_field_pixels, write_slide

    pixels = three_field_pixels()
    between = ((np.array(TUMOR) + STROMA) / 2).astype(np.uint8)
    pixels[300:500, 500:700] = between
    person.opens(write_slide(tmp_path / "doubtful.tif", pixels))
    person.region(50, 50, 1150, 750)

    person.key(Qt.Key.Key_U)
    person.waits()

    visits = person.session.workspace.visits
    place = visits.current
    assert 500 <= place.x <= 700
    assert 300 <= place.y <= 500
    assert visits.text(person.session.taxonomy).startswith(f"1 of {len(visits.places)}, entropy 0.")
    view = person.canvas.viewport
    assert (view.x, view.y) == (pytest.approx(place.x), pytest.approx(place.y))
    person.key(Qt.Key.Key_U, SHIFT)
    assert visits.at == len(visits.places) - 1
    person.does("uncertain.leave")
    assert visits.current is None


def test_the_sliders_of_the_model_refine_what_is_seen_and_propose_it(person, slide):
    person.opens(slide)
    person.session.settings["refine.alpha"] = 0.0
    person.region(100, 100, 1100, 700)
    person.key(Qt.Key.Key_S)
    person.waits()
    plain, calls = person.labels(), person.session.models.bundle.calls
    model = person.window.findChild(ModelPanel)

    model.alpha.slider.setValue(995)
    model.sigma.slider.setValue(500)
    person.waits()

    assert person.session.models.bundle.calls == calls  # the network was not asked again
    assert (person.labels() == plain).all()
    proposal = person.proposed()
    if proposal is not None:
        person.does("correct.accept")
    refined = person.labels()
    person.does("segment.region")
    person.waits()
    assert (person.labels() == refined).all()


def test_a_stroke_weighs_more_when_its_slider_moves(mistaken):
    scribble(mistaken, 1, (200, 300), (200, 320))
    before = mistaken.proposed().pixels
    model = mistaken.window.findChild(ModelPanel)

    model.strength.slider.setValue(model.strength.slider.maximum())

    assert mistaken.proposed().pixels > before
