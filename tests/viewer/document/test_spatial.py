import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, MultiPoint, Point, Polygon, box

from segcore.annotations import Annotation
from viewer.document import Document, Edit, edits

SIDE = 60
whole = st.integers(0, SIDE)
shapes = st.one_of(
    st.builds(lambda x, y, w, h: box(x, y, x + w + 1, y + h + 1), whole, whole, whole, whole),
    st.builds(Point, whole, whole),
    st.builds(lambda x, y, n: Point(x, y).buffer(n + 1), whole, whole, st.integers(0, 9)),
    st.just(Polygon()),
    st.just(Point(float("nan"), 1)),
)
# (what to do, which annotation, its shape); the number is taken round where there are fewer
steps = st.lists(
    st.tuples(st.sampled_from(["add", "delete", "replace", "undo", "redo"]), whole, shapes),
    max_size=40,
)
looks = st.tuples(whole, whole, st.integers(0, 15))


def edited(steps):
    document = Document()
    for n, (verb, which, shape) in enumerate(steps):
        held = list(document.annotations.values())
        one = held[which % len(held)] if held else None
        if verb == "add":
            many = 1 + which % 7
            document.apply(edits.add([Annotation(shape, id=f"{n}.{k}") for k in range(many)]))
        elif verb == "delete" and one:
            document.apply(edits.delete([one]))
        elif verb == "replace" and one:
            document.apply(edits.replace([one], [one.with_(geometry=shape)], name="Reshape"))
        elif verb == "undo":
            document.undo()
        elif verb == "redo":
            document.redo()
    return document


def meets(annotation, bounds):
    left, top, right, bottom = annotation.geometry.bounds
    return left <= bounds[2] and right >= bounds[0] and top <= bounds[3] and bottom >= bounds[1]


@settings(deadline=None, max_examples=40)
@given(steps, looks)
def test_whatever_was_edited_a_rectangle_has_what_a_search_of_all_finds_in_it(steps, place):
    document = edited(steps)
    x, y, reach = place
    bounds = (x, y, x + reach, y + 2 * reach)

    expected = [each for each in document.annotations.values() if meets(each, bounds)]

    assert document.spatial.within(bounds) == expected


@settings(deadline=None, max_examples=40)
@given(steps, looks)
def test_whatever_was_edited_a_point_has_what_a_search_of_all_finds_near_it(steps, place):
    document = edited(steps)
    x, y, reach = place
    point = Point(x, y)

    expected = [
        each
        for each in document.annotations.values()
        if np.isfinite(each.geometry.bounds).all() and each.geometry.distance(point) <= reach
    ]

    assert document.spatial.at(x, y, reach) == expected


def squares(n, side=1000):
    places = np.random.default_rng(0).uniform(0, side, (n, 2))
    return [Annotation(box(x, y, x + 5, y + 5)) for x, y in places]


def test_two_shapes_of_one_place_are_told_apart_when_one_goes():
    one, other = Annotation(box(0, 0, 9, 9)), Annotation(box(0, 0, 9, 9))
    document = Document()
    document.apply(edits.add([one, other]))

    document.apply(edits.delete([one]))

    assert document.spatial.within((0, 0, 9, 9)) == [other]


def test_an_annotation_that_is_changed_twice_in_one_edit_is_found_once():
    first, last = Annotation(box(0, 0, 9, 9), id="a"), Annotation(box(50, 50, 60, 60), id="a")
    added, moved = edits.add([first]), edits.replace([first], [last], name="Move")
    document = Document()

    document.apply(Edit("Both", (*added.changes, *moved.changes)))

    assert document.spatial.within((0, 0, 100, 100)) == [last]
    assert document.spatial.within((0, 0, 20, 20)) == []


def test_what_is_gone_is_not_held():
    document, many = Document(), squares(1000)
    document.apply(edits.add(many))

    document.apply(edits.delete(many[:900]))

    assert len(document.spatial) == 100
    assert sum(len(run.items) for run in document.spatial._runs) <= 200


def test_many_single_edits_leave_few_trees():
    document, many = Document(), squares(300)
    for each in many:
        document.apply(edits.add([each]))

    assert len(document.spatial) == 300
    assert len(document.spatial._runs) <= 9  # the logarithm of 300


def test_what_was_touched_is_told_from_any_version_on():
    document = Document()
    a, b = Annotation(box(0, 0, 1, 1)), Annotation(box(5, 5, 6, 7))
    document.apply(edits.add([a]))
    index, version = document.spatial, document.spatial.version
    document.apply(edits.add([b]))
    document.apply(edits.delete([a]))

    assert index.touched_since(version).tolist() == [[5, 5, 6, 7], [0, 0, 1, 1]]
    assert index.touched_since(index.version).tolist() == []


def test_after_a_long_absence_everything_may_have_been_touched():
    document, one = Document(), Annotation(box(0, 0, 1, 1))
    for _ in range(200):
        document.apply(edits.add([one]))
        document.apply(edits.delete([one]))

    assert document.spatial.touched_since(0) is None


def test_rows_say_how_heavy_and_of_which_look_each_is():
    document = Document()
    document.apply(
        edits.add(
            [
                Annotation(box(0, 0, 4, 4), class_name="Tumor"),
                Annotation(GeometryCollection([Point(1, 1), MultiPoint([(2, 2), (3, 3)])])),
                Annotation(box(0, 0, 4, 4), class_name="Tumor", colour=(1, 2, 3)),
            ]
        )
    )

    rows = document.spatial.rows((0, 0, 9, 9))

    by_place = np.argsort(rows.places)
    assert rows.vertices[by_place].tolist() == [5, 3, 5]
    found = [document.spatial.looks[k] for k in rows.looks[by_place]]
    assert found == [("Tumor", None), (None, None), ("Tumor", (1, 2, 3))]
