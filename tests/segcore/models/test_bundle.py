import hashlib
import json
import shutil
import struct

import numpy as np
import pytest
import torch

from segcore.config import resources, user_data
from segcore.errors import ModelError
from segcore.models import create_model, list_bundles, load_bundle, save_bundle
from segcore.models.bundle_files import CARD, WEIGHTS
from segcore.models.bundle_format import card_schema, read_card
from tests.segcore.cards import CLASSES, card


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "bundle")


@pytest.fixture(scope="module")
def bundle(saved):
    return load_bundle(saved, device="cpu")


def rewrite(folder, **changes):
    file = folder / CARD
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def rehash(folder):
    rewrite(folder, sha256=hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest())


def refused(folder, match):
    with pytest.raises(ModelError, match=match) as caught:
        load_bundle(folder, device="cpu")
    assert "\n" not in str(caught.value).strip()


def test_a_bundle_comes_back_as_it_was_saved(bundle, model):
    assert bundle.classes == CLASSES
    assert bundle.codes == (1, 2, 3, 4, 5)
    assert (bundle.mpp, bundle.tile, bundle.halo) == (0.5, 64, 8)
    assert bundle.device == torch.device("cpu")
    for name, tensor in bundle.model.state_dict().items():
        assert torch.allclose(
            tensor.float(), model.state_dict()[name].float(), rtol=1e-3, atol=1e-6
        )


def test_prediction_agrees_with_the_plain_network(bundle):
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (2, 64, 80, 3), dtype=np.uint8)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = torch.tensor((tiles / 255 - mean) / std).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        expected = bundle.model(images).softmax(1).numpy()

    found = bundle.predict(tiles)

    assert found.shape == (2, 5, 64, 80)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(found, expected, atol=0.02)  # bfloat16 has 8 bits


def test_a_one_class_bundle_gives_the_probability_of_its_class(tmp_path):
    torch.manual_seed(1)
    save_bundle(
        tmp_path / "one", create_model("lightmuseg-v2", classes=1), card(classes=("Tumor",))
    )
    tiles = np.zeros((1, 32, 32, 3), np.uint8)

    found = load_bundle(tmp_path / "one", device="cpu").predict(tiles)

    assert found.shape == (1, 1, 32, 32)
    assert ((found > 0) & (found < 1)).all()


def test_no_tiles_give_no_probabilities(bundle):
    assert bundle.predict(np.zeros((0, 64, 64, 3), np.uint8)).shape == (0, 5, 64, 64)


def test_float_tiles_are_refused(bundle):
    with pytest.raises(ModelError, match="uint8"):
        bundle.predict(np.zeros((1, 64, 64, 3)))


def test_when_the_device_is_full_the_batch_is_halved(bundle, monkeypatch):
    bundle.most = 100
    sizes = []
    run = bundle._run

    def crowded(tiles):
        sizes.append(len(tiles))
        if len(tiles) > 2:
            raise torch.OutOfMemoryError
        return run(tiles)

    monkeypatch.setattr(bundle, "_run", crowded)
    tiles = np.zeros((5, 32, 32, 3), np.uint8)

    assert bundle.predict(tiles).shape == (5, 5, 32, 32)
    assert sizes == [5, 2, 2, 1]
    bundle.predict(tiles)
    assert sizes[4:] == [2, 2, 1]  # what did not fit is not tried again


def test_when_one_tile_is_too_much_it_says_so(bundle, monkeypatch):
    def full(_tiles):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(bundle, "_run", full)
    with pytest.raises(ModelError, match="memory"):
        bundle.predict(np.zeros((3, 32, 32, 3), np.uint8))


def test_a_missing_bundle_is_named(tmp_path):
    refused(tmp_path / "nowhere", "nowhere")
    refused("no-such-name", "no-such-name")
    refused(tmp_path, "bundle.json")


def test_an_empty_program_has_no_default_bundle(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.models.bundle_files.resources", lambda: tmp_path)
    refused("default", "no default bundle")


def test_changed_weights_are_noticed(folder):
    weights = folder / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    refused(folder, "sha256")


def test_cut_weights_are_refused_even_when_the_card_agrees(folder):
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    rehash(folder)
    refused(folder, "damaged")


def test_a_tensor_of_a_trillion_elements_is_refused(folder):
    header = {"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}
    text = json.dumps(header).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text)
    rehash(folder)
    refused(folder, "damaged")


def test_weights_of_another_number_of_classes_are_refused(folder):
    rewrite(folder, classes=["Tumor", "Other"])
    refused(folder, "head.bias")


def test_a_missing_weights_file_is_named(folder):
    (folder / WEIGHTS).unlink()
    refused(folder, "model.safetensors")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "something-else"},
        {"mpp": -1},
        {"mpp": "0.5"},
        {"mpp": 1e999},
        {"tile": 100},
        {"tile": 10**9},
        {"halo": 40},
        {"classes": []},
        {"classes": ["Tumor", "Tumor", "Stroma", "Other", "Necrosis"]},
        {"classes": ["Tumor", "Stroma", "Lymphocyte", "Necrosis", "Unicorn"]},
        {"normalisation": {"mean": [0, 0, 0], "std": [0, 1, 1]}},
        {"normalisation": {"mean": [0, 0], "std": [1, 1, 1]}},
        {"sha256": "short"},
        {"architecture": {"name": "resnet-999", "arguments": {}}},
        {"architecture": {"name": "lightmuseg-v2", "arguments": {"evil": True}}},
        {"surprise": 1},
    ],
)
def test_a_card_that_lies_is_refused(folder, changes):
    rewrite(folder, **changes)
    refused(folder, ".")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"null", b"{", b"[" * 100_000])
def test_a_card_that_is_no_card_is_refused(folder, content):
    (folder / CARD).write_bytes(content)
    refused(folder, "card")


def test_saving_over_a_bundle_replaces_it_whole(folder, model):
    save_bundle(folder, model, card(title="Second"))

    assert load_bundle(folder, device="cpu").card.title == "Second"
    assert [each.name for each in folder.parent.iterdir()] == ["bundle"]


def test_a_save_that_fails_leaves_the_old_bundle(folder, model, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    before = (folder / CARD).read_bytes()
    monkeypatch.setattr("segcore.models.bundle_files.save_file", full)
    with pytest.raises(OSError, match="space"):
        save_bundle(folder, model, card())

    assert (folder / CARD).read_bytes() == before
    assert [each.name for each in folder.parent.iterdir()] == ["bundle"]


def test_users_bundles_are_found_by_name(saved):
    shutil.copytree(saved, user_data() / "models" / "mine")

    assert load_bundle("mine", device="cpu").classes == CLASSES
    assert "mine" in [each.name for each in list_bundles()]


def test_a_broken_bundle_does_not_hide_the_others(saved):
    shutil.copytree(saved, user_data() / "models" / "mine")
    broken = user_data() / "models" / "broken"
    broken.mkdir()
    (broken / CARD).write_text("{")

    assert "mine" in [each.name for each in list_bundles()]


def test_an_absent_device_is_an_error():
    with pytest.raises(ModelError, match="abacus"):
        load_bundle("default", device="abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="cuda"):
            load_bundle("default", device="cuda")


def test_the_schema_in_resources_is_the_one_the_code_reads_by():
    stored = json.loads((resources() / "schemas" / "bundle.schema.json").read_text())

    assert stored == card_schema()


def test_the_shipped_bundle_has_what_its_schema_requires():
    content = (resources() / "models" / "default" / CARD).read_bytes()
    schema = card_schema()["$defs"]["Card"]
    written = json.loads(content)

    assert set(schema["required"]) <= set(written) <= set(schema["properties"])
    assert read_card(content, source="the shipped card").trained


def test_the_shipped_bundle_loads_and_is_small():
    bundle = load_bundle("default", device="cpu")

    assert bundle.classes == CLASSES
    assert (bundle.path / WEIGHTS).stat().st_size < 15 << 20


def test_tiles_that_may_not_be_written_to_are_read(bundle):
    tiles = np.zeros((1, 32, 32, 3), np.uint8)
    tiles.setflags(write=False)

    assert bundle.predict(tiles).shape == (1, 5, 32, 32)
