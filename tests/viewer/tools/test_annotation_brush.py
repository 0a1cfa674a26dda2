import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box

from segcore.annotations import Annotation
from tests.gestures import along, changed, drive, press
from viewer.document import Document, edits
from viewer.tools import Context, Refusal, Sketch, tool_named
from viewer.tools.brush import capsule


def document_of(*annotations):
    document = Document()
    document.apply(edits.add(annotations))
    return document


def paint(tool, path, document=None, *, selection=(), brush_px=40.0, **keys):
    return drive(
        tool,
        *along(*path, **keys),
        document=document or Document(),
        selection=selection,
        on_mask=False,
        brush_px=brush_px,
    )


def capsule_area(length, radius):
    return math.pi * radius**2 + 2 * radius * length


def test_a_stroke_covers_a_capsule():
    _, edit = paint("brush", [(200, 400), (350, 400), (500, 400)])

    assert changed(edit).geometry.area == pytest.approx(capsule_area(300, 20), rel=0.01)
    assert changed(edit).class_name == "Tumor"


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 300), st.floats(2, 100), st.floats(2, 100))
def test_a_disc_that_grows_on_its_way_covers_the_hull_of_its_ends(length, first, last):
    shape = capsule((0, 0), first, (length, 0), last, 0.1)

    around = shapely.convex_hull(
        shapely.union(Point(0, 0).buffer(first, 64), Point(length, 0).buffer(last, 64))
    )
    assert shape.hausdorff_distance(around) < 0.35
    assert shape.within(around.buffer(0.1))


def test_the_brush_follows_zoom_and_pressure():
    _, edit = paint("brush", [(500, 400)], scale=4.0, pressure=0.5)

    assert changed(edit).geometry.area == pytest.approx(math.pi * 40**2, rel=0.02)


def test_a_press_in_an_annotation_goes_on_with_it():
    old = Annotation(box(100, 100, 300, 300), "Stroma", name="mine")

    _, edit = paint("brush", [(290, 200), (400, 200)], document_of(old))

    after = changed(edit)
    assert (after.id, after.class_name, after.name) == (old.id, "Stroma", "mine")
    assert after.geometry.covers(box(100, 100, 300, 300).buffer(-1e-6))
    assert after.geometry.area == pytest.approx(200 * 200 + 100 * 40 + math.pi * 400 / 2, rel=0.001)


def test_a_press_outside_begins_an_annotation_even_where_it_runs_into_one():
    old = Annotation(box(100, 100, 300, 300))

    _, edit = paint("brush", [(400, 200), (290, 200)], document_of(old), selection=(old,))

    assert changed(edit).id != old.id


def test_with_shift_the_selected_annotation_grows_wherever_the_press_is():
    old = Annotation(box(100, 100, 300, 300))

    _, edit = paint("brush", [(600, 600)], document_of(old), selection=(old,), shift=True)

    assert changed(edit).id == old.id
    assert len(changed(edit).geometry.geoms) == 2


def test_of_nested_annotations_the_selected_one_grows_and_else_the_inner():
    outer, inner = Annotation(box(0, 0, 600, 600)), Annotation(box(200, 200, 300, 300))
    document = document_of(outer, inner)

    assert changed(paint("brush", [(290, 250)], document)[1]).id == inner.id
    _, edit = paint("brush", [(290, 250), (700, 250)], document, selection=(outer,))
    assert changed(edit).id == outer.id


def test_a_locked_annotation_is_not_painted_on():
    old = Annotation(box(100, 100, 300, 300), locked=True)

    _, edit = paint("brush", [(290, 200)], document_of(old), selection=(old,), shift=True)

    assert changed(edit).id != old.id


def test_painting_inside_changes_nothing():
    old = Annotation(box(100, 100, 300, 300))

    assert paint("brush", [(200, 200)], document_of(old))[1] is None


@pytest.mark.parametrize(("tool", "alt"), [("brush", True), ("erase", False)])
def test_what_is_rubbed_out_is_a_hole(tool, alt):
    old = Annotation(box(100, 100, 300, 300), ellipse=True)

    _, edit = paint(tool, [(200, 200)], document_of(old), alt=alt)

    assert len(changed(edit).geometry.interiors) == 1
    assert changed(edit).geometry.area == pytest.approx(200**2 - math.pi * 400, rel=0.001)
    assert not changed(edit).ellipse


def test_the_selected_annotation_is_rubbed_out_wherever_the_press_is():
    below, selected = Annotation(box(0, 0, 100, 400)), Annotation(box(100, 0, 200, 400))
    document = document_of(below, selected)

    _, edit = paint("erase", [(50, 200), (150, 200)], document, selection=(selected,))

    assert changed(edit).id == selected.id


def test_an_annotation_that_is_rubbed_out_wholly_is_deleted():
    old = Annotation(Point(200, 200).buffer(15))
    document = document_of(old)

    document.apply(paint("erase", [(200, 200)], document)[1])

    assert not document.annotations


def test_where_nothing_can_be_rubbed_out_the_gesture_says_so():
    _, result = paint("erase", [(200, 200)])

    assert isinstance(result, Refusal)


coordinate = st.tuples(st.floats(-50, 1050), st.floats(-50, 850))


@settings(deadline=None, max_examples=40)
@given(st.lists(coordinate, min_size=1, max_size=5), st.floats(5, 200))
def test_strokes_that_stay_clear_overlap_no_other_annotation(path, brush_px):
    taken = [Annotation(box(300, 200, 500, 700)), Annotation(Point(700, 300).buffer(120))]
    document = document_of(*taken)
    begins_in_one = any(each.geometry.intersects(Point(path[0])) for each in taken)

    _, edit = paint("brush", path, document, brush_px=brush_px, ctrl=True, shift=True)

    if edit is not None and not begins_in_one:
        shape = changed(edit).geometry
        assert shape.is_valid
        assert all(shape.intersection(each.geometry).area < 1e-6 for each in taken)


def test_a_stroke_that_stays_clear_and_begins_in_an_annotation_stays_in_it():
    room = Annotation(box(100, 100, 300, 300))

    _, edit = paint("brush", [(250, 200), (400, 200)], document_of(room), ctrl=True, shift=True)

    assert changed(edit).id != room.id
    assert changed(edit).geometry.within(room.geometry.buffer(1e-6))
    assert changed(edit).geometry.bounds[2] == pytest.approx(300)


def test_the_stroke_is_cut_off_where_the_slide_ends():
    _, edit = paint("brush", [(990, 400), (1100, 400)])

    assert changed(edit).geometry.bounds[2] == 1000


def test_a_light_shape_is_shown_as_it_will_be():
    old = Annotation(box(100, 100, 300, 300))

    previews, edit = paint("brush", [(290, 200), (400, 200)], document_of(old))

    shown = previews[-1]
    assert shown.replaces == {old.id}
    assert shown.shapes[0].symmetric_difference(changed(edit).geometry).area < 10


def test_escape_leaves_nothing():
    document = document_of(Annotation(box(100, 100, 300, 300)))
    gesture = tool_named("brush").begin(
        press(290, 200), Context(document, 1000, 800, on_mask=False)
    )

    preview = next(gesture)
    gesture.close()

    assert isinstance(preview, Sketch)
    assert [each.geometry for each in document.annotations.values()] == [box(100, 100, 300, 300)]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(coordinate, min_size=1, max_size=8),
    st.floats(1, 300),
    st.sampled_from(["brush", "erase"]),
)
def test_whatever_is_painted_leaves_a_valid_shape_on_the_slide_or_none(path, brush_px, tool):
    old = Annotation(Polygon([(200, 200), (800, 250), (600, 700), (400, 300)]))

    _, edit = paint(tool, path, document_of(old), selection=(old,), brush_px=brush_px, shift=True)

    if edit is not None and changed(edit) is not None:
        shape = changed(edit).geometry
        assert shape.is_valid
        assert shape.within(box(0, 0, 1000, 800).buffer(1e-6))
