import numpy as np
import pytest

from segcore.errors import StudyError
from viewer.document import (
    Change,
    Document,
    Edit,
    GridChange,
    MaskGrid,
    MemoryJournal,
    StaleEditError,
    State,
    TileChange,
    edits,
)

TILE = np.ones((256, 256), np.uint8)


def document_of(*annotations) -> Document:
    return Document(MemoryJournal(State(tuple((each.id, each) for each in annotations))))


def test_undo_brings_back_exactly_what_was_deleted_at_its_place(square):
    a, b, c = square(), square(20), square(40)
    document = document_of(a, b, c)

    document.apply(edits.delete([a, b]))
    document.undo()

    assert list(document.annotations.values()) == [a, b, c]
    assert list(document.annotations) == [a.id, b.id, c.id]
    assert [key for key, _ in document.annotations.items()] == [a.id, b.id, c.id]


def test_listeners_hear_of_an_edit_when_all_else_is_done(square):
    document, seen = Document(), []
    document.edited.connect(
        lambda edit: seen.append((edit, document.can_undo, len(document.annotations)))
    )
    edit = edits.add([square()])

    document.apply(edit)

    assert seen == [(edit, True, 1)]


def test_listeners_hear_the_inverse_on_undo_and_the_edit_on_redo(square):
    document, heard = Document(), []
    edit = edits.add([square()])
    document.apply(edit)
    document.edited.connect(heard.append)

    assert document.undo() == edit.inverse()
    assert document.redo() == edit
    assert heard == [edit.inverse(), edit]


def test_an_empty_edit_leaves_no_trace():
    document = Document()
    heard = []
    document.edited.connect(heard.append)

    document.apply(Edit("Nothing"))

    assert (document.history, heard) == ((), [])


def test_a_new_edit_drops_what_was_undone(square):
    document = Document()
    for name in "abc":
        document.apply(edits.add([square()], name=name))
    document.undo()
    document.undo()
    assert (document.undo_name, document.redo_name) == ("a", "b")

    document.apply(edits.add([square()], name="d"))

    assert document.history == ("a", "d")
    assert not document.can_redo
    assert document.redo() is None
    assert document.redo_name is None


def test_one_can_go_to_any_step_of_the_history(square):
    document = Document()
    for _ in range(5):
        document.apply(edits.add([square()]))

    for position in (0, 5, 2, 3):
        document.go_to(position)
        assert document.position == len(document.annotations) == position
    with pytest.raises(ValueError, match="5 steps"):
        document.go_to(6)


def test_there_is_nothing_to_undo_at_first():
    document = Document()

    assert document.undo() is None
    assert document.undo_name is None
    assert not document.can_undo


def test_an_edit_made_from_an_older_state_is_refused_and_changes_nothing(square, state_of):
    a = square()
    document = document_of(a)
    late = edits.replace([a], [a.with_(name="mine")], name="Rename")
    document.apply(edits.delete([a]))
    before = state_of(document)

    for edit in (late, edits.delete([a])):
        with pytest.raises(StaleEditError, match="do it again"):
            document.apply(edit)

    assert issubclass(StaleEditError, StudyError)
    assert state_of(document) == before
    assert document.position == 1


def test_a_mask_edit_made_from_an_older_state_is_refused():
    document = Document()
    grid = GridChange(None, MaskGrid(2, 0.5))
    document.apply(Edit("Paint", tiles=(TileChange((0, 0), None, TILE),), grid=grid))

    with pytest.raises(StaleEditError, match="tile"):
        document.apply(Edit("Paint", tiles=(TileChange((0, 0), None, TILE),)))
    with pytest.raises(StaleEditError, match="grid"):
        document.apply(Edit("Paint", grid=grid))
    with pytest.raises(StaleEditError, match="tile"):
        document.apply(Edit("Paint", tiles=(TileChange((0, 0), 2 * TILE, TILE),)))


def test_pixels_cannot_be_labelled_without_a_grid():
    with pytest.raises(ValueError, match="no grid"):
        Document().apply(Edit("Paint", tiles=(TileChange((0, 0), None, TILE),)))


def test_one_edit_may_change_an_annotation_twice(square):
    a = square()
    b = a.with_(name="b")
    document = Document()

    document.apply(Edit("Twice", (Change(None, a), Change(a, b))))
    assert document.annotations[a.id].name == "b"
    document.undo()
    assert not document.annotations


def test_an_equal_annotation_with_nan_measured_counts_as_the_present_one(square):
    a = square(measurements={"ratio": float("nan")})
    twin = a.with_(measurements={"ratio": float("nan")})
    document = document_of(a)

    document.apply(edits.replace([twin], [twin.with_(name="twin")], name="Rename"))

    assert document.annotations[a.id].name == "twin"


def test_a_journal_that_fails_keeps_the_document_as_it_was(square):
    class Refusing(MemoryJournal):
        def record(self, *_):
            raise StudyError("No.")

    document = Document(Refusing())
    heard = []
    document.edited.connect(heard.append)

    with pytest.raises(StudyError, match="No"):
        document.apply(edits.add([square()]))

    assert (dict(document.annotations), document.history, heard) == ({}, (), [])
