import numpy as np
import pytest

from segcore.annotations import LabelMap
from segcore.explain import RegionHeat, uncertain_places


def heat(spots, shape=(200, 300), bounds=(1000.0, 2000.0, 3400.0, 3600.0)):
    """Return a map of cells of 8 level-0 pixels, with squares of 20 cells around (row, column) of a value each."""
    values = np.zeros(shape, np.float32)
    for row, column, value in spots:
        values[row - 10 : row + 10, column - 10 : column + 10] = value
    return RegionHeat(values, bounds, "entropy")


def test_places_are_ranked_by_entropy_and_lie_where_it_is():
    found = uncertain_places(heat([(50, 60, 0.6), (150, 200, 0.9), (30, 250, 0.3)]), size=160)

    assert [round(each.score, 1) for each in found] == [0.9, 0.6, 0.3]
    assert [each.x for each in found] == pytest.approx(
        [1000 + 8 * x for x in (200, 60, 250)], abs=5
    )
    assert [each.y for each in found] == pytest.approx([2000 + 8 * y for y in (150, 50, 30)], abs=5)
    assert {each.size for each in found} == {160}


def test_no_place_lies_over_another():
    values = np.random.default_rng(0).random((200, 300)).astype(np.float32)
    found = uncertain_places(RegionHeat(values, (0, 0, 300, 200), "entropy"), size=20)

    assert len(found) > 20
    for at, one in enumerate(found):
        for other in found[at + 1 :]:
            assert max(abs(one.x - other.x), abs(one.y - other.y)) >= 20


def test_disagreement_counts_as_much_as_entropy():
    spots = [(50, 60, 0.6), (150, 200, 0.9)]
    other = RegionHeat(np.zeros((100, 150), np.float32), (1000.0, 2000.0, 3400.0, 3600.0), "flips")
    other.values[20:30, 25:35] = 0.8  # coarser cells: rows 40 to 60, columns 50 to 70

    found = uncertain_places(heat(spots), disagreement=other, size=160)

    assert (found[0].entropy, found[0].disagreement) == pytest.approx((0.6, 0.8))
    assert found[0].score == pytest.approx(0.7)
    assert (found[1].score, found[1].disagreement) == pytest.approx((0.45, 0))


def test_only_what_has_a_class_is_uncertain_and_the_classes_are_named():
    labels = np.zeros(
        (100, 150), np.uint8
    )  # pixels of 16 level-0 pixels from (1008, 2000): column 63, row 125
    labels[:, :70] = 2
    labels[:, 28:32] = 1
    mask = LabelMap(labels, 63, 125, 16.0, 4.0)

    found = uncertain_places(heat([(50, 60, 0.6), (150, 200, 0.9)]), mask, size=160)

    assert len(found) == 1
    assert found[0].score == pytest.approx(0.6, abs=0.01)
    assert found[0].codes == (2, 1)


def test_outside_the_region_and_below_the_least_there_is_nothing():
    some = heat([(50, 60, 0.6), (150, 200, 0.09)])
    some.values[:, :100] = np.nan

    assert uncertain_places(some, size=160) == []
    assert uncertain_places(heat([]), size=160) == []


def test_there_are_at_most_as_many_as_asked():
    assert len(uncertain_places(heat([(50, 60, 0.6), (150, 200, 0.9)]), size=160, most=1)) == 1
