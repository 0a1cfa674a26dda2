import numpy as np
import pytest
import torch

from segcore.errors import ModelError
from segcore.models.resnet import Bottleneck, ResNet


@pytest.mark.parametrize(("depth", "parameters"), [(50, 23_508_032), (101, 42_500_160)])
def test_parameters_are_torchvisions_without_the_classifier(depth, parameters):
    assert sum(p.numel() for p in ResNet(depth).parameters()) == parameters


def test_four_maps_have_the_papers_channels_and_strides():
    maps = ResNet(50).eval()(torch.zeros(1, 3, 64, 96))

    assert [tuple(m.shape[1:]) for m in maps] == [
        (256, 16, 24), (512, 8, 12), (1024, 4, 6), (2048, 2, 3),
    ]  # fmt: skip


def test_names_are_torchvisions():
    names = set(ResNet(101).state_dict())

    assert {
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.conv1.weight",
        "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.bias",
        "layer3.22.bn3.num_batches_tracked",
        "layer4.2.conv2.weight",
    } <= names
    assert not [n for n in names if n.startswith(("fc", "layer3.23", "layer1.1.downsample"))]
    assert len(names) == 624  # torchvision's resnet101 has 626 with fc.weight and fc.bias


def test_torchvisions_weights_load_without_their_classifier():
    other = ResNet(50)
    state = other.state_dict() | {
        "fc.weight": torch.zeros(1000, 2048),
        "fc.bias": torch.zeros(1000),
    }
    encoder = ResNet(50)

    encoder.load_torchvision(state)

    assert torch.equal(encoder.layer4[2].conv3.weight, other.layer4[2].conv3.weight)


def test_foreign_weights_and_depths_are_refused_in_a_sentence():
    with pytest.raises(ModelError, match="ResNet of this depth"):
        ResNet(50).load_torchvision({"conv1.weight": torch.zeros(1)})
    with pytest.raises(ModelError, match="ResNet-34"):
        ResNet(34)


def test_a_bottleneck_is_three_convolutions_plus_its_input():
    torch.manual_seed(0)
    block = Bottleneck(8, 2, stride=1).eval()
    for bn in (block.bn1, block.bn2, block.bn3):
        torch.nn.init.uniform_(bn.running_mean, -0.1, 0.1)
        torch.nn.init.uniform_(bn.running_var, 0.5, 2)
    x = torch.randn(1, 8, 1, 1)  # one pixel: of the 3x3 only the centre counts

    def norm(y, bn):
        mean, var = bn.running_mean.numpy(), bn.running_var.numpy()
        return (y - mean) / np.sqrt(var + 1e-5)

    def weight(conv):
        kernel = conv.weight.detach().numpy()
        return kernel[:, :, kernel.shape[2] // 2, kernel.shape[3] // 2]

    column = x[0, :, 0, 0].numpy()
    y = np.maximum(norm(weight(block.conv1) @ column, block.bn1), 0)
    y = np.maximum(norm(weight(block.conv2) @ y, block.bn2), 0)
    expected = np.maximum(norm(weight(block.conv3) @ y, block.bn3) + column, 0)

    assert block.downsample is None
    np.testing.assert_allclose(block(x)[0, :, 0, 0].detach(), expected, atol=1e-6)


def test_the_stride_lies_in_the_3x3_convolution():
    block = Bottleneck(8, 4, stride=2)

    assert [conv.stride for conv in (block.conv1, block.conv2, block.conv3)] == [
        (1, 1), (2, 2), (1, 1),
    ]  # fmt: skip
    assert block.downsample[0].stride == (2, 2)
