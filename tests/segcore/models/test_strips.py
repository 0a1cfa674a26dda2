import pytest
import torch

from segcore.models import strips
from segcore.models.mobilenetv2 import MobileNetV2
from segcore.models.strips import StripwiseEncoder


@pytest.mark.parametrize("height", [32, 64, 96, 160])
@pytest.mark.parametrize("strip", [32, 64, 256])
def test_strips_give_the_maps_of_the_whole(monkeypatch, height, strip):
    monkeypatch.setattr(strips, "STRIP", strip)
    torch.manual_seed(0)
    encoder = MobileNetV2().eval()
    image = torch.randn(1, 3, height, 64)

    with torch.inference_mode():
        whole, parts = encoder(image), StripwiseEncoder(encoder)(image)

    assert [m.shape for m in parts] == [m.shape for m in whole]
    for found, expected in zip(parts, whole, strict=True):
        assert torch.allclose(found, expected, atol=1e-5)
