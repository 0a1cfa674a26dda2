import numpy as np
import pytest
import torch
from shapely.geometry import Polygon, box
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.errors import PixelSizeMissingError, RegionError
from segcore.explain import explain_region
from segcore.models import Bundle
from segcore.slides.array import ArraySlide
from tests.segcore.cards import card


class Tiny(nn.Module):
    """Two 3 x 3 layers: what a pixel sees is 5 x 5, so tiles with context change nothing."""

    def __init__(self, classes):
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.second = nn.Conv2d(6, classes, 3, padding=1)

    def forward(self, x):
        return self.second(F.relu(self.first(x)))


@pytest.fixture
def bundle():
    return Bundle(card(), Tiny(5), torch.device("cpu"))


def picture(height, width):
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)


def whole_image_cam(bundle, image, index, rim):
    """Grad-CAM at one go for what lies within `rim`, written from the paper's two equations."""
    mean, std = np.array(bundle.card.normalisation.mean), np.array(bundle.card.normalisation.std)
    x = torch.from_numpy(((image / 255 - mean) / std).transpose(2, 0, 1)[None]).float()
    activation = bundle.model.first(x).detach().requires_grad_()
    logits = bundle.model.second(F.relu(activation))[:, :, rim:-rim, rim:-rim]
    score = logits[0, index][logits[0].argmax(0) == index].sum()
    (gradient,) = torch.autograd.grad(score, activation)
    weights = gradient.mean((0, 2, 3))
    heat = torch.relu((weights[:, None, None] * activation[0].detach()).sum(0))[rim:-rim, rim:-rim]
    return (heat / heat.max()).numpy()


def test_a_region_of_many_tiles_is_explained_as_one_image_would_be(bundle):
    image = picture(1100, 1300)
    beyond = np.pad(image, ((64, 64), (64, 64), (0, 0)), constant_values=255)
    expected = whole_image_cam(bundle, beyond, 2, rim=64)

    heat = explain_region(
        ArraySlide(image, mpp=0.5), bundle, box(0, 0, 1300, 1100), 2, layer="first"
    )

    assert heat.values.shape == (1100, 1300)
    assert np.abs(heat.values - expected).max() < 2e-3  # activations are kept in half precision


def test_outside_the_region_there_is_nothing_to_see(bundle):
    slide = ArraySlide(picture(600, 600), mpp=0.5)

    heat = explain_region(slide, bundle, Polygon([(0, 0), (600, 0), (0, 600)]), 1, layer="first")

    assert np.isfinite(heat.values[10, 10])
    assert np.isnan(heat.values[590, 590])
    assert np.nanmax(heat.values) == pytest.approx(1.0)
    assert np.nanmin(heat.values) >= 0


def test_the_map_lies_where_the_region_is_at_the_slides_own_scale(bundle):
    slide = ArraySlide(picture(400, 400), mpp=0.25)

    heat = explain_region(slide, bundle, box(100, 50, 300, 250), 0, layer="first")

    assert heat.bounds == (100, 50, 300, 250)
    assert heat.values.shape == (100, 100)


def test_no_pixel_size_and_no_region_are_told(bundle):
    with pytest.raises(PixelSizeMissingError, match="how large its pixels are"):
        explain_region(ArraySlide(picture(64, 64)), bundle, box(0, 0, 64, 64), 0)
    with pytest.raises(RegionError, match="empty"):
        explain_region(ArraySlide(picture(64, 64), mpp=0.5), bundle, Polygon(), 0)
