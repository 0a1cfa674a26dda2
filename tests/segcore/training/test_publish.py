import numpy as np
import pytest

from segcore.data import Sample
from segcore.errors import DataError
from segcore.models import load_bundle
from segcore.slides.preprocessing import Clahe
from segcore.training import publish, train
from segcore.training.publish import manifest_hash
from segcore.training.recipe import CardText
from tests.segcore.training.builders import recipe

CARD = CardText("test", "A test", "Two colours.", "CC0", "Tests.", "All.", tile=64, halo=8)
PLAN = recipe(crop=32, steps=1, card=CARD)


def sample(case, colour=120):
    codes = np.ones((48, 40), np.uint8)
    codes[:, 20:] = 2
    image = np.full((48, 40, 3), colour, np.uint8)
    return Sample(case, "A", image, codes)


def test_the_card_of_a_run_tells_what_was_measured_on_how_many_cases(tmp_path):
    train(PLAN, [sample("a")], tmp_path / "run")
    validation = [sample("b"), sample("b"), sample("c")]

    publish(PLAN, tmp_path / "run", [sample("a")], validation, folder=tmp_path / "bundle")

    card = load_bundle(tmp_path / "bundle", device="cpu").card
    assert card.trained
    assert card.training.manifest_sha256 == manifest_hash([sample("a")])
    assert {(m.name, m.class_name) for m in card.metrics} == {
        (name, c) for name in ("IoU", "Dice") for c in ("Tumor", "Stroma")
    }
    assert {(m.split, m.cases) for m in card.metrics} == {("validation, A", 2)}
    # Both classes have the same picture, so all is called one class: half of it right.
    assert sorted(m.value for m in card.metrics if m.name == "IoU") == [0.0, 0.5]


def test_a_recipe_without_card_text_makes_a_card_that_claims_nothing(tmp_path):
    plan = recipe(crop=32, steps=1, preprocessing=(Clahe(),))
    training = [sample("a"), sample("a"), sample("b")]
    train(plan, training, tmp_path / "run")

    card = publish(plan, tmp_path / "run", training, [], folder=tmp_path / "mine")

    assert card.name == "mine"
    assert card.training.summary == "3 pictures of 2 cases."
    assert card.licence.startswith("Not stated")
    assert card.preprocessing == (Clahe(),)
    assert card.metrics == ()


def test_a_run_that_was_never_begun_cannot_be_published(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        publish(PLAN, tmp_path, [sample("a")], [], folder=tmp_path / "bundle")


def test_the_manifest_hash_sees_every_change():
    before = manifest_hash([sample("a"), sample("b")])

    assert before == manifest_hash([sample("b"), sample("a")])
    assert before != manifest_hash([sample("a"), sample("b", colour=121)])
    assert before != manifest_hash([sample("a"), sample("c")])
