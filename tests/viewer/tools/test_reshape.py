import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, Point, Polygon, box

from segcore.annotations import Annotation
from viewer.document import Document, edits
from viewer.tools import Choice, Context, Outline, Pointer, Sketch
from viewer.tools.draw import ellipse_points
from viewer.tools.reshape import grip, would_grip
from viewer.tools.select import choose_by_lasso, pick_below

TRIANGLE = Annotation(Polygon([(100, 100), (300, 100), (100, 300)]), class_name="Tumor", id="t")
SQUARE = Annotation(box(400, 400, 500, 500), id="s")


def context_of(*annotations, selected=None):
    document = Document()
    document.apply(edits.add(annotations))
    chosen = annotations if selected is None else selected
    return Context(document, 1000, 800, selection=tuple(chosen))


def drive(context, *events):
    """Press and go on; return (previews, result), None where the press gripped nothing."""
    gesture = grip(events[0], context)
    if gesture is None:
        return None
    previews = [next(gesture)]
    for event in events[1:]:
        try:
            previews.append(gesture.send(event))
        except StopIteration as end:
            return previews, end.value
    gesture.close()
    return previews, None


def at(kind, x, y, **more):
    return Pointer(kind, x, y, **more)


def test_a_drag_of_the_interior_pans():
    assert drive(context_of(TRIANGLE), at("press", 150, 150)) is None


def test_an_unselected_shape_is_not_gripped_by_its_edge():
    assert drive(context_of(TRIANGLE, selected=[]), at("press", 200, 100)) is None


def test_dragging_an_edge_moves_the_shape_and_nothing_else_of_it():
    previews, edit = drive(
        context_of(TRIANGLE), at("press", 200, 101), at("drag", 230, 151), at("release", 230, 151)
    )

    assert isinstance(previews[-1], Sketch)
    assert previews[-1].offset == (30, 50)
    (change,) = edit.changes
    assert change.after.id == "t"
    assert change.after.geometry.equals(Polygon([(130, 150), (330, 150), (130, 350)]))
    assert change.after.class_name == "Tumor"


def test_ctrl_moves_all_selected_shapes_by_their_inside():
    _, edit = drive(
        context_of(TRIANGLE, SQUARE),
        at("press", 450, 450, ctrl=True), at("drag", 460, 430), at("release", 460, 430),
    )  # fmt: skip

    assert [each.after.geometry.bounds[:2] for each in edit.changes] == [(110, 80), (410, 380)]


def test_a_shape_stays_on_the_slide():
    _, edit = drive(
        context_of(SQUARE), at("press", 450, 400), at("drag", 990, -900), at("release", 990, -900)
    )

    assert edit.changes[0].after.geometry.bounds == (900, 0, 1000, 100)


def test_locked_shapes_do_not_move():
    locked = TRIANGLE.with_(locked=True)

    assert drive(context_of(locked), at("press", 200, 100), at("drag", 300, 300)) is None
    assert would_grip([locked], at("move", 200, 100)) == ""


def test_a_click_on_an_edge_changes_nothing():
    _, edit = drive(context_of(TRIANGLE), at("press", 200, 100), at("release", 200, 100))

    assert edit is None


def test_a_vertex_is_dragged():
    previews, edit = drive(
        context_of(TRIANGLE), at("press", 302, 99), at("drag", 350, 60), at("release", 350, 60)
    )

    assert isinstance(previews[-1], Outline)
    assert edit.changes[0].after.geometry.equals(Polygon([(100, 100), (350, 60), (100, 300)]))
    assert edit.name == "Move vertex"


def test_a_vertex_of_a_hole_is_dragged():
    holed = Annotation(
        Polygon(box(0, 0, 600, 600).exterior, [[(100, 100), (200, 100), (150, 200)]])
    )
    _, edit = drive(
        context_of(holed), at("press", 150, 200), at("drag", 150, 300), at("release", 150, 300)
    )

    assert edit.changes[0].after.geometry.area == 600 * 600 - 100 * 200 / 2


def test_alt_click_deletes_a_vertex_and_of_a_triangle_all():
    square = Annotation(Polygon([(0, 0), (200, 0), (220, 200), (0, 200)]), id="q")
    _, fewer = drive(
        context_of(square), at("press", 219, 199, alt=True), at("release", 219, 199, alt=True)
    )
    _, gone = drive(
        context_of(TRIANGLE), at("press", 100, 100, alt=True), at("release", 100, 100, alt=True)
    )

    assert fewer.changes[0].after.geometry.equals(Polygon([(0, 0), (200, 0), (0, 200)]))
    assert gone.changes[0].after is None


def test_a_double_click_on_an_edge_makes_a_vertex_that_can_be_dragged_on():
    _, made = drive(context_of(TRIANGLE), at("double", 200, 102), at("release", 200, 102))
    _, bent = drive(
        context_of(TRIANGLE), at("double", 200, 102), at("drag", 200, 20), at("release", 200, 20)
    )

    assert shapely.get_num_coordinates(made.changes[0].after.geometry) == 5
    assert made.changes[0].after.geometry.equals(TRIANGLE.geometry)
    assert bent.changes[0].after.geometry.area == TRIANGLE.geometry.area + 200 * 80 / 2


def test_a_corner_of_a_rectangle_keeps_it_a_rectangle_and_with_shift_makes_a_square():
    _, edit = drive(
        context_of(SQUARE), at("press", 500, 500), at("drag", 640, 560), at("release", 640, 560)
    )
    _, square = drive(
        context_of(SQUARE),
        at("press", 500, 500), at("drag", 640, 560, shift=True), at("release", 640, 560, shift=True),
    )  # fmt: skip

    assert edit.changes[0].after.geometry.equals(box(400, 400, 640, 560))
    assert square.changes[0].after.geometry.equals(box(400, 400, 640, 640))


def test_a_corner_of_an_ellipse_keeps_it_an_ellipse():
    oval = Annotation(Polygon(ellipse_points((100, 100), (300, 200))), ellipse=True)
    _, edit = drive(
        context_of(oval), at("press", 300, 200), at("drag", 500, 400), at("release", 500, 400)
    )

    after = edit.changes[0].after
    assert after.ellipse
    assert after.geometry.bounds == pytest.approx((100, 100, 500, 400))
    assert after.geometry.area == pytest.approx(np.pi * 200 * 150, rel=0.001)


def test_the_end_of_a_line_and_a_point_are_dragged():
    line = Annotation(LineString([(100, 100), (200, 200)]))
    point = Annotation(Point(50, 60))
    _, longer = drive(
        context_of(line), at("press", 200, 200), at("drag", 300, 300), at("release", 300, 300)
    )
    _, there = drive(
        context_of(point), at("press", 50, 60), at("drag", 70, 90), at("release", 70, 90)
    )

    assert longer.changes[0].after.geometry.equals(LineString([(100, 100), (300, 300)]))
    assert there.changes[0].after.geometry.equals(Point(70, 90))


def test_escape_leaves_the_shape_as_it_was():
    gesture = grip(at("press", 200, 100), context_of(TRIANGLE))
    next(gesture)
    gesture.send(at("drag", 300, 300))

    gesture.close()


def test_shift_drag_selects_what_has_its_middle_in_the_band():
    band = (at("press", 350, 350, shift=True), at("drag", 460, 460), at("release", 460, 460))

    _, choice = drive(context_of(TRIANGLE, SQUARE, selected=[]), *band)

    assert choice == Choice(frozenset({"s"}))


def test_ctrl_adds_to_the_selection_and_alt_takes_away():
    kept = frozenset({"t"})

    assert Choice(frozenset({"s"}), "add").of(kept) == {"t", "s"}
    assert Choice(frozenset({"t"}), "remove").of(kept) == frozenset()
    assert Choice(frozenset({"s"})).of(kept) == {"s"}


def test_a_lasso_selects_what_has_its_middle_in_the_loop():
    context = context_of(TRIANGLE, SQUARE, selected=[])
    gesture = choose_by_lasso(at("press", 380, 380), context)
    next(gesture)
    for x, y in ((520, 380), (520, 520), (380, 520)):
        gesture.send(at("drag", x, y))
    with pytest.raises(StopIteration) as end:
        gesture.send(at("release", 380, 380, alt=True))

    assert end.value.value == Choice(frozenset({"s"}), "remove")


def test_a_second_double_click_goes_deeper_and_then_begins_again():
    small, large = Annotation(box(40, 40, 60, 60), id="in"), Annotation(box(0, 0, 99, 99), id="out")
    document = context_of(small, large).document

    assert pick_below(document, 50, 50, 2, frozenset()).id == "in"
    assert pick_below(document, 50, 50, 2, frozenset({"in"})).id == "out"
    assert pick_below(document, 50, 50, 2, frozenset({"out"})).id == "in"
