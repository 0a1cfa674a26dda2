"""A bundle that also says what a region is: its linear layer lies beside the network's weights."""

import json

import pytest
import torch
from safetensors.torch import load_file

from segcore.errors import ModelError
from segcore.models import Classification, classifier_for, create_model, load_bundle, save_bundle
from segcore.models.bundle_files import CARD, WEIGHTS
from segcore.models.bundle_format import read_card, write_card
from tests.segcore.cards import card

PART = Classification(("Benign", "Malignant"), ("Tumor",))


@pytest.fixture(scope="module")
def classifier(model):
    torch.manual_seed(1)
    return classifier_for(model, PART.classes).eval()


@pytest.fixture(scope="module")
def folder(model, classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "two-answers"
    save_bundle(folder, model, card(classification=PART), classifier=classifier)
    return folder


def test_it_comes_back_as_it_was_saved(folder, model, classifier):
    bundle = load_bundle(folder, "cpu")

    assert bundle.card.classification == PART
    assert bundle.classifier.classes == PART.classes
    assert bundle.classifier.encoder is bundle.model.encoder
    assert not bundle.classifier.training
    image, mask = torch.randn(2, 3, 64, 96), torch.ones(2, 64, 96)
    with torch.no_grad():
        assert torch.allclose(bundle.classifier(image, mask), classifier(image, mask), atol=0.02)
    assert set(load_file(folder / WEIGHTS)) == {
        *model.state_dict(), "classification.weight", "classification.bias",
    }  # fmt: skip


def test_a_bundle_without_one_has_none(saved):
    bundle = load_bundle(saved, "cpu")

    assert bundle.card.classification is None
    assert bundle.classifier is None


def test_weights_and_card_that_differ_are_refused(folder, saved, tmp_path):
    for name, classes in (("none", None), ("three", ["A", "B", "C"])):
        place = tmp_path / name
        place.mkdir()
        (place / WEIGHTS).symlink_to(folder / WEIGHTS)
        said = json.loads((folder / CARD).read_text())
        said["classification"] = {"classes": classes, "inside": ["Tumor"]} if classes else None
        (place / CARD).write_text(json.dumps(said))
        with pytest.raises(ModelError, match=r"'classification\.bias' has another shape"):
            load_bundle(place, "cpu")


def test_what_is_saved_must_be_what_the_card_says(model, classifier, tmp_path):
    with pytest.raises(ModelError, match="does not describe the classifier"):
        save_bundle(tmp_path / "a", model, card(), classifier=classifier)
    with pytest.raises(ModelError, match="does not describe the classifier"):
        save_bundle(tmp_path / "b", model, card(classification=PART))
    assert [each.name for each in tmp_path.iterdir() if each.name != "home"] == []


@pytest.mark.parametrize(
    ("classes", "inside", "reason"),
    [
        (["Benign", "Benign"], ["Tumor"], "named twice"),
        (["Benign", "x" * 81], ["Tumor"], "more than 80"),
        (["Benign", "Malignant"], ["Fat"], "inside 'Fat'"),
        (["Benign"], ["Tumor"], "length"),
        (["Benign", "Malignant"], [], "length"),
    ],
)
def test_a_classification_that_makes_no_sense_is_refused(classes, inside, reason):
    said = json.loads(write_card(card(classification=PART)))
    said["classification"] = {"classes": classes, "inside": inside}

    with pytest.raises(ModelError, match=reason):
        read_card(json.dumps(said).encode(), source="bundle.json")


@pytest.mark.parametrize("name", ["mobilenetv2-unet", "hi-net"])
def test_every_network_with_an_encoder_can_carry_one(name):
    with torch.device("meta"):
        model = create_model(name, classes=5)
        head = classifier_for(model, PART.classes)

    assert head.linear.weight.shape == (2, 1280 if name == "mobilenetv2-unet" else 2048)
