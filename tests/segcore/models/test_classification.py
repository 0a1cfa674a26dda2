import pytest
import torch
from torch import nn

from segcore.errors import ModelError
from segcore.models import create_model
from segcore.models.classification import (
    BACH,
    BREAKHIS,
    TissueClassifier,
    classifier_for,
    pool_inside,
)


class Sums(nn.Module):
    """An encoder whose only map is the mean of each 32 x 32 block."""

    def forward(self, image):
        return [nn.functional.avg_pool2d(image, 32)]


def test_pooling_is_the_mean_over_what_the_mask_covers():
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[10.0, 20.0], [30.0, 40.0]]]])
    mask = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])

    assert pool_inside(features, mask).tolist() == [[2.5, 25.0]]


def test_a_finer_mask_weighs_each_place_by_its_covered_share():
    features = torch.tensor([[[[8.0, 2.0]]]])
    mask = torch.zeros(1, 4, 8)
    mask[0, :, :4] = 1  # the left place wholly
    mask[0, 0, 4:] = 1  # a quarter of the right one

    assert pool_inside(features, mask).item() == pytest.approx((8 + 0.25 * 2) / 1.25)


def test_an_empty_mask_means_the_whole_picture():
    features = torch.tensor([[[[1.0, 3.0]]], [[[1.0, 3.0]]]])
    mask = torch.tensor([[[0.0, 0.0]], [[0.0, 1.0]]])

    assert pool_inside(features, mask).tolist() == [[2.0], [3.0]]


def test_logits_are_linear_in_what_lies_inside_the_mask():
    head = TissueClassifier(Sums(), channels=3, classes=BREAKHIS).eval()
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 2.0, 0]]))
        head.linear.bias.copy_(torch.tensor([0.5, 0.0]))
    image = torch.zeros(1, 3, 32, 64)
    image[0, 0, :, :32], image[0, 1, :, 32:] = 4.0, 7.0
    left = torch.zeros(1, 32, 64)
    left[..., :32] = 1

    assert head(image, left).tolist() == [[4.5, 0.0]]
    assert head(image, 1 - left).tolist() == [[0.5, 14.0]]


def test_padding_of_odd_sizes_counts_for_nothing():
    head = TissueClassifier(Sums(), channels=3, classes=BACH).eval()
    image = torch.ones(1, 3, 20, 40)

    assert head(image, torch.ones(1, 20, 40)).shape == (1, 4)
    pooled = pool_inside(torch.tensor([[[[5.0, 9.0]]]]), torch.tensor([[[1.0, 0.0]]]))
    assert pooled.item() == 5


@pytest.mark.parametrize(("name", "channels"), [("lightmuseg-v2", 320), ("mobilenetv2-unet", 1280)])
def test_a_segmenters_encoder_is_shared_and_left_as_it_was(name, channels):
    model = create_model(name, classes=2).train()

    head = classifier_for(model, BACH)

    assert head.encoder is model.encoder
    assert model.encoder.training
    assert head.linear.in_features == channels
    assert head(torch.randn(2, 3, 64, 64), torch.ones(2, 64, 64)).isfinite().all()


def test_the_loss_reaches_the_encoder_only_through_the_mask():
    head = TissueClassifier(Sums(), channels=3, classes=BREAKHIS)
    image = torch.zeros(1, 3, 32, 64, requires_grad=True)
    left = torch.zeros(1, 32, 64)
    left[..., :32] = 1

    nn.functional.cross_entropy(head.eval()(image, left), torch.tensor([1])).backward()

    assert image.grad[..., :32].abs().min() > 0
    assert image.grad[..., 32:].abs().max() == 0


def test_a_network_without_encoder_or_one_class_is_refused():
    with pytest.raises(ModelError, match="encoder"):
        classifier_for(nn.Identity(), BACH)
    with pytest.raises(ModelError, match="two classes"):
        TissueClassifier(Sums(), channels=3, classes=("Benign",))
