import numpy as np
import pytest

from segcore.data import Sample
from segcore.errors import DataError
from segcore.models import load_bundle
from segcore.training import publish, read_sources, train
from segcore.training.loop import CHECKPOINT
from segcore.training.publish import manifest_hash
from segcore.training.recipe import CardText, Recipe, Source

CARD = CardText("test", "A test", "Two colours.", "CC0", "Tests.", "All.", tile=64, halo=8)


def recipe(card=CARD):
    return Recipe(
        "test",
        "lightmuseg-v2",
        ("Tumor", "Stroma"),
        (Source("A", "manifest", 1.0),),
        crop=32,
        batch=2,
        steps=1,
        save_every=1,
        card=card,
    )


def sample(case, colour=120):
    codes = np.ones((48, 40), np.uint8)
    codes[:, 20:] = 2
    image = np.full((48, 40, 3), colour, np.uint8)
    return Sample(case, "A", image, codes)


def test_the_card_of_a_run_tells_what_was_measured_on_how_many_cases(tmp_path):
    train(recipe(), [sample("a")], tmp_path)
    validation = [sample("b"), sample("b"), sample("c")]

    publish(recipe(), tmp_path / CHECKPOINT, [sample("a")], validation, folder=tmp_path / "bundle")

    card = load_bundle(tmp_path / "bundle", device="cpu").card
    assert card.trained
    assert card.training.manifest_sha256 == manifest_hash([sample("a")])
    assert {(m.name, m.class_name) for m in card.metrics} == {
        (name, c) for name in ("IoU", "Dice") for c in ("Tumor", "Stroma")
    }
    assert {(m.split, m.cases) for m in card.metrics} == {("validation, A", 2)}
    # Both classes have the same picture, so all is called one class: half of it right.
    assert sorted(m.value for m in card.metrics if m.name == "IoU") == [0.0, 0.5]


def test_the_manifest_hash_sees_every_change():
    before = manifest_hash([sample("a"), sample("b")])

    assert before == manifest_hash([sample("b"), sample("a")])
    assert before != manifest_hash([sample("a"), sample("b", colour=121)])
    assert before != manifest_hash([sample("a"), sample("c")])


def test_a_recipe_without_card_cannot_be_published(tmp_path):
    with pytest.raises(DataError, match="card"):
        publish(recipe(None), tmp_path / CHECKPOINT, [], [], folder=tmp_path / "bundle")


def test_painted_sections_for_validation_are_never_those_for_training(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.training.sources.SECTION", 256)
    source = Source("P", "procedural", 1.0, seeds=(1, 2), validation_seeds=(3,))
    plan = Recipe("t", "lightmuseg-v2", ("Tumor",), (source,))

    training, validation = read_sources(plan, tmp_path)

    assert [s.case for s in training] == ["procedural-1", "procedural-2"]
    assert [s.case for s in validation] == ["procedural-3"]
    assert {s.source for s in training + validation} == {"P"}


def test_an_unknown_kind_of_source_is_named(tmp_path):
    plan = Recipe("t", "lightmuseg-v2", ("Tumor",), (Source("X", "telepathy", 1.0),))
    with pytest.raises(DataError, match="telepathy"):
        read_sources(plan, tmp_path)
