import numpy as np
import pytest

from segcore.progress import silent
from tests.builders import STROMA, TUMOR
from viewer.document import MaskGrid
from viewer.jobs.spreading import Influence, box_of, influence_of, proposal_of
from viewer.tools import Scribble

GRID = MaskGrid(1.0, 0.5)
EDGE, SIZE = 300, (600, 400)


class TwoColours:
    """Tissue that is tumor left of x = 300 and stroma right of it."""

    def pixels(self, left, top, side, scale):
        x = left + (np.arange(side) + 0.5) * scale
        row = np.where((x < EDGE)[:, None], TUMOR, STROMA).astype(np.uint8)
        return np.broadcast_to(row, (side, side, 3))

    def probabilities(self, x, y):
        return None


def scribbles(*drawn):
    return [influence_of(each, GRID, TwoColours(), report=silent) for each in drawn]


def proposed(influences, before=None, by_hand=None, strength=300):
    left, top, right, bottom = box_of(influences)
    shape = (bottom - top, right - left)
    labels = np.full(shape, 2, np.uint8) if before is None else np.full(shape, before, np.uint8)
    hand = np.zeros(shape, bool)
    if by_hand is not None:
        column, row, width, height = by_hand
        hand[row - top : row - top + height, column - left : column - left + width] = True
    box = left, top, right, bottom
    found = proposal_of(influences, labels, hand, box=box, grid=GRID, size=SIZE, strength=strength)
    whole = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    rows, columns = np.nonzero(found.changed)
    whole[rows + top, columns + left] = found.after[rows, columns]
    return found, whole


def test_a_scribble_takes_over_its_side_of_an_edge_and_nothing_beyond():
    _, after = proposed(scribbles(Scribble(((285, 150), (285, 250)), 4, 1)))

    assert (after[150:250, 270:EDGE] == 1).all()
    assert not after[:, EDGE:].any()


def test_two_scribbles_meet_exactly_at_the_edge():
    drawn = Scribble(((290, 150), (290, 250)), 4, 1), Scribble(((310, 150), (310, 250)), 4, 3)

    _, after = proposed(scribbles(*drawn))

    assert (after[160:240, 280:EDGE] == 1).all()
    assert (after[160:240, EDGE:320] == 3).all()


def test_on_even_tissue_it_grows_around_the_stroke_and_ends():
    found, after = proposed(scribbles(Scribble(((150, 200),), 4, 1)))

    rows, columns = np.nonzero(after)
    assert abs(rows.mean() - 199.5) < 1
    assert abs(columns.mean() - 149.5) < 1
    assert 10 < np.ptp(columns) / 2 < 100
    assert found.pixels == np.count_nonzero(after)


def test_between_two_classes_on_even_tissue_the_border_lies_halfway():
    drawn = Scribble(((140, 150), (140, 250)), 4, 1), Scribble(((170, 150), (170, 250)), 4, 3)

    _, after = proposed(scribbles(*drawn))

    assert (after[190:210, 145:155] == 1).all()
    assert (after[190:210, 156:165] == 3).all()


def test_unlabelled_tissue_gives_way_sooner_than_labelled():
    influences = scribbles(Scribble(((150, 200),), 4, 1))

    assert proposed(influences, before=0)[0].pixels > proposed(influences, before=2)[0].pixels


def test_a_stronger_stroke_reaches_further():
    influences = scribbles(Scribble(((150, 200),), 4, 1))

    reached = [proposed(influences, strength=each)[0].pixels for each in (1, 30, 300, 3000)]

    assert reached == sorted(reached)
    assert reached[0] < reached[-1] / 10


def test_a_scribble_of_none_clears_a_class():
    found, _ = proposed(scribbles(Scribble(((285, 150), (285, 250)), 4, 0)), before=1)

    assert list(found.counts) == [0]


def test_what_is_of_the_class_already_does_not_change():
    found, _ = proposed(scribbles(Scribble(((150, 200),), 4, 2)))

    assert found.pixels == 0


def test_a_correction_by_hand_stays_unless_it_is_scribbled_over():
    influences = scribbles(Scribble(((150, 200),), 4, 1))

    _, beside = proposed(influences, by_hand=(160, 190, 20, 20))
    _, under = proposed(influences, by_hand=(140, 190, 20, 20))

    assert not beside[190:210, 160:180].any()
    assert beside[200, 158] == 1
    assert under[200, 150] == 1


def test_of_two_scribbles_over_each_other_the_later_counts():
    drawn = Scribble(((150, 180), (150, 220)), 4, 1), Scribble(((130, 200), (170, 200)), 4, 3)

    assert proposed(scribbles(*drawn))[1][200, 150] == 3
    assert proposed(scribbles(*reversed(drawn)))[1][200, 150] == 1


def test_nothing_is_proposed_beyond_the_slide():
    influences = scribbles(Scribble(((3, 200),), 4, 1))

    found, _ = proposed(influences)

    assert found.column < 0
    assert not found.changed[:, : -found.column].any()
    assert found.pixels > 0


def test_a_nucleus_within_is_filled_and_crumbs_beside_are_not_proposed():
    values = np.zeros((100, 100), np.float32)
    values[20:60, 20:60] = 5
    values[35:45, 35:45] = 0
    values[80, 80] = 5
    only = Influence(1, 0, 0, values, np.zeros((100, 100), bool))

    _, after = proposed([only], strength=1)

    assert after[40, 40] == 1
    assert after[80, 80] == 0
    assert (after[22:58, 22:58] == 1).all()


@pytest.mark.parametrize("size", [31, 400])
def test_other_tissue_within_is_not_filled(size):
    values = np.full((500, 500), 5, np.float32)
    values[50 : 50 + size, 50 : 50 + size] = 0

    _, after = proposed([Influence(1, 0, 0, values, np.zeros((500, 500), bool))], strength=1)

    assert after[50 + size // 2, 50 + size // 2] == 0
