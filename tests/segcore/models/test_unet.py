import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from segcore.models import count_parameters, create_model
from segcore.models.mobilenetv2 import MobileNetV2
from segcore.models.unet import UNetBlock

NETWORK = create_model("mobilenetv2-unet", classes=3).eval()


def test_a_binary_network_has_the_papers_parameters():
    widths, deep, skips = (256, 128, 64, 32, 16), 1280, (96, 32, 24, 16, 0)
    decoder = 0
    for width, skip in zip(widths, skips, strict=True):
        decoder += 9 * (deep + skip) * width + 9 * width * width + 4 * width  # two kernels, two BNs
        deep = width
    encoder = 3_504_872 - (1280 * 1000 + 1000)  # torchvision's without its classifier
    found = count_parameters(create_model("mobilenetv2-unet", classes=1))

    assert found == encoder + decoder + (9 * 16 + 1) == 6_628_945


def test_the_decoder_doubles_by_nearest_and_puts_the_skip_behind():
    block = UNetBlock(1, 1, 2).eval()
    with torch.no_grad():
        for conv, bn in ((block.conv1[0], block.conv1[1]), (block.conv2[0], block.conv2[1])):
            conv.weight.zero_()
            bn.eps = 0.0
        block.conv1[0].weight[0, 0, 1, 1] = 1  # channel 0: the deep map
        block.conv1[0].weight[1, 1, 1, 1] = 10  # channel 1: ten times the skip
        block.conv2[0].weight[0, :, 1, 1] = 1  # their sum
    skip = torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]])

    found = block(torch.tensor([[[[5.0]]]]), skip)[0].detach()

    assert found[0].tolist() == [[15, 25], [35, 5]]  # 5 + 10 s, where 10 s is clipped at 0
    assert found[1].tolist() == [[0, 0], [0, 0]]


def test_dropout_takes_whole_channels_in_training_alone():
    torch.manual_seed(0)
    block = UNetBlock(4, 0, 400)
    torch.nn.init.constant_(block.conv2[1].bias, 5.0)
    x = torch.randn(1, 4, 4, 4)

    dropped = (block.train()(x, None)[0] == 0).flatten(1).all(1).float().mean()

    assert dropped == pytest.approx(0.3, abs=0.06)
    assert not (block.eval()(x, None)[0] == 0).flatten(1).all(1).any()


def test_the_encoder_ends_with_1280_channels_and_takes_imagenets_last_layer(shared_data):
    state = load_file(shared_data / "weights" / "mobilenet_v2_imagenet.safetensors")
    encoder = MobileNetV2(last_layer=True).eval()

    encoder.load_torchvision(state)
    maps = encoder(torch.zeros(1, 3, 64, 32))

    assert torch.equal(encoder.features[18][0].weight, state["features.18.0.weight"].float())
    assert [m.shape[1] for m in maps] == [16, 24, 32, 96, 1280]
    assert maps[-1].shape[2:] == (2, 1)


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 70), st.integers(1, 70))
def test_any_height_and_width_come_back(height, width):
    with torch.inference_mode():
        found = NETWORK(torch.zeros(1, 3, height, width))

    assert found.shape == (1, 3, height, width)
    assert np.isfinite(found.numpy()).all()
