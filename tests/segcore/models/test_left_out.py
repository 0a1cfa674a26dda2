"""Networks with a module left out, as the papers' ablations have them."""

import pytest
import torch

from segcore.errors import ModelError
from segcore.models import count_parameters, create_model
from segcore.models.fusion import inference_engine

LIGHTMUSEG = [{"msffm": False}, {"frfm": False}, {"msffm": False, "frfm": False}]
HINET = [{"tda": False}, {"shortcut": False}, {"tda": False, "shortcut": False}]
WIDTHS = (16, 24, 32, 96, 320)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("lightmuseg-v3", each) for each in LIGHTMUSEG]
    + [("hi-net", {"depth": 50, **each}) for each in HINET],
)
def test_it_still_segments_and_its_fast_form_is_equal(name, arguments):
    torch.manual_seed(0)
    model = create_model(name, classes=3, **arguments).eval()
    image = torch.randn(1, 3, 70, 50)

    with torch.inference_mode():
        plain = model(image)
        fast = inference_engine(model, torch.device("cpu"), torch.float32)(image)

    assert plain.shape == (1, 3, 70, 50)
    assert torch.allclose(plain, fast, atol=1e-4)


def test_msffm_takes_its_parameters_along():
    def msffm(c):
        kernels = (
            (1 + 9 + 25) * c * c + 3 * c + 3 * c * c + c
        )  # three convolutions and the mixing 1x1
        return kernels + 2 * c * (c // 4) + c // 4 + c + 2 * 49 + 1 + c * c + c

    whole, without = (create_model("lightmuseg-v2", classes=1, msffm=on) for on in (True, False))

    assert count_parameters(whole) - count_parameters(without) == sum(map(msffm, WIDTHS))


def test_frfm_leaves_its_1x1():
    whole, without = (create_model("lightmuseg-v2", classes=1, frfm=on) for on in (True, False))

    assert count_parameters(whole) - count_parameters(without) == sum(
        2 * c * (c // 4) for c in WIDTHS[:-1]
    )


def test_hi_net_without_both_is_resnet_with_a_feature_pyramid():
    model = create_model("hi-net", classes=2, depth=50, tda=False, shortcut=False)

    own = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert own == {"encoder", "laterals", "classifier", "presence"}


def test_training_reaches_every_parameter_that_is_left():
    torch.manual_seed(0)
    model = create_model("hi-net", classes=2, depth=50, tda=False, shortcut=False).train()

    model(torch.randn(2, 3, 32, 64)).square().mean().backward()

    without = {name for name, p in model.named_parameters() if p.grad is None}
    assert without == {"presence.weight", "presence.bias"}


def test_other_networks_do_not_know_these_modules():
    with pytest.raises(ModelError, match="msffm"):
        create_model("hi-net", classes=2, msffm=False)
