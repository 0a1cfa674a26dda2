"""Packages for other programs. bioimageio.spec 0.5.14.3 found one "valid-format", and bioimageio.core 0.11.0

ran its TorchScript and its ONNX, at three sizes and two batch sizes, to the stored test output (both in an
environment apart). Here stands what they asked for.
"""

import hashlib
import io
import json
import re
import zipfile

import msgspec
import numpy as np
import pytest
import yaml
from PIL import Image

from segcore.cli import main
from segcore.errors import ModelError
from segcore.models import Metric, create_model, load_bundle, save_bundle
from segcore.models.bioimage_writing import write_package
from segcore.slides.preprocessing import Clahe
from tests.segcore.cards import CLASSES, card


@pytest.fixture(scope="module")
def bundle(saved):
    return load_bundle(saved, device="cpu")


@pytest.fixture(scope="module")
def package(bundle, tmp_path_factory):
    out = tmp_path_factory.mktemp("packages") / "p.zip"
    write_package(bundle, out)
    with zipfile.ZipFile(out) as content:
        return {name: content.read(name) for name in content.namelist()}


@pytest.fixture(scope="module")
def rdf(package):
    return yaml.safe_load(package["rdf.yaml"])


def test_it_has_what_the_format_requires(rdf):
    assert {"format_version", "type", "name", "inputs", "outputs", "weights"} <= set(rdf)
    assert rdf["type"] == "model"
    assert re.fullmatch(r"0\.5\.\d+", rdf["format_version"])
    assert re.fullmatch(r"[A-Za-z0-9_+()\- ]{5,128}", rdf["name"])


def test_every_file_it_names_is_there_with_its_hash(rdf, package):
    def files(node):
        if isinstance(node, dict):
            if "source" in node:
                yield node["source"], node["sha256"]
            for value in node.values():
                yield from files(value)
        elif isinstance(node, list):
            for value in node:
                yield from files(value)

    named = dict(files(rdf))

    assert set(named) == set(package) - {"rdf.yaml"}
    for name, digest in named.items():
        assert hashlib.sha256(package[name]).hexdigest() == digest


def test_axes_carry_channels_pixel_size_tiling_and_halo(rdf):
    (given,), (made,) = rdf["inputs"], rdf["outputs"]
    step = {"min": 64, "step": 32}
    micrometres = {"unit": "micrometer", "scale": 0.5}

    assert given["axes"] == [
        {"type": "batch"},
        {"type": "channel", "channel_names": ["red", "green", "blue"]},
        {"type": "space", "id": "y", **micrometres, "size": step},
        {"type": "space", "id": "x", **micrometres, "size": step},
    ]
    assert made["axes"][1] == {"type": "channel", "channel_names": list(CLASSES)}
    assert made["axes"][2] == {
        "type": "space", "id": "y", **micrometres, "size": {"tensor_id": "input", "axis_id": "y"}, "halo": 8,
    }  # fmt: skip
    assert all(name.isidentifier() for name in made["axes"][1]["channel_names"])


def test_the_normalisation_is_that_of_pixels_from_0_to_255(rdf):
    (step,) = rdf["inputs"][0]["preprocessing"]

    assert step["id"] == "fixed_zero_mean_unit_variance"
    assert step["kwargs"]["axis"] == "channel"
    assert step["kwargs"]["mean"] == pytest.approx(
        [123.675, 116.28, 103.53]
    )  # ImageNet's, as published
    assert step["kwargs"]["std"] == pytest.approx([58.395, 57.12, 57.375])
    assert rdf["inputs"][0]["data"]["type"] == "float32"  # readers cast back to it afterwards


def test_the_test_tensors_are_what_the_bundle_gives(package, bundle):
    given = np.load(io.BytesIO(package["test_input.npy"]))
    made = np.load(io.BytesIO(package["test_output.npy"]))

    assert given.shape == (1, 3, 64, 64)
    assert made.shape == (1, 5, 64, 64)
    assert given.dtype == made.dtype == np.float32
    tile = given.astype(np.uint8).transpose(0, 2, 3, 1)
    assert np.array_equal(given.astype(np.uint8), given)
    np.testing.assert_allclose(
        bundle.predict(tile), made, atol=0.02
    )  # the bundle may run in bfloat16
    assert np.ptp(given) > 50


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_the_torchscript_repeats_them_at_any_size(package, bundle):
    import torch

    network = torch.jit.load(io.BytesIO(package["weights.pt"]))
    image = torch.randn(2, 3, 96, 160)
    with torch.no_grad():
        expected = bundle.model(image).softmax(1)
        assert torch.allclose(network(image), expected, atol=1e-4)


def test_it_says_what_was_measured_and_what_was_not(package, saved, tmp_path, model):
    assert "## Validation\n\nNothing has been measured" in package["README.md"].decode()

    metric = Metric("Dice", "Tumor", 0.8125, "held out", 12)
    save_bundle(tmp_path / "m", model, card(metrics=(metric,)))
    write_package(load_bundle(tmp_path / "m", "cpu"), tmp_path / "m.zip")
    with zipfile.ZipFile(tmp_path / "m.zip") as content:
        assert "| Dice | Tumor | 0.812 | held out | 12 |" in content.read("README.md").decode()


def test_our_own_keys_hold_the_card_and_the_colours(rdf, bundle):
    own = rdf["config"]["segcore"]

    assert own["card"] == json.loads(msgspec.json.encode(bundle.card))
    assert own["classes"][2] == {
        "name": "Lymphocyte", "code": 3, "colour": [240, 228, 66], "qupath": "Immune cells",
    }  # fmt: skip


def test_the_cover_is_two_squares_and_small(package):
    with Image.open(io.BytesIO(package["cover.png"])) as cover:
        assert cover.width == 2 * cover.height
    assert len(package["cover.png"]) < 500_000


def test_a_one_class_network_and_a_halo_of_0_are_written_too(tmp_path):
    only = card(classes=("Immune cells",), halo=0, title="É", licence="My own terms")
    save_bundle(tmp_path / "one", create_model("lightmuseg-v1", classes=1), only)
    write_package(load_bundle(tmp_path / "one", "cpu"), tmp_path / "one.zip")

    with zipfile.ZipFile(tmp_path / "one.zip") as content:
        rdf = yaml.safe_load(content.read("rdf.yaml"))
        made = np.load(io.BytesIO(content.read("test_output.npy")))
    assert rdf["outputs"][0]["axes"][1]["channel_names"] == ["Immune_cells"]
    assert "halo" not in rdf["outputs"][0]["axes"][2]
    assert len(rdf["name"]) >= 5
    assert "license" not in rdf
    assert made.shape == (1, 1, 64, 64)
    assert 0 < made.min() < made.max() < 1


def test_what_cannot_be_written_is_refused_and_leaves_no_file(bundle, saved, model, tmp_path):
    with pytest.raises(ModelError, match="zip"):
        write_package(bundle, tmp_path / "p.tar")
    save_bundle(tmp_path / "steps", model, card(preprocessing=(Clahe(),)))
    with pytest.raises(ModelError, match="steps"):
        write_package(load_bundle(tmp_path / "steps", "cpu"), tmp_path / "steps.zip")
    (tmp_path / "there.zip").write_bytes(b"mine")
    with pytest.raises(ModelError, match="already"):
        write_package(bundle, tmp_path / "there.zip")

    assert (tmp_path / "there.zip").read_bytes() == b"mine"
    assert {each.name for each in tmp_path.iterdir()} - {"home"} == {"steps", "there.zip"}


def test_the_command_says_what_it_wrote(saved, tmp_path, capsys):
    out = tmp_path / "p.zip"

    assert main(["models", "export", str(saved), str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["out"] == str(out)
    assert "torchscript" in document["weights"]
    assert main(["models", "export", "nowhere", str(tmp_path / "q.zip")]) == 1
    assert "There is no bundle 'nowhere'" in capsys.readouterr().err
