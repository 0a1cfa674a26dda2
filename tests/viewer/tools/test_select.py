import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from segcore.annotations import Annotation
from viewer.document import Document, edits
from viewer.tools.select import pick


def document_of(*annotations):
    document = Document()
    document.apply(edits.add(annotations))
    return document


def test_inside_several_the_smallest_is_picked():
    big, small = Annotation(box(0, 0, 100, 100)), Annotation(box(40, 40, 60, 60))

    assert pick(document_of(big, small), 50, 50, reach=2) == small


def test_an_edge_within_reach_wins_over_an_area():
    big, small = Annotation(box(0, 0, 100, 100)), Annotation(box(2, 2, 60, 60))

    assert pick(document_of(big, small), 0.5, 30, reach=1) == big


def test_far_from_everything_nothing_is_picked():
    assert pick(document_of(Annotation(box(0, 0, 10, 10))), 50, 50, reach=5) is None


def searched(document, x, y, reach):
    """Pick by looking at every annotation."""
    point = Point(x, y)
    near = [e for e in document.annotations.values() if shapely.dwithin(e.geometry, point, reach)]
    by_edge = [e for e in near if shapely.dwithin(e.geometry.boundary, point, reach)]
    return min(by_edge or near, key=lambda e: e.geometry.area, default=None)


numbers = st.integers(0, 50)
boxes = st.builds(lambda x, y, w, h: box(x, y, x + w, y + h), numbers, numbers, numbers, numbers)


@settings(deadline=None, max_examples=30)
@given(st.lists(boxes, max_size=30), numbers, numbers, st.integers(0, 12))
def test_the_index_picks_what_a_search_of_all_picks(shapes, x, y, reach):
    document = document_of(*(Annotation(shape) for shape in shapes))

    assert pick(document, x, y, reach) == searched(document, x, y, reach)
