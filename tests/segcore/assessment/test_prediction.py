import numpy as np
import pytest
import torch

from segcore.assessment.prediction import (
    answered_classes,
    comparable_reference,
    exact,
    predict_picture,
    refine_picture,
)
from segcore.models import Bundle, create_model
from segcore.refinement import Refinement
from tests.segcore.assessment.answers import AnswerBundle, answered
from tests.segcore.cards import card


def test_a_picture_within_a_tile_is_predicted_at_once():
    bundle = AnswerBundle(tile=64)
    sample = answered(np.ones((64, 30)), np.zeros((64, 30)))

    predict_picture(bundle, sample.image)

    assert bundle.shapes == [(1, 64, 30, 3)]


def test_a_larger_picture_is_stitched_without_a_trace():
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 2, (150, 100))
    sample = answered(np.ones((150, 100)), predicted, sure=0.75)
    bundle = AnswerBundle(tile=64, halo=8)

    found = predict_picture(bundle, sample.image)

    assert found.shape == (2, 150, 100)
    assert (found.argmax(0) == predicted).all()
    assert (
        np.abs(found.max(0) - 0.75).max() < 0.005
    )  # tiles are kept in half precision, grey values in 255 steps
    assert {shape[1:3] for shape in bundle.shapes} == {(64, 64)}


def test_beyond_its_border_a_picture_is_mirrored_not_white():
    class Watching(AnswerBundle):
        def predict(self, tiles):
            assert tiles.max() < 255
            return super().predict(tiles)

    sample = answered(np.ones((70, 40)), np.zeros((70, 40)), sure=0.75)

    assert (predict_picture(Watching(tile=64, halo=16), sample.image).argmax(0) == 0).all()


def test_where_tiles_meet_they_are_blended():
    class Wavering(AnswerBundle):
        """Is the surer the later it is asked."""

        def predict(self, tiles):
            self.shapes.append(tiles.shape)
            sure = np.full((len(tiles), 1, *tiles.shape[1:3]), 0.5 + 0.1 * len(self.shapes))
            return np.concatenate([sure, 1 - sure], axis=1).astype(np.float32)

    found = predict_picture(Wavering(tile=64, halo=16), np.zeros((32, 128, 3), np.uint8))

    steps = np.abs(np.diff(found[0, 16]))
    assert len(np.unique(found[0, 16])) > 10  # a ramp, no step
    assert steps.max() < 0.05


def test_what_a_one_class_bundle_does_not_find_is_other():
    bundle = AnswerBundle(("Tumor",), (1,))
    small = answered(np.ones((8, 8)), np.eye(8), sure=1.0)
    large = answered(np.ones((80, 80)), np.eye(80), sure=1.0)

    assert answered_classes(bundle) == ("Tumor", "Other")
    for sample, side in ((small, 8), (large, 80)):
        assert (predict_picture(bundle, sample.image).argmax(0) == np.eye(side)).all()


@pytest.mark.parametrize("classes", [("Tumor", "Other"), ("Other", "Tumor")])
def test_a_bundle_of_one_class_and_the_rest_is_held_against_the_rest(classes):
    reference = np.array([[0, 1, 2, 3, 4, 5]], np.uint8)

    assert comparable_reference(reference, classes).tolist() == [[0, 1, 5, 5, 5, 5]]


def test_other_bundles_are_held_against_the_reference_as_it_is():
    reference = np.array([[0, 1, 2, 3, 4, 5]], np.uint8)

    assert comparable_reference(reference, ("Tumor", "Stroma")) is reference
    assert comparable_reference(reference, ("Tumor", "Stroma", "Other")) is reference


def test_refined_probabilities_add_up_to_one():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1, 1], (20, 30)).transpose(2, 0, 1).astype(np.float32)
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)

    refined = refine_picture(probabilities, image, Refinement(alpha=0.9))

    assert np.abs(refined.sum(0) - 1).max() < 1e-5
    assert not np.array_equal(refined, probabilities)


def test_a_bundle_is_measured_in_float32_and_stays_as_it_was():
    torch.manual_seed(0)
    model = create_model("lightmuseg-v2", classes=5)
    bundle = Bundle(card(), model, torch.device("cpu"))
    bundle.precision = torch.bfloat16
    tiles = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    rough = bundle.predict(tiles)

    fine = exact(bundle).predict(tiles)

    with torch.inference_mode():
        plain = model(bundle.network_input(torch.from_numpy(tiles))).softmax(1).numpy()
    assert np.abs(fine - plain).max() < 1e-5 < np.abs(rough - plain).max()
    assert bundle.precision == torch.bfloat16
    assert np.array_equal(bundle.predict(tiles), rough)
