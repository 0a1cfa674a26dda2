"""The score of a region, pooled by hand: the encoder's features are the mean colours of 32 x 32 blocks."""

import numpy as np
import pytest
import torch
from torch import nn

from segcore.annotations import LabelMap
from segcore.inference import classify_tissue
from segcore.models import Bundle, Classification, Normalisation, TissueClassifier
from segcore.slides import ArraySlide
from tests.segcore.cards import card

PLAIN = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
RED, GREEN = (255, 0, 0), (0, 255, 0)


class BlockColours(nn.Module):
    def forward(self, image):
        return [nn.functional.avg_pool2d(image, 32)]


def bundle_with_head(*, halo=0, inside=("Tumor",)):
    """Return a bundle whose logits are how red and how green the tissue is."""
    part = Classification(("Red", "Green"), inside)
    card_ = card(normalisation=PLAIN, halo=halo, tile=64, classification=part)
    bundle = Bundle(card_, nn.Identity(), torch.device("cpu"))
    head = TissueClassifier(BlockColours(), channels=3, classes=part.classes).eval()
    with torch.no_grad():
        head.linear.weight.copy_(torch.eye(3)[:2])
        head.linear.bias.zero_()
    bundle.classifier = head
    return bundle


def half_red_half_green():
    image = np.empty((128, 192, 3), np.uint8)
    image[:, :96], image[:, 96:] = RED, GREEN
    return ArraySlide(image, mpp=0.5)


def label_map(labels, column=0, row=0):
    return LabelMap(labels.astype(np.uint8), column, row, scale=1.0, mpp=0.5)


def softmax(*values):
    e = np.exp(values)
    return (e / e.sum()).tolist()


def test_the_score_is_that_of_the_mean_over_all_marked_tissue():
    labels = np.full((128, 192), 2)
    labels[0:32, 0:96] = 1  # 3072 red pixels, in two tiles
    labels[100:116, 128:192] = 1  # 1024 green pixels, half of what their blocks hold

    score = classify_tissue(half_red_half_green(), bundle_with_head(), [label_map(labels)])

    expected = softmax(0.75, 0.25)
    assert score.label == "Red"
    assert score.confidence == pytest.approx(expected[0], abs=1e-6)
    assert list(score.probabilities) == ["Red", "Green"]
    assert list(score.probabilities.values()) == pytest.approx(expected, abs=1e-6)
    assert score.area_mm2 == pytest.approx(4096 * 0.0005**2)


def test_parts_of_a_mask_anywhere_count_as_one_tissue():
    parts = [
        label_map(np.ones((32, 32)), column=0, row=96),
        label_map(np.ones((32, 32)), column=160, row=0),
    ]

    score = classify_tissue(half_red_half_green(), bundle_with_head(), parts)

    assert list(score.probabilities.values()) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_pixels_that_tiles_share_count_once():
    """With a halo every pixel lies in several tiles; the share of green is still that of its pixels."""
    image = np.full((192, 192, 3), RED, np.uint8)
    image[64:] = GREEN  # blocks begin at 16, 48, 80: the marked ones are of one colour
    labels = np.zeros((192, 192))
    labels[16:48, 32:64] = 1  # in two tiles' cores
    labels[80:96, 32:64] = 1

    score = classify_tissue(ArraySlide(image, mpp=0.5), bundle_with_head(halo=16), [label_map(labels)])  # fmt: skip

    assert list(score.probabilities.values()) == pytest.approx(softmax(2 / 3, 1 / 3), abs=1e-6)


def test_only_the_classes_it_looks_inside_count():
    labels = np.ones((128, 192))
    labels[:, 96:] = 3

    score = classify_tissue(
        half_red_half_green(), bundle_with_head(inside=("Lymphocyte",)), [label_map(labels)]
    )

    assert score.label == "Green"
    assert score.inside == ("Lymphocyte",)


def test_without_such_tissue_or_without_a_head_there_is_no_score():
    nothing = label_map(np.full((128, 192), 2))
    assert classify_tissue(half_red_half_green(), bundle_with_head(), [nothing]) is None

    plain = Bundle(card(), nn.Identity(), torch.device("cpu"))
    tumor = label_map(np.ones((128, 192)))
    assert classify_tissue(half_red_half_green(), plain, [tumor]) is None
