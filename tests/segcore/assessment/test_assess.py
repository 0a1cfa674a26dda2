import numpy as np
import pytest

from segcore.assessment import assess
from segcore.assessment.figures import (
    boundary_figures,
    calibration_figure,
    case_scores,
    overlap_figures,
)
from segcore.assessment.scoring import tile_places
from segcore.errors import DataError
from segcore.refinement import Refinement
from tests.segcore.assessment.answers import STROMA, TUMOR, AnswerBundle, answered


def filled(*rows):
    """Return an image of 64 rows for each of the given values or halves."""
    return np.concatenate([np.full((64, 64), row) for row in rows])


@pytest.fixture
def found():
    """Case a: an ROI of two tiles, tumor half found, then stroma all found. Case b: tumor all found."""
    half = np.zeros((64, 64))
    half[:, 32:] = 1  # tumor taken for stroma
    long = answered(filled(TUMOR, STROMA), np.concatenate([half, np.ones((64, 64))]), case="a")
    short = answered(filled(TUMOR), filled(0), case="b")
    return assess(AnswerBundle(tile=64), [long, short])[0]


def values(figures):
    return {name: figure.value for name, figure in figures.items()}


def test_pixels_are_pooled_over_everything(found):
    # Tumor: 2048 + 4096 found of 8192, none wrongly. Stroma: 4096 found, 2048 wrongly.
    assert values(overlap_figures(found, "pixels", "IoU")) == {
        "Tumor": 6144 / 8192,
        "Stroma": 4096 / 6144,
        "Mean": (0.75 + 2 / 3) / 2,
    }
    assert values(overlap_figures(found, "pixels", "Sensitivity"))["Tumor"] == 0.75


def test_tiles_are_averaged_where_they_show_the_class(found):
    # Tumor tiles: half of one found, all of the other. The tile of stroma is all right; what was taken for
    # stroma in the tile of tumor is that tile's loss of tumor.
    figures = overlap_figures(found, "tile", "IoU")

    assert values(figures) == {"Tumor": 0.75, "Stroma": 1.0, "Mean": 0.875}
    assert [(f.units, f.cases) for f in figures.values()] == [(2, 2), (1, 1), (3, 2)]


def test_an_roi_is_scored_as_a_whole(found):
    figures = overlap_figures(found, "roi", "IoU")

    # In the ROI of case a stroma is found with 2048 pixels too many.
    assert values(figures) == {"Tumor": 0.75, "Stroma": 4096 / 6144, "Mean": (0.75 + 2 / 3) / 2}
    assert [(f.units, f.cases) for f in figures.values()] == [(2, 2), (1, 1), (2, 2)]


def test_the_rois_of_a_case_are_added_up_before_they_are_scored():
    right = answered(filled(TUMOR), filled(0), case="a")
    wrong = answered(np.full((64, 32), TUMOR), np.ones((64, 32)), case="a")
    other = answered(filled(TUMOR), filled(0), case="b")

    found = assess(AnswerBundle(tile=64), [right, wrong, other])[0]

    # Case a: 4096 of 6144 pixels found; by ROI it would be 1 and 0.
    assert values(overlap_figures(found, "case", "IoU"))["Tumor"] == pytest.approx((2 / 3 + 1) / 2)
    assert values(overlap_figures(found, "case", "Dice"))["Tumor"] == pytest.approx((0.8 + 1) / 2)
    assert values(overlap_figures(found, "roi", "IoU"))["Tumor"] == pytest.approx(2 / 3)


def test_cases_of_one_name_in_two_sources_are_two():
    samples = [answered(filled(TUMOR), filled(0), source=source) for source in "AB"]

    found = assess(AnswerBundle(), samples)[0]

    assert list(case_scores(found, "IoU")) == [("A", "a"), ("B", "a")]
    assert found.sources == ("A", "B")
    assert len(found.of("B").rois) == 1


def test_one_case_has_no_interval_and_two_have_one(found):
    figures = overlap_figures(found, "case", "IoU")

    assert (figures["Stroma"].low, figures["Stroma"].high) == (None, None)
    assert (figures["Tumor"].low, figures["Tumor"].high) == (0.5, 1.0)


def test_unlabelled_pixels_and_tiles_count_for_nothing():
    reference = filled(TUMOR, 0)

    found = assess(AnswerBundle(), [answered(reference, filled(0, 1))])[0]

    assert len(found.rois[0].tiles) == 1
    assert values(overlap_figures(found, "roi", "IoU")) == {
        "Tumor": 1.0,
        "Stroma": None,
        "Mean": 1.0,
    }


def test_classes_that_the_bundle_does_not_know_are_left_out_and_counted():
    sample = answered([[TUMOR, STROMA, 3, 4, 0]], [[0, 1, 0, 1, 0]])

    found = assess(AnswerBundle(), [sample])[0]

    assert found.confusion.accuracy == 1.0
    assert found.unknown == 2


def test_calibration_is_that_computed_by_hand():
    # Said with 0.8: half right. Said with 0.6: all right. 51 / 255 steps make both exact.
    sure = np.full((2, 4), 0.8)
    sure[1] = 0.6
    sample = answered([[1, 1, 2, 2], [1, 1, 1, 1]], [[0, 0, 0, 0], [0, 0, 0, 0]], sure=sure)

    found = assess(AnswerBundle(), [sample])[0]

    assert calibration_figure(found).value == pytest.approx((0.3 + 0.4) / 2)


def test_boundaries_are_scored_where_the_reference_has_some():
    reference = np.full((40, 40), TUMOR)
    reference[:, 20:] = STROMA
    shifted = np.zeros((40, 40))
    shifted[:, 30:] = 1  # ten pixels, five micrometres off
    near = np.zeros((40, 40))
    near[:, 26:] = 1
    borderless = answered(filled(TUMOR), filled(0), case="c")

    found = assess(AnswerBundle(), [answered(reference, near), borderless])[0]
    far = assess(AnswerBundle(), [answered(reference, shifted)])[0]

    assert values(boundary_figures(found)) == {"Tumor": 1.0, "Stroma": 1.0, "Mean": 1.0}
    assert boundary_figures(found)["Tumor"].units == 1
    assert values(boundary_figures(far))["Tumor"] == 0.0


def test_refinement_is_scored_beside_the_plain_prediction():
    predicted = np.zeros((32, 32))
    predicted[16, 16] = 1  # a speck in even tissue
    sample = answered(np.full((32, 32), TUMOR), predicted, sure=0.6)
    sample.image[..., 0] = 0  # the picture is even; the speck is in the answer only

    class Specked(AnswerBundle):
        def predict(self, tiles):
            tiles = tiles.copy()
            tiles[:, 16, 16, 0] = 1
            return super().predict(tiles)

    bundle = Specked()
    plain, refined = assess(bundle, [sample], refinements=(None, Refinement()))

    assert plain.confusion.counts.tolist() == [[1023, 1, 0], [0, 0, 0]]
    assert refined.confusion.counts.tolist() == [[1024, 0, 0], [0, 0, 0]]
    assert refined.refinement == Refinement()
    assert len(bundle.shapes) == 1  # predicted once


def test_the_worst_tile_of_each_case_is_kept_worst_first(found):
    assert [(tile.case, tile.wrong) for tile in found.worst] == [("a", 0.5)]
    assert found.worst[0].image.shape == (64, 64, 3)
    assert (found.worst[0].reference == TUMOR).all()
    assert (found.worst[0].predicted[:, 32:] == STROMA).all()


def test_no_more_than_six_worst_tiles_are_kept():
    samples = []
    for i in range(9):
        predicted = np.zeros((10, 10))
        predicted[:, : i + 1] = 1
        samples.append(answered(np.ones((10, 10)), predicted, case=f"{i}"))

    worst = assess(AnswerBundle(), samples)[0].worst

    assert [tile.case for tile in worst] == ["8", "7", "6", "5", "4", "3"]


def test_pictures_without_labels_cannot_be_assessed():
    with pytest.raises(DataError, match="labelled"):
        assess(AnswerBundle(), [answered(filled(0), filled(0))])


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((64, 64), {(64, 64)}),
        ((65, 64), {(32, 64), (33, 64)}),
        ((200, 10), {(50, 10)}),
    ],
)
def test_tiles_cover_a_picture_evenly(shape, sizes):
    seen = np.zeros(shape, int)
    found = set()
    for place in tile_places(shape, 64):
        seen[place] += 1
        found.add(seen[place].shape)

    assert (seen == 1).all()
    assert found == sizes
