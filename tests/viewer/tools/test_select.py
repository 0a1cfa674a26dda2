from shapely.geometry import box

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
