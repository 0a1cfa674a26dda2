import pytest
import torch
from torch import nn

from segcore.models import create_model, fuse
from segcore.models.fusion import inference_engine


@pytest.fixture(scope="module")
def lived_in():
    """A network whose BatchNorms have statistics of their own."""
    torch.manual_seed(0)
    model = create_model("lightmuseg-v2", classes=5).eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, std=0.1)
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return model


def test_the_fused_network_gives_the_same_logits(lived_in):
    x = torch.randn(2, 3, 96, 64)

    with torch.inference_mode():
        plain, fused = lived_in(x), fuse(lived_in)(x)

    scale = plain.abs().max()
    assert (fused - plain).abs().max() < 1e-4 * max(1, scale)
    assert (fused.argmax(1) == plain.argmax(1)).float().mean() >= 0.999


def test_nothing_is_left_to_fold(lived_in):
    fused = fuse(lived_in)

    assert not [m for m in fused.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(isinstance(skip.scales, nn.Conv2d) for skip in fused.skips)


def test_the_original_stays_as_it_was(lived_in):
    before = {name: t.clone() for name, t in lived_in.state_dict().items()}

    fuse(lived_in)

    assert before.keys() == lived_in.state_dict().keys()
    assert all(torch.equal(t, before[name]) for name, t in lived_in.state_dict().items())
    assert all(p.requires_grad for p in lived_in.parameters())


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_engine_differs_from_the_network_by_rounding_alone(lived_in, precision):
    x = torch.randn(1, 3, 64, 96)
    engine = inference_engine(lived_in, torch.device("cpu"), precision)

    with torch.inference_mode():
        plain, found = lived_in(x), engine(x)

    tolerance = 1e-4 if precision == torch.float32 else 0.05
    assert found.dtype == torch.float32
    assert (found - plain).abs().max() < tolerance * max(1, plain.abs().max())


def lively(model):
    """Give every BatchNorm statistics of its own."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, std=0.1)
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return model.eval()


@pytest.mark.parametrize(
    ("name", "arguments"), [("mobilenetv2-unet", {}), ("hi-net", {"depth": 50})]
)
def test_every_network_can_be_fused(name, arguments):
    torch.manual_seed(1)
    model = lively(create_model(name, classes=3, **arguments))
    x = torch.randn(1, 3, 70, 64)

    with torch.inference_mode():
        plain, fused = model(x), fuse(model)(x)
        engine = inference_engine(model, torch.device("cpu"), torch.float32)(x)
        rough = inference_engine(model, torch.device("cpu"), torch.bfloat16)(x)

    assert not [m for m in fuse(model).modules() if isinstance(m, nn.BatchNorm2d)]
    scale = plain.abs().max()
    assert (fused - plain).abs().max() < 1e-4 * max(1, scale)
    assert (engine - plain).abs().max() < 1e-4 * max(1, scale)
    assert rough.dtype == torch.float32
    assert (rough - plain).abs().mean() < 0.05 * max(1, scale)
