"""Random sessions against a model made of plain lists and one big array (reliability figure R17)."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from segcore.annotations import Annotation, LabelMap
from segcore.errors import AnnotationError
from viewer.document import MaskGrid, Study, edits, shaping
from viewer.document.properties import set_properties

SIDE = 600
FINE, COARSE = MaskGrid(2.0, 0.5), MaskGrid(4.0, 1.0)
NUMBERS = st.floats(allow_nan=True)
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
SLIDE = {"width": 2e9, "height": 600}
VERBS = (
    shaping.merge,
    shaping.subtract,
    shaping.intersect,
    shaping.exclude,
    shaping.separate,
    shaping.fill_holes,
    shaping.keep_largest,
    lambda some: shaping.simplify(some, 1.0),
    lambda some: shaping.smooth(some, 1.0),
    lambda some: shaping.expand(some, 2.0, **SLIDE),
    lambda some: shaping.expand(some, -0.01, **SLIDE),
    lambda some: shaping.duplicate(some, 1.0, **SLIDE),
    lambda some: shaping.transfer(some, scale=0.5, **SLIDE),
    lambda some: shaping.move_by(some, 1.0, -1.0, **SLIDE),
    lambda some: shaping.avoid(some, some),
    lambda some: shaping.invert(some, shapely.box(0, 0, 100, 100)),
    lambda _: shaping.whole_slide(**SLIDE),
)


def described(each: Annotation) -> tuple:
    fields = [repr(getattr(each, name)) for name in each.__slots__ if name != "geometry"]
    return (shapely.to_wkb(each.geometry), *fields)


class Editing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Path(self.folder.name) / "study.acinus"
        self.study = Study.open(self.place, create=True)
        self.study.add_slide(self.place, "f", 1, 1, None)
        self.document = self.study.document(1)
        self.order: list[str] = []  # every id that ever was
        self.states = [({}, np.zeros((SIDE, SIDE), np.uint8), None)]
        self.position = 0

    def annotations(self) -> dict[str, Annotation]:
        return dict(self.states[self.position][0])

    def expect(self, annotations=None, labels=None, grid=None) -> None:
        old = self.states[self.position]
        del self.states[self.position + 1 :]
        new = (
            old[0] if annotations is None else annotations,
            old[1] if labels is None else labels,
            grid or old[2],
        )
        self.states.append(new)
        self.position += 1

    def pick(self, data) -> list[Annotation]:
        # Drawn by place, since ids are new in every run and an example must run the same again.
        held = list(self.document.annotations.values())
        some = st.lists(st.integers(0, len(held) - 1), min_size=1, unique=True)
        return [held[place] for place in data.draw(some)]

    @rule(
        x=st.floats(-1e9, 1e9),
        measurements=st.dictionaries(TEXT, NUMBERS, max_size=2),
        extra=st.dictionaries(
            TEXT, st.none() | NUMBERS | st.integers() | st.lists(TEXT), max_size=2
        ),
        text=TEXT,
        n=st.integers(1, 3),
    )
    def add(self, x, measurements, extra, text, n) -> None:
        shape = shapely.Polygon([(x, 0), (x + 3, 0), (x + 1, 0.1)])
        new = [
            Annotation(
                shape,
                name=text,
                measurements=measurements,
                extra=extra,
                metadata={text: text},
                colour=(1, 2, 3),
            )
            for _ in range(n)
        ]
        self.document.apply(edits.add(new))
        self.order += [each.id for each in new]
        self.expect(annotations=self.annotations() | {each.id: each for each in new})

    @precondition(lambda self: self.annotations())
    @rule(data=st.data())
    def delete(self, data) -> None:
        gone = self.pick(data)
        self.document.apply(edits.delete(gone))
        keys = {each.id for each in gone}
        self.expect({key: each for key, each in self.annotations().items() if key not in keys})

    @precondition(lambda self: self.annotations())
    @rule(data=st.data(), name=st.sampled_from(["tumor", "stroma", None]))
    def reclassify(self, data, name) -> None:
        picked = self.pick(data)
        edit = set_properties(picked, {"class_name": name})
        self.document.apply(edit)
        if not edit.is_empty:
            changed = {each.id: each.with_(class_name=name) for each in picked if not each.locked}
            self.expect(annotations=self.annotations() | changed)

    @precondition(lambda self: self.annotations())
    @rule(data=st.data(), locked=st.booleans())
    def lock(self, data, locked) -> None:
        picked = self.pick(data)
        edit = set_properties(picked, {"locked": locked})
        self.document.apply(edit)
        if not edit.is_empty:
            changed = {each.id: each.with_(locked=locked) for each in picked}
            self.expect(annotations=self.annotations() | changed)

    @precondition(lambda self: self.annotations())
    @rule(data=st.data(), verb=st.sampled_from(VERBS))
    def reshape(self, data, verb) -> None:
        picked = self.pick(data)
        try:
            edit = verb(picked)
        except AnnotationError:  # a verb that can do nothing says so and changes nothing
            return
        self.document.apply(edit)
        if edit.is_empty:
            return
        after = dict(self.document.annotations)
        free = {each.id for each in picked if not each.locked}
        for key, each in self.annotations().items():
            assert key in free or described(after[key]) == described(each)
        assert all(shapely.is_valid(after[key].geometry) for key in after)
        self.order += [key for key in after if key not in self.order]
        self.expect(annotations=after)

    @rule(
        column=st.integers(0, 500),
        row=st.integers(0, 500),
        size=st.integers(1, 100),
        code=st.integers(0, 5),
        seed=st.integers(0, 99),
    )
    def paint(self, column, row, size, code, seed) -> None:
        where = np.random.default_rng(seed).random((size, size)) < 0.5
        labels = np.full((size, size), code, np.uint8)
        mask = self.document.mask
        edit = edits.paint(mask, labels, column, row, where=where, grid=FINE)
        grid = mask.grid or FINE
        self.document.apply(edit)
        if not edit.is_empty:
            array = self.states[self.position][1].copy()
            array[row : row + size, column : column + size][where] = code
            self.expect(labels=array, grid=grid)

    @rule(grid=st.sampled_from([FINE, COARSE]), column=st.integers(0, 200), code=st.integers(1, 5))
    def segment(self, grid, column, code) -> None:
        result = LabelMap(np.full((300, 280), code, np.uint8), column, 7, grid.scale, grid.mpp)
        edit = edits.replace_mask(self.document.mask, result, "ROI")
        kept = self.document.mask.grid == grid
        self.document.apply(edit)
        if not edit.is_empty:
            array = self.states[self.position][1] * np.uint8(kept)
            array[7:307, column : column + 280] = code
            self.expect(labels=array, grid=grid)

    @rule()
    def undo(self) -> None:
        self.document.undo()
        self.position = max(self.position - 1, 0)

    @rule()
    def redo(self) -> None:
        self.document.redo()
        self.position = min(self.position + 1, len(self.states) - 1)

    @rule()
    def reopen(self) -> None:
        assert self.study.close()
        self.study = Study.open(self.place)
        self.document = self.study.document(1)

    @invariant()
    def the_document_is_as_the_model(self) -> None:
        annotations, labels, grid = self.states[self.position]
        expected = [described(annotations[key]) for key in self.order if key in annotations]
        assert [described(each) for each in self.document.annotations.values()] == expected
        mask = self.document.mask
        assert np.array_equal(mask.read(0, 0, SIDE, SIDE), labels)
        counts = np.bincount(labels.ravel(), minlength=256)
        assert mask.counts() == {code: n for code, n in enumerate(counts) if n and code}
        assert mask.grid == grid
        assert self.document.position == self.position
        assert len(self.document.history) == len(self.states) - 1

    def teardown(self) -> None:
        for _ in range(self.position):
            self.undo()
            self.the_document_is_as_the_model()
        assert not self.document.can_undo
        for _ in range(len(self.states) - 1):
            self.redo()
            self.the_document_is_as_the_model()
        assert not self.document.can_redo
        self.reopen()
        self.the_document_is_as_the_model()
        self.study.close()
        self.folder.cleanup()


def run(examples: int, steps: int) -> None:
    few = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(Editing, settings=few)


def test_any_session_is_undone_and_redone_exactly_also_after_restarts():
    run(examples=8, steps=25)


@pytest.mark.soak
def test_any_long_session_is_undone_and_redone_exactly_also_after_restarts():
    run(examples=60, steps=60)
