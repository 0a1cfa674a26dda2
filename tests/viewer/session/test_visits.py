from dataclasses import dataclass

import pytest
from shapely.geometry import box

from segcore.annotations import Annotation, load_taxonomy
from viewer.rendering.viewport import Viewport
from viewer.session.visits import Visits, seen


@dataclass(frozen=True)
class Place:
    x: float = 500.0
    y: float = 300.0
    size: float = 200.0
    entropy: float = 0.923
    codes: tuple[int, ...] = (2, 1, 3)


REGION = Annotation(box(0, 0, 1000, 1000))


def visits(count=3):
    return Visits(tuple(Place(x=100.0 * n) for n in range(count)), REGION, "default")


def test_they_go_round_from_the_most_uncertain_and_back_from_the_least():
    there, back = visits(), visits()

    assert [there.step(1).x for _ in range(4)] == [0, 100, 200, 0]
    assert [back.step(-1).x for _ in range(4)] == [200, 100, 0, 200]


def test_without_places_there_is_nowhere_to_go():
    none = visits(0)

    assert none.step(1) is None
    assert none.current is None
    assert none.text(load_taxonomy()) == ""


def test_they_say_rank_entropy_and_the_two_classes_that_meet_most():
    found = visits()
    found.step(1)
    found.step(1)

    assert found.text(load_taxonomy()) == "2 of 3, entropy 0.92, stroma or tumor"


def test_they_are_of_one_region_and_model_and_survive_a_new_name():
    found = visits()

    assert found.are_of(REGION.with_(name="Core"), "default")
    assert not found.are_of(REGION, "other")
    assert not found.are_of(REGION.with_(geometry=box(0, 0, 1000, 999)), "default")


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 1.0), (0.1, 200 / 380), (8.0, 200 / 380)])
def test_a_place_is_brought_to_the_middle_and_zoomed_only_where_it_could_not_be_judged(
    scale, expected
):
    view = seen(Place(), Viewport(0, 0, scale, 1000, 800))

    assert (view.x, view.y) == (500, 300)
    assert view.scale == pytest.approx(expected)
