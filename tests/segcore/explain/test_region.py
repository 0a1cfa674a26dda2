import numpy as np
import pytest
import torch
from captum.attr import GradientShap
from scipy.ndimage import gaussian_filter
from shapely.geometry import Point, Polygon, box
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.errors import ModelError, PixelSizeMissingError, RegionError
from segcore.explain import explain_region, explained_layers
from segcore.models import create_model
from segcore.progress import Cancelled
from segcore.slides.array import ArraySlide
from tests.segcore.explain.networks import darkness_bundle, tiny_bundle


@pytest.fixture
def bundle():
    return tiny_bundle()


def picture(height, width):
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)


def seen(bundle, image):
    mean, std = np.array(bundle.card.normalisation.mean), np.array(bundle.card.normalisation.std)
    return torch.from_numpy(((image / 255 - mean) / std).transpose(2, 0, 1)[None]).float()


def whole_image_cam(bundle, image, index, rim):
    """Grad-CAM at one go for what lies within `rim`, written from the paper's two equations."""
    x = seen(bundle, image)
    activation = bundle.model.first(x).detach().requires_grad_()
    logits = bundle.model.second(F.relu(activation))[:, :, rim:-rim, rim:-rim]
    score = logits[0, index][logits[0].argmax(0) == index].sum()
    (gradient,) = torch.autograd.grad(score, activation)
    weights = gradient.mean((0, 2, 3))
    heat = torch.relu((weights[:, None, None] * activation[0].detach()).sum(0))[rim:-rim, rim:-rim]
    return (heat / heat.max()).numpy()


def test_a_region_of_many_tiles_is_explained_as_one_image_would_be(bundle):
    image = picture(1100, 1300)
    beyond = np.pad(image, ((64, 64), (64, 64), (0, 0)), "symmetric")
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


def test_activations_that_memory_has_no_room_for_are_computed_again(bundle, monkeypatch):
    slide, region = ArraySlide(picture(600, 1100), mpp=0.5), box(0, 0, 1100, 600)
    kept = explain_region(slide, bundle, region, 2, layer="first")

    monkeypatch.setattr("segcore.explain.region_cam.KEPT", 0)
    again = explain_region(slide, bundle, region, 2, layer="first")

    assert np.array_equal(kept.values, again.values)


def whole_image_shap(bundle, image, index, rim, samples, seed):
    """Captum's GradientShap of all tiles at one go, for the score of what lies within `rim`."""
    x, white = seen(bundle, image), seen(bundle, np.full_like(image, 255))
    inner = np.s_[:, rim:-rim, rim:-rim]
    with torch.no_grad():
        mine = bundle.model(x).argmax(1)[inner] == index

    def score(pictures):
        return (bundle.model(pictures)[:, index][inner] * mine).sum((1, 2))

    np.random.seed(seed)  # noqa: NPY002 - captum draws from it
    explainer, total = GradientShap(score), 0
    for _ in range(samples):
        total = total + explainer.attribute(x, baselines=white, n_samples=1, stdevs=0.0)
    total = total.sum(1)[0].numpy()
    height, width = total.shape
    cells = total.reshape(height // 4, 4, width // 4, 4).sum((1, 3))
    smooth = gaussian_filter(cells, 1.5, mode="constant")[
        rim // 4 : -rim // 4, rim // 4 : -rim // 4
    ]
    return np.clip(smooth / np.percentile(np.abs(smooth), 99.5), -1, 1)


def test_shap_of_a_region_of_many_tiles_is_captums_of_one_image(bundle):
    image = picture(600, 1100)
    beyond = np.pad(image, ((64, 64), (64, 64), (0, 0)), "symmetric")
    state = np.random.get_state()  # noqa: NPY002 - put back below
    expected = whole_image_shap(bundle, beyond, 2, rim=64, samples=3, seed=7)
    np.random.set_state(state)  # noqa: NPY002 - likewise

    heat = explain_region(
        ArraySlide(image, mpp=0.5),
        bundle,
        box(0, 0, 1100, 600),
        2,
        method="shap",
        samples=3,
        seed=7,
    )

    assert heat.values.shape == (150, 275)
    assert heat.signed
    assert np.abs(heat.values - expected).max() < 1e-4


def test_shap_of_a_linear_network_is_how_much_darker_than_glass_each_place_is():
    image = np.full((256, 256, 3), 255, np.uint8)
    image[64:128, 64:128], image[160:192, 160:192] = 55, 105

    heat = explain_region(
        ArraySlide(image, mpp=0.5),
        darkness_bundle(),
        box(0, 0, 256, 256),
        0,
        method="shap",
        samples=1,
    )

    assert heat.at(96, 96) == pytest.approx(1)
    assert heat.at(176, 176) == pytest.approx(150 / 200, abs=0.02)
    assert heat.at(20, 20) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("method", ["grad_cam", "shap"])
def test_a_class_predicted_nowhere_is_explained_by_its_score_everywhere(bundle, method):
    with torch.no_grad():
        bundle.model.second.bias[2] = -100

    heat = explain_region(
        ArraySlide(picture(100, 120), mpp=0.5),
        bundle,
        box(0, 0, 120, 100),
        2,
        method=method,
        layer="first",
        samples=2,
    )

    assert np.nanmax(np.abs(heat.values)) == 1


@pytest.mark.parametrize("method", ["grad_cam", "shap"])
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_after_a_cancel_no_hook_and_no_gradient_is_left(bundle, method, calls, monkeypatch):
    monkeypatch.setattr(
        "segcore.explain.region.fuse", lambda model: model
    )  # look at what is hooked
    told = []

    def cancel(fraction, text=""):
        told.append(fraction)
        if len(told) == calls:
            raise Cancelled

    slide = ArraySlide(picture(600, 600), mpp=0.5)
    with pytest.raises(Cancelled):
        explain_region(slide, bundle, box(0, 0, 600, 600), 0, method=method, report=cancel)

    assert told == sorted(told)
    modules = list(bundle.model.modules())
    assert not [m for m in modules if m._forward_hooks or m._forward_pre_hooks or m._backward_hooks]
    assert all(p.grad is None for p in bundle.model.parameters())


@pytest.mark.parametrize("method", ["grad_cam", "shap"])
def test_a_region_is_explained_inside_inference_mode(bundle, method):
    with torch.inference_mode():
        heat = explain_region(
            ArraySlide(picture(64, 64), mpp=0.5),
            bundle,
            box(0, 0, 64, 64),
            0,
            method=method,
            samples=1,
        )

    assert np.isfinite(heat.values).all()


@pytest.mark.parametrize("method", ["grad_cam", "shap"])
def test_a_round_region_is_finite_inside_and_nothing_outside(bundle, method):
    circle = Point(300, 300).buffer(250)

    heat = explain_region(
        ArraySlide(picture(600, 600), mpp=0.5), bundle, circle, 0, method=method, samples=1
    )

    x, y = np.meshgrid(*[np.arange(60, 560, 20)] * 2)
    for a, b in zip(x.ravel(), y.ravel(), strict=True):
        away = np.hypot(a - 300, b - 300)
        if abs(away - 250) > 4:
            assert np.isfinite(heat.at(a, b)) == (away < 250)


@pytest.mark.parametrize("name", ["lightmuseg-v2", "mobilenetv2-unet", "hi-net"])
def test_the_layers_offered_are_in_the_network_and_the_default_is_the_first(name):
    network = create_model(name, classes=2)
    layers = explained_layers(network)

    assert {each.name for each in layers} <= dict(network.named_modules()).keys()
    assert len({each.title for each in layers}) == len(layers) >= 4


def test_every_offered_layer_gives_a_map_of_its_own():
    torch.manual_seed(0)
    network = darkness_bundle()
    network.model = create_model("lightmuseg-v2", classes=1).eval()
    slide = ArraySlide(picture(256, 256), mpp=0.5)

    maps = [
        explain_region(slide, network, box(0, 0, 256, 256), 0, layer=each.name).values.shape
        for each in explained_layers(network.model)[:3]
    ]

    assert maps == [(32, 32), (16, 16), (64, 64)]  # at 1/8, 1/16 and 1/4


def test_an_unknown_class_or_layer_of_a_region_is_told(bundle):
    slide, region = ArraySlide(picture(64, 64), mpp=0.5), box(0, 0, 64, 64)

    with pytest.raises(ModelError, match="classes 0 to 4"):
        explain_region(slide, bundle, region, 5, method="shap")
    with pytest.raises(ModelError, match="second, first"):
        explain_region(slide, bundle, region, 0, layer="third")
