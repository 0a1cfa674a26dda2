import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

from segcore.errors import ModelError
from segcore.explain import grad_cam, shap_map
from segcore.explain.score import class_score, network_input
from segcore.models import Bundle, create_model
from tests.segcore.cards import card

CLASSES = ("Tumor", "Stroma", "Other")


def bundle_of(model, classes=CLASSES):
    return Bundle(card(classes=classes), model, torch.device("cpu"))


@pytest.fixture
def small():
    torch.manual_seed(0)
    return bundle_of(
        nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 3, 3, padding=1))
    )


@pytest.fixture(scope="module")
def light():
    torch.manual_seed(0)
    return bundle_of(create_model("lightmuseg-v2", classes=3))


def picture(height=32, width=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("class_index", [0, 1, 2])
def test_grad_cam_agrees_with_captum(small, class_index):
    image = picture()
    explainer = LayerGradCam(lambda x: class_score(small.model(x), class_index), small.model[0])
    expected = explainer.attribute(
        network_input(small, image, class_index), relu_attributions=True
    )[0, 0].detach()

    found = grad_cam(small, image, class_index, layer="0")

    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-5)


def test_the_score_is_the_mean_logit_where_the_class_was_predicted():
    logits = torch.tensor([[[[3.0, 1.0, 9.0]], [[0.0, 5.0, 2.0]], [[-1.0, -2.0, -6.0]]]])

    assert class_score(logits, 0).tolist() == [6.0]  # pixels 0 and 2
    assert class_score(logits, 1).tolist() == [5.0]  # pixel 1
    assert class_score(logits, 2).tolist() == [-3.0]  # nowhere predicted: all pixels


def test_one_class_is_predicted_where_its_logit_is_positive():
    assert class_score(torch.tensor([[[[-1.0, 2.0, 4.0]]]]), 0).tolist() == [3.0]


@pytest.mark.parametrize("size", [(70, 45), (1, 1), (64, 64)])
def test_the_map_has_the_images_size_and_lies_between_zero_and_one(light, size):
    heat = grad_cam(light, picture(*size), 1)

    assert heat.shape == size
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() <= 1


def test_no_hook_is_left_even_after_an_error(light):
    grad_cam(light, picture(), 0)
    with pytest.raises(RuntimeError):
        grad_cam_with_a_failing_network(light)

    assert not [m for m in light.model.modules() if m._forward_hooks or m._backward_hooks]


def grad_cam_with_a_failing_network(bundle):
    broken = bundle_of(bundle.model)
    broken.model = nn.Sequential(bundle.model.encoder.features[0], nn.Conv2d(1, 1, 1))
    return grad_cam(broken, picture(), 0, layer="0")


def test_it_works_inside_inference_mode_and_leaves_no_gradients(light):
    with torch.inference_mode():
        heat = grad_cam(light, picture(), 0)

    assert np.isfinite(heat).all()
    assert all(p.grad is None for p in light.model.parameters())


def test_a_layer_of_a_frozen_encoder_can_be_explained():
    torch.manual_seed(0)
    frozen = bundle_of(create_model("lightmuseg-v1", classes=3))

    assert grad_cam(frozen, picture(), 0, layer="encoder.features.3").shape == (32, 64)


@pytest.mark.parametrize("explain", [grad_cam, shap_map])
@pytest.mark.parametrize("class_index", [3, -1])
def test_an_unknown_class_is_refused(small, explain, class_index):
    with pytest.raises(ModelError, match="classes 0 to 2"):
        explain(small, picture(), class_index)


def test_an_unknown_layer_is_answered_with_a_known_one(light):
    with pytest.raises(ModelError, match=r"decoder\.1"):
        grad_cam(light, picture(), 0, layer="decoder.99")


def test_a_picture_that_is_none_is_refused(small):
    with pytest.raises(ModelError, match="uint8"):
        grad_cam(small, np.zeros((4, 4, 3)), 0)


def test_shap_adds_up_the_linear_effect_of_each_pixel():
    # For a linear score the attribution of a pixel is weight x (pixel - white), whatever the path.
    model = nn.Conv2d(3, 2, 1)
    nn.init.constant_(model.weight, -1.0)
    model.bias.data = torch.tensor(
        [0.0, 1e3]
    )  # the other class is predicted: all pixels count alike
    image = np.full((4, 6, 3), 255, np.uint8)
    image[1, 2] = 55
    image[3, 4] = 155

    found = shap_map(bundle_of(model, ("Tumor", "Other")), image, 0, blur=0)

    expected = np.zeros((4, 6))
    expected[1, 2], expected[3, 4] = 200, 100
    assert found[1, 2] > 0
    # The largest is clipped at the 99.5th percentile, so the rest is compared.
    found[1, 2] = 2 * found[3, 4]
    np.testing.assert_allclose(found / found[1, 2], expected / 200, atol=1e-5)


def test_shap_is_repeatable_and_leaves_the_global_generators_alone(small):
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - what captum draws from
    torch_state = torch.get_rng_state()

    first, second = (shap_map(small, picture(16, 16), 0, samples=3) for _ in range(2))

    assert np.array_equal(first, second)
    assert np.abs(first).max() <= 1
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002 - likewise
    assert torch.equal(torch.get_rng_state(), torch_state)
