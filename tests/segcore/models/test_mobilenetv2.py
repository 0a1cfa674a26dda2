import pytest
import torch
from safetensors.torch import load_file

from segcore.errors import ModelError
from segcore.models.mobilenetv2 import InvertedResidual, MobileNetV2, rebase_batch_norm


def test_five_maps_have_the_papers_channels_and_strides():
    maps = MobileNetV2().eval()(torch.zeros(1, 3, 64, 96))

    assert [tuple(m.shape[1:]) for m in maps] == [
        (16, 32, 48), (24, 16, 24), (32, 8, 12), (96, 4, 6), (320, 2, 3),
    ]  # fmt: skip


def test_parameters_are_torchvisions_without_the_last_layer_and_the_head():
    # torchvision's mobilenet_v2 has 3,504,872: less the classifier, less features.18 and its BatchNorm.
    expected = 3_504_872 - (1280 * 1000 + 1000) - (320 * 1280 + 2 * 1280)

    assert sum(p.numel() for p in MobileNetV2().parameters()) == expected


def test_converted_imagenet_weights_load_strictly(shared_data):
    state = load_file(shared_data / "weights" / "mobilenet_v2_imagenet.safetensors")
    encoder = MobileNetV2()

    encoder.load_torchvision(state)

    assert torch.equal(encoder.features[0][0].weight, state["features.0.0.weight"].float())
    last = encoder.features[17].conv[2].weight
    assert torch.equal(last, state["features.17.conv.2.weight"].float())


def test_foreign_weights_are_refused_in_a_sentence():
    with pytest.raises(ModelError, match="mobilenet_v2"):
        MobileNetV2().load_torchvision({"conv1.weight": torch.zeros(64, 3, 7, 7)})


def test_an_inverted_residual_adds_its_input_only_where_shapes_agree():
    same = InvertedResidual(8, 8, stride=1, expansion=6).eval()
    other = InvertedResidual(8, 16, stride=1, expansion=6).eval()
    x = torch.randn(1, 8, 5, 5)
    for block in (same, other):
        torch.nn.init.zeros_(block.conv[2].weight)  # the linear projection

    assert torch.equal(same(x), x)
    assert torch.equal(other(x), torch.zeros(1, 16, 5, 5))


def test_rebasing_statistics_keeps_the_eval_function_and_moves_the_training_one():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.nn.init.uniform_(net[1].weight, 0.5, 2)
    torch.nn.init.normal_(net[1].bias)
    x = 5 + 3 * torch.randn(8, 3, 16, 16)
    before = net.eval()(x)

    rebase_batch_norm(net, [x[:4], x[4:]])

    assert torch.allclose(net.eval()(x), before, atol=1e-4)
    assert torch.allclose(net.train()(x), before, atol=1e-2)  # batch statistics are now these
