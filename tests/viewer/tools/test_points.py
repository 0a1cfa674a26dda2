from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPoint

from segcore.annotations import Annotation
from tests.gestures import along, changed, drive, press
from viewer.document import Document, edits
from viewer.tools import Choice


def counted(*dots, **more):
    """Return a document with a counter, and the counter."""
    counter = Annotation(MultiPoint(dots), "Tumor", name=f"{len(dots)} points", **more)
    document = Document()
    document.apply(edits.add([counter]))
    return document, counter


def places(annotation):
    return [(point.x, point.y) for point in annotation.geometry.geoms]


def test_the_first_click_begins_a_counter_of_the_active_class():
    previews, edit = drive("points", *along((100, 200)), class_name="Stroma")

    assert places(changed(edit)) == [(100, 200)]
    assert changed(edit).class_name == "Stroma"
    assert previews[0].text == "1"


def test_a_click_adds_to_the_selected_counter_and_counts_on():
    document, counter = counted((10, 10), (50, 50))

    previews, edit = drive("points", *along((300, 300)), document=document, selection=(counter,))

    assert changed(edit).id == counter.id
    assert places(changed(edit)) == [(10, 10), (50, 50), (300, 300)]
    assert changed(edit).name == "3 points"
    assert previews[0].text == "3"


def test_a_name_that_a_person_gave_stays():
    document, counter = counted((10, 10))
    named = counter.with_(name="mitoses")
    document.apply(edits.replace([counter], [named], name="Rename"))

    _, edit = drive("points", *along((300, 300)), document=document, selection=(named,))

    assert changed(edit).name == "mitoses"


def test_a_counter_of_another_class_is_left_alone():
    document, counter = counted((10, 10))

    _, edit = drive(
        "points", *along((300, 300)), document=document, selection=(counter,), class_name="Stroma"
    )

    assert changed(edit).id != counter.id


def test_a_locked_counter_is_left_alone():
    document, counter = counted((10, 10), locked=True)

    _, edit = drive("points", *along((11, 10)), document=document, selection=(counter,))

    assert changed(edit).id != counter.id


def test_a_point_is_dragged_to_another_place():
    document, counter = counted((10, 10), (50, 50))

    _, edit = drive(
        "points", *along((52, 49), (80, 80), (200, 300)), document=document, selection=(counter,)
    )

    assert places(changed(edit)) == [(10, 10), (200, 300)]
    assert edit.name == "Move point"


def test_a_click_on_a_point_selects_those_it_belongs_to():
    document, counter = counted((10, 10), (50, 50))

    _, choice = drive("points", *along((51, 51)), document=document)

    assert choice == Choice(frozenset({counter.id}))


def test_alt_click_takes_the_nearest_point_away():
    document, counter = counted((50, 50), (54, 50), (300, 300))

    _, edit = drive("points", press(53, 50, alt=True), document=document, selection=(counter,))

    assert places(changed(edit)) == [(50, 50), (300, 300)]
    assert changed(edit).name == "2 points"


def test_alt_click_far_from_all_points_does_nothing():
    document, counter = counted((50, 50))

    _, edit = drive("points", press(70, 50, alt=True), document=document, selection=(counter,))

    assert edit is None


def test_the_annotation_goes_with_its_last_point():
    document, counter = counted((50, 50))

    _, edit = drive("points", press(50, 50, alt=True), document=document, selection=(counter,))
    document.apply(edit)

    assert not document.annotations


def test_a_point_beside_the_slide_is_put_on_its_edge():
    _, edit = drive("points", *along((1200, -5)))

    assert places(changed(edit)) == [(1000, 0)]


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=12, unique=True
    )
)
def test_as_many_points_as_clicks(cells):
    document = Document()
    for column, row in cells:
        _, edit = drive(
            "points", *along((column * 20, row * 20)), document=document,
            selection=tuple(document.annotations.values()),
        )  # fmt: skip
        document.apply(edit)

    (counter,) = document.annotations.values()
    assert len(counter.geometry.geoms) == len(cells)
