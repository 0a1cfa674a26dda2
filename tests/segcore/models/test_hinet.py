import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from segcore.models import create_model
from segcore.models.hinet import (
    TDA,
    ChannelAttention,
    Shortcut,
    SpatialAttention,
    conv_gn_relu,
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return create_model("hi-net", classes=2, depth=50).eval()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def array(parameter):
    return parameter.detach().double().numpy()


def still(block):
    """Make both attentions answer 1/2 everywhere."""
    with torch.no_grad():
        block.channel.up.weight.zero_()
        block.channel.up.bias.zero_()
        block.spatial.conv.weight.zero_()
    return block


def test_the_default_encoder_is_resnet_101():
    encoder = create_model("hi-net", classes=1).encoder

    assert sum(p.numel() for p in encoder.parameters()) == 42_500_160


def test_the_rest_has_the_parameters_one_counts_by_hand(network):
    laterals = (256 + 512 + 1024 + 2048) * 192 + 4 * 192
    transition = 9 * 192 * 192 + 2 * 192  # kernel without bias, GroupNorm
    attention = 192 * 12 + 12 + 12 * 192 + 192 + 2 * 49
    heads = 192 * 2 + 2 + 2048 + 1
    total = 23_508_032 + laterals + 3 * (transition + attention) + 4 * transition + heads

    assert sum(p.numel() for p in network.parameters()) == total


def test_group_norm_levels_six_groups_of_an_image():
    torch.manual_seed(1)
    block = conv_gn_relu(12, 12)
    x = torch.randn(2, 12, 5, 4)
    y = array(block[0](x)).reshape(2, 6, -1)  # eq. 5: channels k with the same floor(k / (C / G))

    expected = (y - y.mean(2, keepdims=True)) / np.sqrt(y.var(2, keepdims=True) + 1e-5)

    np.testing.assert_allclose(
        array(block(x)), np.maximum(expected.reshape(2, 12, 5, 4), 0), atol=1e-5
    )


def test_channel_attention_adds_the_answers_to_mean_and_maximum():
    torch.manual_seed(2)
    block = ChannelAttention(32)
    x = torch.randn(1, 32, 3, 5)
    image = array(x)[0]

    def answer(pooled):
        hidden = np.maximum(array(block.down.weight) @ pooled + array(block.down.bias), 0)
        return array(block.up.weight) @ hidden + array(block.up.bias)

    weight = sigmoid(answer(image.mean((1, 2))) + answer(image.max((1, 2))))

    assert block.down.out_features == 2  # reduction 16
    np.testing.assert_allclose(array(block(x))[0], image * weight[:, None, None], atol=1e-6)


def test_spatial_attention_weighs_by_mean_and_maximum_over_channels():
    torch.manual_seed(3)
    block = SpatialAttention()
    x = torch.randn(1, 5, 9, 10)

    image, kernel = array(x)[0], array(block.conv.weight)[0]
    seen = [image.mean(0), image.max(0)]
    response = sum(correlate2d(s, k, mode="same") for s, k in zip(seen, kernel, strict=True))

    np.testing.assert_allclose(array(block(x))[0], image * sigmoid(response), atol=1e-6)


def test_tda_adds_the_attended_coarse_level_at_twice_its_size_to_the_lateral():
    torch.manual_seed(4)
    block = still(TDA(192))
    coarse, lateral = torch.randn(1, 192, 2, 3), torch.randn(1, 192, 4, 6)

    attended = array(block.transition(coarse)) / 4  # 1/2 of the channels, 1/2 of the places
    expected = array(lateral) + attended.repeat(2, axis=2).repeat(2, axis=3)

    np.testing.assert_allclose(array(block(coarse, lateral)), expected, atol=1e-5)


def test_a_shortcut_is_one_convolution_and_one_bilinear_step():
    torch.manual_seed(5)
    near, far = Shortcut(192, factor=1), Shortcut(192, factor=2)
    far.load_state_dict(near.state_dict())
    x = torch.randn(1, 192, 1, 2)

    left, right = array(near(x))[0, :, 0].T

    between = [left, 0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right, right]
    np.testing.assert_allclose(array(far(x))[0].transpose(1, 2, 0), [between] * 2, atol=1e-5)


def test_levels_are_summed_before_the_classifier(network):
    with torch.inference_mode():
        x = torch.randn(1, 3, 64, 64)
        levels = network.pyramid(network.features(x))
        sizes = [tuple(level.shape[1:]) for level in levels]
        lifted = [
            shortcut(level) for shortcut, level in zip(network.shortcuts, levels, strict=True)
        ]
        logits = network.classifier(torch.stack(lifted).sum(0))

    assert sizes == [(192, 16, 16), (192, 8, 8), (192, 4, 4), (192, 2, 2)]
    assert {tuple(each.shape) for each in lifted} == {(1, 192, 16, 16)}
    enlarged = torch.nn.functional.interpolate(logits, (64, 64), mode="bilinear")
    with torch.inference_mode():
        torch.testing.assert_close(network(x), enlarged, atol=1e-5, rtol=1e-4)


def test_presence_is_a_linear_answer_to_the_mean_of_c5(network):
    x = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        mask, present = network.outputs(x)
        pooled = array(network.encoder(x)[-1]).mean((2, 3))

    expected = pooled @ array(network.presence.weight)[0] + array(network.presence.bias)[0]
    assert mask.shape == (2, 2, 64, 32)
    np.testing.assert_allclose(array(present), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (33, 64), (50, 95)])
def test_any_height_and_width_come_back(network, size):
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, *size)).shape == (1, 2, *size)
