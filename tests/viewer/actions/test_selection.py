from shapely import LineString, box

from segcore.annotations import Annotation
from viewer.actions import action_named, perform
from viewer.document import edits


def inside(bench):
    perform(action_named("edit.select_inside"), bench.session)
    return {each.name for each in bench.session.selection}


def test_what_lies_in_the_selected_areas_is_selected_in_their_place(bench):
    bench.has(box(0, 0, 100, 100), name="gland")
    bench.has(box(10, 10, 50, 50), name="duct", selected=False)
    bench.has(box(20, 20, 30, 30), name="in the duct", selected=False)
    bench.has(LineString([(5, 5), (9, 9)]), name="ruler", selected=False)
    bench.has(box(90, 90, 120, 120), name="stands out", selected=False)

    assert inside(bench) == {"duct", "in the duct", "ruler"}


def test_a_detection_lies_where_its_middle_lies(bench):
    bench.has(box(0, 0, 100, 100), name="gland")
    nuclei = [(box(95, 0, 104, 8), "more in"), (box(97, 20, 106, 28), "more out")]
    found = [Annotation(shape, name=name, kind="detection") for shape, name in nuclei]
    bench.session.apply(edits.add(found))

    assert inside(bench) == {"more in"}


def test_where_nothing_lies_inside_the_selection_stays_and_it_is_told(bench):
    bench.has(box(0, 0, 100, 100), name="gland")

    assert inside(bench) == {"gland"}
    assert bench.told == ["Nothing lies in what is selected."]
