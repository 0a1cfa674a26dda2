import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from segcore.models import onednn
from segcore.models.lightmuseg import FRFM, SpatialAttention
from segcore.models.mobilenetv2 import InvertedResidual
from segcore.models.onednn import MatrixFRFM, PackedConvolution, WideSpatialAttention, pack

pytestmark = pytest.mark.skipif(
    not onednn.is_available(), reason="this torch has no oneDNN operators"
)


def last(x):
    return x.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("kernel", "stride", "groups"), [(1, 1, 1), (3, 1, 8), (3, 2, 8), (5, 1, 1), (7, 2, 1)]
)
@pytest.mark.parametrize("activation", [None, nn.ReLU(), nn.ReLU6()])
def test_a_packed_convolution_is_the_convolution_and_its_activation(
    kernel, stride, groups, activation
):
    torch.manual_seed(kernel)
    conv = nn.Conv2d(8, 16, kernel, stride, kernel // 2, groups=groups)
    x = last(torch.randn(2, 8, 11, 14) * 5)

    with torch.inference_mode():
        expected = conv(x) if activation is None else activation(conv(x))
        found = PackedConvolution(conv, torch.float32, activation)(x)

    assert torch.allclose(found, expected, atol=1e-4)


def test_a_bias_is_not_rounded_with_its_kernel():
    conv = nn.Conv2d(1, 1, 1)
    nn.init.ones_(conv.weight)
    nn.init.constant_(conv.bias, 0.3003)  # bfloat16 knows 0.30078125 and 0.298828125 there
    x = torch.full((1, 1, 4, 4), -0.30078125).bfloat16()

    with torch.inference_mode():
        found = PackedConvolution(conv, torch.bfloat16)(x)

    assert found[0, 0, 0, 0].item() == pytest.approx(0.3003 - 0.30078125, rel=0.01)


def test_wide_spatial_attention_is_spatial_attention():
    torch.manual_seed(1)
    block = SpatialAttention()
    x = last(torch.randn(2, 12, 9, 7))

    with torch.inference_mode():
        assert torch.allclose(WideSpatialAttention(block, 12)(x), block(x), atol=1e-5)


def test_frfm_by_matrices_is_frfm():
    torch.manual_seed(2)
    block = FRFM(8)
    a, b = last(torch.randn(2, 8, 5, 6)), last(torch.randn(2, 8, 5, 6))

    with torch.inference_mode():
        assert torch.allclose(MatrixFRFM(block)(a, b), block(a, b), atol=1e-5)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_packed_residual_adds_its_input(precision):
    torch.manual_seed(3)
    chain = nn.Sequential(InvertedResidual(8, 8, stride=1, expansion=6)).eval()
    for module in chain.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0  # mean 0, variance 1: nothing is left to fold
    x = last(torch.randn(2, 8, 10, 12))
    with torch.inference_mode():
        expected = chain(x)

        folded = nn.Sequential(chain[0])
        for sequence in [m for m in folded.modules() if isinstance(m, nn.Sequential)]:
            for i, layer in enumerate(sequence):
                if isinstance(layer, nn.BatchNorm2d):
                    sequence[i] = nn.Identity()
        pack(folded, precision)
        found = folded(x.to(precision))

    assert type(folded[0]).__name__ == "PackedResidual"
    tolerance = 1e-5 if precision == torch.float32 else 0.05
    assert F.l1_loss(found.float(), expected) < tolerance
