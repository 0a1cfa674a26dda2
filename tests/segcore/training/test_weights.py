import pytest
import torch
from safetensors.torch import save_file

from segcore.errors import DataError, ModelError
from segcore.models import create_model, save_bundle
from segcore.models.mobilenetv2 import MobileNetV2
from segcore.models.normalisation import IMAGENET, normalise
from segcore.training import read_start, train
from segcore.training.run import Run
from segcore.training.weights import CHECKPOINT, averaged_weights, read_weights
from tests.segcore.cards import card
from tests.segcore.training.builders import recipe, sample


@pytest.mark.usefixtures("tiny_network")
def test_a_run_can_start_from_anothers_checkpoint_or_folder(tmp_path):
    train(recipe(steps=2), [sample("one")], tmp_path)
    before = averaged_weights(tmp_path / CHECKPOINT)

    for place in (tmp_path / CHECKPOINT, tmp_path):
        run = Run(recipe(), [sample("one")])
        run.start(weights=read_start(place).weights)
        assert all(torch.equal(before[n], t) for n, t in run.model.state_dict().items())
        assert all(torch.equal(before[n], t) for n, t in run.averaged.module.state_dict().items())


def test_a_run_can_start_from_a_bundle_and_says_its_licence(tmp_path):
    classes = ("Tumor", "Stroma")
    model = create_model("lightmuseg-v2", classes=2)
    save_bundle(
        tmp_path / "b", model, card(classes=classes, licence="CC0", name="first"), half=False
    )

    start = read_start(tmp_path / "b")

    run = Run(recipe(), [sample("one")])
    run.start(weights=start.weights)
    assert torch.equal(run.model.state_dict()["head.weight"], model.head.weight)
    assert start.origin == "the bundle 'first' (licence: CC0)"


def test_weights_of_another_network_are_refused():
    run = Run(recipe(), [sample("one")])
    with pytest.raises(DataError, match="network of the same kind"):
        run.start(weights={"head.weight": torch.zeros(3)})


def test_what_is_no_start_is_told_in_a_sentence(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    (tmp_path / "x.pt").write_bytes(b"nothing")
    for name in ("x.safetensors", "x.pt"):
        with pytest.raises(DataError, match="cannot be read"):
            read_start(tmp_path / name)
    with pytest.raises(ModelError, match="no bundle"):
        read_start("nowhere")


@pytest.mark.parametrize("architecture", ["lightmuseg-v1", "lightmuseg-v3", "mobilenetv2-unet"])
def test_every_mobilenet_starts_from_imagenet_with_the_statistics_of_our_crops(
    architecture, tmp_path
):
    torch.manual_seed(3)
    imagenet = MobileNetV2(last_layer=True).state_dict() | {"classifier.1.weight": torch.zeros(1)}
    save_file(imagenet, tmp_path / "imagenet.safetensors")
    run = Run(recipe(architecture=architecture, crop=32), [sample("one")])

    run.start(read_weights(tmp_path / "imagenet.safetensors"))

    own = run.model.encoder
    first = own.state_dict()
    assert torch.equal(first["features.0.0.weight"], imagenet["features.0.0.weight"])
    assert not torch.equal(first["features.0.1.running_mean"], torch.zeros(32))
    # The encoder computes what it did before, with other statistics and weights.
    before = MobileNetV2(last_layer=own.last_layer)
    before.load_torchvision(imagenet)
    x = normalise(run.draw(5)[0], IMAGENET)
    with torch.no_grad():
        pairs = zip(own.eval()(x), before.eval()(x), strict=True)
        assert all(torch.allclose(a, b, atol=1e-3, rtol=1e-3) for a, b in pairs)


@pytest.mark.slow
def test_hinet_starts_from_imagenets_resnet():
    plan = recipe(
        architecture="hi-net", arguments={"depth": 50}, crop=32, classes=("Tumor", "Stroma")
    )
    run = Run(plan, [sample("one")])
    imagenet = {n: t.clone() + 0.01 for n, t in run.model.encoder.state_dict().items()}

    run.start(imagenet | {"fc.weight": torch.zeros(1)})

    found = run.model.encoder.state_dict()["conv1.weight"]
    assert torch.equal(found, imagenet["conv1.weight"])


def test_an_encoder_of_another_network_is_refused():
    run = Run(recipe(), [sample("one")])
    with pytest.raises(ModelError, match="mobilenet_v2"):
        run.start({"conv1.weight": torch.zeros(1)})
