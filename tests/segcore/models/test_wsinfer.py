import io
import json

import numpy as np
import pytest
import torch

from segcore.errors import ModelError
from segcore.models import load_bundle
from segcore.models.foreign_models import import_package
from segcore.models.package_answers import Answers
from segcore.models.wsinfer import load_classifier

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

# As the zoo has it for breast-tumor-resnet34.tcga-brca, but for the sizes.
CONFIG = {
    "spec_version": "1.0",
    "architecture": "resnet34",
    "num_classes": 2,
    "patch_size_pixels": 40,
    "spacing_um_px": 0.25,
    "class_names": ["Other", "Tumor"],
    "transform": [
        {"name": "Resize", "arguments": {"size": 20}},
        {"name": "ToTensor"},
        {"name": "Normalize", "arguments": {"mean": [0.5, 0.25, 0.25], "std": [0.5, 0.5, 0.5]}},
    ],
}


class MeanOfRed(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        assert image.size(2) == 20
        red = image[:, 0].mean([1, 2])
        return torch.stack([torch.zeros_like(red), red], 1)


@pytest.fixture(scope="module")
def weights():
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(MeanOfRed()), stream)
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path, weights):
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "torchscript_model.pt").write_bytes(weights)
    (tmp_path / "zoo" / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path / "zoo"


def refused(action, match):
    with pytest.raises(ModelError, match=match) as caught:
        action()
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_of_the_zoo_classifies_tiles(folder):
    classifier = load_classifier(folder, "cpu", trust=True)
    tiles = np.zeros((10, 40, 40, 3), np.uint8)
    tiles[:5, :, :, 0] = 255  # red / 255 = 1, less 0.5, by 0.5: 1; the others: -1

    found = classifier.classify(tiles)

    assert (classifier.classes, classifier.mpp, classifier.tile) == (("Other", "Tumor"), 0.25, 40)
    assert found.dtype == np.float32
    likely = np.e / (1 + np.e)
    np.testing.assert_allclose(found[:5], [[1 - likely, likely]] * 5, atol=1e-5)
    np.testing.assert_allclose(found[5:], [[likely, 1 - likely]] * 5, atol=1e-5)
    assert classifier.classify(tiles[:0]).shape == (0, 2)
    refused(lambda: classifier.classify(tiles[0]), "uint8")


def test_as_a_segmenter_it_gives_each_pixel_its_patchs_class(folder):
    refused(lambda: load_bundle(folder, "cpu"), "TorchScript, which is a program")
    bundle = load_bundle(folder, "cpu", trust=True)
    tiles = np.zeros((2, 40, 40, 3), np.uint8)
    tiles[0, :, :, 0] = 255

    found = bundle.predict(tiles)

    assert (bundle.classes, bundle.codes) == (("Other", "Tumor"), (5, 1))
    assert (bundle.mpp, bundle.tile, bundle.halo) == (0.25, 40, 0)
    assert "coarse" in bundle.card.limits
    assert found.shape == (2, 2, 40, 40)
    assert np.ptp(found, axis=(2, 3)).max() == 0
    np.testing.assert_allclose(found[:, 1, 0, 0], [np.e / (1 + np.e), 1 / (1 + np.e)], atol=1e-5)


def test_weights_of_any_name_are_taken_and_imported(folder, own_home):
    (folder / "torchscript_model.pt").rename(folder / "tils.pt")

    import_package(folder, own_home / "models" / "tils", Answers(trusted=True))

    assert {each.name for each in (own_home / "models" / "tils").iterdir()} == {"config.json", "tils.pt"}  # fmt: skip
    assert load_bundle("tils", "cpu").classes == ("Other", "Tumor")


def test_it_is_not_run_before_it_is_trusted(folder, monkeypatch):
    def started(*_args, **_kwargs):
        raise AssertionError("a child was started")

    monkeypatch.setattr("segcore.models.foreign_network.subprocess.Popen", started)
    refused(lambda: load_classifier(folder, "cpu"), "TorchScript, which is a program")


def test_a_pointer_in_place_of_the_weights_is_told(folder):
    (folder / "torchscript_model.pt").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    refused(lambda: load_classifier(folder, "cpu", trust=True), "git lfs pull")


@pytest.mark.parametrize(
    "change",
    [
        {"spec_version": "2.0"},
        {"num_classes": 3},
        {"num_classes": 0},
        {"class_names": ["Tumor", "Tumor"]},
        {"patch_size_pixels": -1},
        {"patch_size_pixels": 10**9},
        {"spacing_um_px": 0},
        {"spacing_um_px": "0.25"},
        {"transform": [{"name": "exec", "arguments": {}}]},
        {"transform": [{"name": "Normalize", "arguments": {"mean": [1, 2], "std": [1, 1]}}]},
        {"transform": [{"name": "Normalize", "arguments": {"std": [0, 1, 1]}}]},
        {"transform": [{"name": "Resize", "arguments": {"size": 10**9}}]},
        {"transform": [{"name": "Resize", "arguments": {"size": []}}]},
        {"transform": [{"name": "Resize", "arguments": {"size": "big"}}]},
        {"architecture": None},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(folder, change):
    (folder / "config.json").write_text(json.dumps(CONFIG | change))
    refused(lambda: load_classifier(folder, "cpu"), "WSInfer|names other classes")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 50_000, b"\xff", b" " * (1 << 20)])
def test_a_configuration_that_is_none_is_refused(folder, content):
    (folder / "config.json").write_bytes(content)
    refused(lambda: load_classifier(folder, "cpu"), "WSInfer|larger")


@pytest.mark.parametrize("missing", list(CONFIG))
def test_every_field_is_required(folder, missing):
    (folder / "config.json").write_text(
        json.dumps({k: v for k, v in CONFIG.items() if k != missing})
    )
    refused(lambda: load_classifier(folder, "cpu"), missing)


def test_a_folder_without_weights_is_refused(folder):
    (folder / "torchscript_model.pt").unlink()
    refused(lambda: load_classifier(folder, "cpu", trust=True), "torchscript_model.pt")
