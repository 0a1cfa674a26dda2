import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from segcore.models import count_parameters, create_model
from segcore.models.lightmuseg import (
    FRFM,
    MSFFM,
    ChannelAttention,
    MultiScaleConvolution,
    SpatialAttention,
    UpBlock,
    pad_to_stride,
    side_output,
    upsample,
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def array(parameter):
    return parameter.detach().double().numpy()


@pytest.mark.parametrize(
    ("name", "all_parameters", "trainable"),
    [
        ("lightmuseg-v1", 6.64, 4.83),
        ("lightmuseg-v2", 6.64, 6.64),
        ("lightmuseg-v3", 6.66, 6.66),
    ],
)
def test_a_binary_network_has_the_papers_parameters_in_millions(name, all_parameters, trainable):
    model = create_model(name, classes=1)

    assert round(count_parameters(model) / 1e6, 2) == all_parameters
    assert round(count_parameters(model, trainable=True) / 1e6, 2) == trainable


def test_multi_scale_convolution_of_an_impulse_is_the_sum_of_its_kernels():
    block = MultiScaleConvolution(1)
    with torch.no_grad():
        for conv, value in ((block.conv1, 2.0), (block.conv3, 3.0), (block.conv5, 5.0)):
            conv.weight.fill_(value)
            conv.bias.fill_(1.0)
        block.mix.weight.copy_(torch.tensor([1.0, 10.0, 100.0]).view(1, 3, 1, 1))
        block.mix.bias.fill_(0.5)
    impulse = torch.zeros(1, 1, 7, 7)
    impulse[0, 0, 3, 3] = 1

    result = block(impulse)[0, 0].detach()

    # biases alone: 1 + 10 + 100 + 0.5; inside 5x5 also 100 * 5; inside 3x3 also 10 * 3; centre also 2.
    assert result[0, 0] == 111.5
    assert result[1, 1] == 111.5 + 500
    assert result[2, 2] == 111.5 + 500 + 30
    assert result[3, 3] == 111.5 + 500 + 30 + 2


def test_merged_kernel_equals_the_parallel_ones_up_to_the_border():
    torch.manual_seed(1)
    block = MultiScaleConvolution(6)
    x = torch.randn(2, 6, 9, 8)

    assert torch.allclose(block.merged()(x), block(x), atol=1e-5)


def test_channel_attention_is_the_papers_formula():
    torch.manual_seed(2)
    block = ChannelAttention(8)
    x = torch.randn(1, 8, 3, 4)

    pooled = array(x)[0].mean((1, 2))
    hidden = np.maximum(
        array(block.squeeze.weight)[:, :, 0, 0] @ pooled + array(block.squeeze.bias), 0
    )
    weight = sigmoid(array(block.excite.weight)[:, :, 0, 0] @ hidden + array(block.excite.bias))

    assert block.squeeze.out_channels == 2  # reduction 4
    np.testing.assert_allclose(array(block(x))[0], array(x)[0] * weight[:, None, None], atol=1e-6)


def test_spatial_attention_weighs_by_mean_and_maximum_over_channels():
    torch.manual_seed(3)
    block = SpatialAttention()
    x = torch.randn(1, 5, 9, 10)

    image, kernel = array(x)[0], array(block.conv.weight)[0]
    seen = [image.mean(0), image.max(0)]
    response = sum(correlate2d(s, k, mode="same") for s, k in zip(seen, kernel, strict=True))
    weight = sigmoid(response + array(block.conv.bias))

    np.testing.assert_allclose(array(block(x))[0], image * weight, atol=1e-6)


def test_msffm_chains_scales_channel_spatial_and_projection():
    torch.manual_seed(4)
    block = MSFFM(8)
    with torch.no_grad():  # sigmoid(0) = 1/2 twice, and a projection that doubles
        for conv in (block.channel.excite, block.spatial.conv):
            conv.weight.zero_()
            conv.bias.zero_()
        block.project.weight.copy_(2 * torch.eye(8).view(8, 8, 1, 1))
        block.project.bias.fill_(3)
    x = torch.randn(1, 8, 6, 6)

    assert torch.allclose(block(x), 2 * block.scales(x) / 4 + 3, atol=1e-6)


def test_frfm_is_the_papers_formula():
    torch.manual_seed(5)
    block = FRFM(8)
    a, b = torch.randn(2, 1, 8, 4, 3)

    pooled = (array(a) + array(b))[0].mean((1, 2))
    weight = sigmoid(array(block.up.weight) @ np.maximum(array(block.down.weight) @ pooled, 0))
    both = np.concatenate([array(a)[0], array(b)[0]]) * np.tile(weight, 2)[:, None, None]
    expected = np.einsum("oi,ihw->ohw", array(block.fuse.weight)[:, :, 0, 0], both)

    np.testing.assert_allclose(array(block(a, b))[0], expected, atol=1e-6)


def test_upsampling_is_bilinear_between_pixel_centres():
    row = upsample(torch.tensor([[[[0.0, 4.0]]]]), 2)

    assert row[0, 0].tolist() == [[0, 1, 3, 4]] * 2


def test_an_up_block_doubles_the_side_and_takes_the_skips_channels():
    block = UpBlock(32, 24).eval()

    assert block(torch.zeros(1, 32, 4, 5), torch.zeros(1, 24, 8, 10)).shape == (1, 24, 8, 10)


def test_a_side_output_goes_through_a_quarter_of_the_channels_with_dropout():
    side = side_output(96, 5)

    assert (side[0].out_channels, side[3].p, side[4].out_channels) == (24, 0.1, 5)


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 70), st.integers(1, 70))
def test_any_height_and_width_come_back(height, width):
    model = NETWORK

    with torch.inference_mode():
        assert model(torch.zeros(1, 3, height, width)).shape == (1, 3, height, width)


NETWORK = create_model("lightmuseg-v2", classes=3).eval()


def test_padding_repeats_the_last_row_and_column():
    image = torch.arange(6.0).view(1, 1, 2, 3)

    padded = pad_to_stride(image)

    assert padded.shape == (1, 1, 32, 32)
    assert padded[0, 0, 31, 31] == 5
    assert padded[0, 0, 0, 2:].unique().tolist() == [2]


def test_v1_keeps_its_encoder_as_it_is_while_it_trains():
    model = create_model("lightmuseg-v1", classes=2).train()
    before = {name: t.clone() for name, t in model.encoder.state_dict().items()}

    model(torch.randn(2, 3, 64, 64)).sum().backward()

    assert all(torch.equal(t, before[name]) for name, t in model.encoder.state_dict().items())
    assert all(p.grad is None for p in model.encoder.parameters())


def test_v3_has_side_outputs_in_training_alone():
    model = create_model("lightmuseg-v3", classes=4)
    x = torch.randn(2, 3, 40, 33)

    assert [o.shape for o in model.train().outputs(x)] == [(2, 4, 40, 33)] * 4
    assert len(model.eval().outputs(x)) == 1
