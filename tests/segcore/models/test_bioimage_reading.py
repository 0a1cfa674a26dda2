"""Packages of other programs. The network of the hand-made ones is so simple that its answers are known."""

import hashlib
import io
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
import torch
import yaml

from segcore.errors import ModelError
from segcore.models import bioimage_reading, load_bundle
from segcore.models.bioimage_format import read_description
from segcore.models.bioimage_writing import write_package
from segcore.models.bundle import Bundle
from segcore.models.package_answers import Answers
from segcore.models.package_files import PackageFiles

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


class Brightest(torch.nn.Module):
    """Gives the channels themselves: the class of a pixel is its strongest colour."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * 10.0


class Channelslast(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        assert image.size(3) == 3
        return torch.sigmoid(image[:, :, :, :1])


def script(network):
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(network), stream)
    return stream.getvalue()


def load_package(path, device, *, trust=False, mpp=None, classes=()):
    return bioimage_reading.load_package(path, device, Answers(trust, mpp, tuple(classes)))


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def sha(content):
    return hashlib.sha256(content).hexdigest()


PIXELS = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64)).astype(np.float32)
CLASSES = ["tumor", "Immune_cells", "vessel"]


def space(**size):
    return [{"type": "space", "id": a, "unit": "micrometer", "scale": 0.25, **size} for a in "yx"]


@pytest.fixture(scope="module")
def weights():
    return script(Brightest())


def files_05(weights, **changes):
    """Return a 0.5 package: (rgb - 100) / 50, times ten."""
    given, made = npy(PIXELS), npy((PIXELS - 100) / 5)
    batch = {"type": "batch"}
    rdf = {
        "format_version": "0.5.3",
        "type": "model",
        "name": "Brightest",
        "license": "MIT",
        "inputs": [{
            "id": "raw",
            "axes": [batch, {"type": "channel", "channel_names": ["r", "g", "b"]}, *space(size={"min": 64, "step": 16})],
            "test_tensor": {"source": "in.npy", "sha256": sha(given)},
            "preprocessing": [{"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 100, "std": 50}}],
        }],
        "outputs": [{
            "id": "classes",
            "axes": [batch, {"type": "channel", "channel_names": CLASSES}, *space(size={"tensor_id": "raw", "axis_id": "y"}, halo=16)],
            "test_tensor": {"source": "out.npy", "sha256": sha(made)},
        }],
        "weights": {"torchscript": {"source": "w.pt", "sha256": sha(weights), "pytorch_version": "2.5"}},
    }  # fmt: skip
    return {"rdf.yaml": rdf | changes, "in.npy": given, "out.npy": made, "w.pt": weights}


def files_04(weights):
    """Return a 0.4 package with the channels last and one output channel."""
    pixels = PIXELS.transpose(0, 2, 3, 1)
    rdf = {
        "format_version": "0.4.10",
        "type": "model",
        "name": "Old",
        "inputs": [{
            "name": "raw", "axes": "byxc", "data_type": "float32", "shape": [1, 64, 64, 3],
            "preprocessing": [{"name": "scale_linear", "kwargs": {"axes": "xy", "gain": [0.01, 1, 1], "offset": [-1, 0, 0]}}],
        }],
        "outputs": [{
            "name": "mask", "axes": "byxc", "data_type": "float32", "halo": [0, 8, 8, 0],
            "shape": {"reference_tensor": "raw", "scale": [1, 1, 1, 0.333], "offset": [0, 0, 0, 0]},
        }],
        "test_inputs": ["in.npy"],
        "test_outputs": ["out.npy"],
        "weights": {"torchscript": {"source": "w.pt", "sha256": sha(weights)}},
    }  # fmt: skip
    made = 1 / (1 + np.exp(-(pixels[..., :1] / 100 - 1)))
    return {
        "rdf.yaml": rdf,
        "in.npy": npy(pixels),
        "out.npy": npy(made.astype(np.float32)),
        "w.pt": weights,
    }


def as_bytes(content):
    return yaml.safe_dump(content).encode() if isinstance(content, dict) else content


def zipped(files, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, as_bytes(content))
    return path


def unpacked(files, path):
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(as_bytes(content))
    return path


def refused(action, match):
    with pytest.raises(ModelError, match=match) as caught:
        action()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize("place", [zipped, unpacked])
def test_a_05_package_takes_the_place_of_a_bundle(tmp_path, weights, place):
    model = load_bundle(place(files_05(weights), tmp_path / "p.zip"), "cpu", trust=True)

    assert isinstance(model, Bundle)
    assert model.classes == ("Tumor", "Lymphocyte", "vessel")
    assert model.codes == (1, 3, 0)
    assert (model.mpp, model.tile, model.halo) == (0.25, 512, 16)
    assert model.device == torch.device("cpu")
    assert model.card.licence == "MIT"
    assert "Nothing has been measured" in model.card.limits
    tiles = np.random.default_rng(1).integers(0, 256, (5, 64, 80, 3), dtype=np.uint8)
    exponents = np.exp((tiles.transpose(0, 3, 1, 2) - 100.0) / 5)
    expected = exponents / exponents.sum(1, keepdims=True)
    found = model.predict(tiles)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert model.predict(tiles[:0]).shape == (0, 3, 64, 80)
    refused(lambda: model.predict(tiles.astype(float)), "uint8")
    refused(lambda: model.model, "only predicts")
    refused(lambda: model.predict(np.zeros((1, 8, 8, 4), np.uint8)), "uint8")
    with pytest.raises(AttributeError):
        model.surprise  # noqa: B018 - likewise


def test_a_04_package_needs_to_be_told_pixel_size_and_classes(tmp_path):
    package = zipped(files_04(script(Channelslast())), tmp_path / "old.zip")

    refused(lambda: load_package(package, "cpu", trust=True), "pixel size")
    refused(lambda: load_package(package, "cpu", trust=True, mpp=0.5), "1 channels and 0 names")
    model = load_package(package, "cpu", trust=True, mpp=0.5, classes=["Tumor"])

    assert (model.codes, model.tile, model.halo, model.mpp) == ((1,), 64, 8, 0.5)
    tiles = np.random.default_rng(2).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    expected = 1 / (1 + np.exp(1 - tiles[None, ..., 0].astype(float) / 100))
    np.testing.assert_allclose(model.predict(tiles), expected.transpose(1, 0, 2, 3), atol=1e-5)


def test_our_own_package_comes_back_as_the_bundle_it_was(tmp_path, saved):
    bundle = load_bundle(saved, "cpu")
    write_package(bundle, tmp_path / "p.zip")

    model = load_bundle(tmp_path / "p.zip", "cpu", trust=True)

    assert (model.classes, model.codes) == (bundle.classes, bundle.codes)
    assert (model.mpp, model.halo, model.tile) == (0.5, 8, 512)
    tiles = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    np.testing.assert_allclose(model.predict(tiles), bundle.predict(tiles), atol=0.02)


@pytest.mark.skipif(
    not find_spec("onnxruntime") or not find_spec("onnx"), reason="needs the extra [onnx]"
)
def test_onnx_is_preferred_and_needs_no_trust(tmp_path, saved):
    bundle = load_bundle(saved, "cpu")
    assert write_package(bundle, tmp_path / "p.zip") == ("torchscript", "onnx")

    model = load_bundle(tmp_path / "p.zip", "cpu")

    assert model.card.architecture.name == "bioimage.io onnx"
    tiles = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    np.testing.assert_allclose(model.predict(tiles), bundle.predict(tiles), atol=0.02)


def test_torchscript_is_not_run_before_it_is_trusted(tmp_path, weights, monkeypatch):
    def started(*_args, **_kwargs):
        raise AssertionError("a child was started")

    monkeypatch.setattr("segcore.models.foreign_network.subprocess.Popen", started)
    package = zipped(files_05(weights), tmp_path / "p.zip")

    refused(lambda: load_bundle(package, "cpu"), "TorchScript, which is a program")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"w.pt": b"other"}, "sha256 differs"),
        ({"in.npy": npy(PIXELS + 1)}, "sha256 differs"),
        ({"w.pt": None}, "holds no 'w.pt'"),
        ({"out.npy": None}, "holds no 'out.npy'"),
        ({"rdf.yaml": None}, "holds no rdf.yaml"),
        ({"rdf.yaml": b"\xff\xfe\x00"}, "does not describe"),
        ({"rdf.yaml": b"[" * 10_000}, "does not describe"),
        ({"rdf.yaml": b"a: " + b"b" * (300 << 10)}, "larger than it may be"),
        ({"rdf.yaml": b"!!python/object/apply:os.system ['true']"}, "does not describe"),
        ({"rdf.yaml": b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in range(97, 121))}, "too much"),
        ({"rdf.yaml": b"a: &a [*a]"}, "contains itself"),
        ({"rdf.yaml": b"a: 2024-99-99"}, "does not describe"),
        ({"rdf.yaml": b""}, "does not describe"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [zipped, unpacked])
def test_a_damaged_package_is_refused_before_anything_runs(
    tmp_path, weights, damage, reason, place, monkeypatch
):
    monkeypatch.setattr(
        "segcore.models.bioimage_reading.ForeignNetwork", lambda *_args, **_kwargs: lambda x: x * 10
    )
    files = {**files_05(weights), **damage}
    package = place(
        {name: content for name, content in files.items() if content is not None},
        tmp_path / "p.zip",
    )

    refused(lambda: load_package(package, "cpu", trust=True), reason)


def changed(rdf, path, value):
    """Return a copy of `rdf` with one place changed; the path is written as "inputs.0.axes"."""
    rdf = yaml.safe_load(yaml.safe_dump(rdf))
    *way, last = [int(each) if each.isdecimal() else each for each in path.split(".")]
    at = rdf
    for each in way:
        at = at[each]
    at[last] = value
    return rdf


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("format_version", "0.3.1", "not a model of 0.4 or 0.5"),
        ("type", "dataset", "not a model"),
        ("type", "line\nbreak", "not a model"),
        ("format_version", "0.5\n" * 1000, "not a model"),
        ("name", ["list"], "Expected `str`"),
        ("inputs", [], "several inputs"),
        ("inputs.0.axes", "bcyxz", "two-dimensional"),
        ("inputs.0.axes.0.type", "time", "two-dimensional"),
        ("inputs.0.axes.2.id", "z", "two-dimensional"),
        ("inputs.0.axes.2.size", {"min": 32, "step": 16}, "not square"),
        ("inputs.0.axes.2.scale", -1, "make no sense"),
        ("inputs.0.axes.2.scale", 0.5, "not square"),
        ("inputs.0.axes.2.scale", float("nan"), "make no sense"),
        ("inputs.0.test_tensor", None, "no test tensors"),
        ("outputs.0.axes.2.halo", 10**9, "halo"),
        ("inputs.0.preprocessing", [{"id": "custom", "kwargs": {}}], "'custom'"),
        ("weights", {"pytorch_state_dict": {"source": "w.pt"}}, "holds pytorch_state_dict"),
        ("weights.torchscript.source", "../w.pt", "outside itself"),
        ("weights.torchscript.source", "x" * 3000, "as none is named"),
        ("weights.torchscript.source", "line\nbreak", "as none is named"),
        ("weights.torchscript.source", "/etc/passwd", "outside itself"),
        ("weights.torchscript.source", "C:\\w.pt", "outside itself"),
        ("weights.torchscript.source", "https://example.org/w.pt", "on the network"),
        ("outputs.0.axes.1.channel_names", ["a", "b", "c"], "None of the classes"),
        ("outputs.0.axes.1.channel_names", ["tumor", "b"], "3 channels and 2 names"),
    ],
)  # fmt: skip
def test_a_package_of_another_kind_is_refused_with_the_reason(
    tmp_path, weights, path, value, reason, monkeypatch
):
    monkeypatch.setattr(
        "segcore.models.bioimage_reading.ForeignNetwork", lambda *_args, **_kwargs: lambda x: x * 10
    )
    files = files_05(weights)
    files["rdf.yaml"] = changed(files["rdf.yaml"], path, value)

    refused(lambda: load_package(zipped(files, tmp_path / "p.zip"), "cpu", trust=True), reason)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (lambda x: x * 11, "does not give the test output"),
        (lambda x: x[:, :2] * 10, "does not give the test output"),
        (lambda x: x[0], "3 axes"),
        (lambda x: np.full_like(x, np.nan), "does not give the test output"),
    ],
)
def test_a_network_that_does_not_repeat_its_test_is_refused(
    tmp_path, weights, network, reason, monkeypatch
):
    monkeypatch.setattr(
        "segcore.models.bioimage_reading.ForeignNetwork", lambda *_args, **_kwargs: network
    )

    refused(
        lambda: load_package(zipped(files_05(weights), tmp_path / "p.zip"), "cpu", trust=True),
        reason,
    )


def test_what_authors_leave_out_has_the_formats_own_defaults(weights):
    """As in the examples of the specification: no id for x, steps without arguments, a fixed batch."""
    rdf = files_05(weights)["rdf.yaml"]
    rdf = changed(rdf, "inputs.0.axes.0", {"type": "batch", "size": 1})
    rdf = changed(rdf, "inputs.0.preprocessing", [{"id": "zero_mean_unit_variance"}])
    for side in ("inputs", "outputs"):
        del rdf[side][0]["axes"][3]["id"]

    found = read_description(b"%YAML 1.2\n---\n" + as_bytes(rdf), source="x")

    assert (found.input_axes, found.output_axes) == ("bcyx", "bcyx")
    assert (found.mpp, found.tile, found.halo) == (0.25, 512, 16)


def test_a_few_pixels_on_a_threshold_do_not_refuse_a_package(tmp_path, weights, monkeypatch):
    files = files_05(weights)

    def start(flipped):
        def network(x):
            made = x * 10
            made.reshape(-1)[:flipped] += 100
            return made

        monkeypatch.setattr(
            "segcore.models.bioimage_reading.ForeignNetwork", lambda *_args, **_kwargs: network
        )

    start(1)  # of 12288
    load_package(zipped(files, tmp_path / "p.zip"), "cpu", trust=True)
    start(2)
    refused(lambda: load_package(tmp_path / "p.zip", "cpu", trust=True), "test output")


def test_the_tile_is_the_allowed_side_next_to_512(weights):
    rdf = files_05(weights)["rdf.yaml"]
    sizes = {(64, 16): 512, (100, 100): 600, (1024, 32): 1024, (500, 0): 500}
    for (least, step), tile in sizes.items():
        for axis in ("2", "3"):
            size = {"min": least, "step": step} if step else least
            rdf = changed(rdf, f"inputs.0.axes.{axis}.size", size)
        assert read_description(as_bytes(rdf), source="x").tile == tile


@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06", b"PK\x03\x04" + bytes(100), b"not a zip" * 100]
)
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "p.zip").write_bytes(content)
    refused(lambda: load_package(tmp_path / "p.zip", "cpu"), "neither a folder nor a zip|damaged")
    refused(lambda: load_package(tmp_path / "nowhere.zip", "cpu"), "no package")


def test_a_zip_bomb_is_read_no_further_than_its_place_allows(tmp_path):
    zipped({"rdf.yaml": bytes(64 << 20)}, tmp_path / "p.zip")
    assert (tmp_path / "p.zip").stat().st_size < 1 << 20

    refused(lambda: load_package(tmp_path / "p.zip", "cpu"), "larger than it may be")


def test_a_zip_of_very_many_files_is_not_listed(tmp_path):
    zipped({f"{number:064}": b"" for number in range(12_000)}, tmp_path / "p.zip")
    refused(lambda: load_package(tmp_path / "p.zip", "cpu"), "too many files")


def test_damaged_zips_are_read_or_refused(tmp_path, weights):
    good = zipped(files_05(weights), tmp_path / "p.zip").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(good)
        for at in random.integers(len(content), size=random.integers(1, 20)):
            content[at] = random.integers(256)
        if random.random() < 0.3:
            del content[random.integers(len(content)) :]
        (tmp_path / "q.zip").write_bytes(content)
        try:
            files = PackageFiles(tmp_path / "q.zip")
            files.find(("rdf.yaml",))
            read_description(files.read("rdf.yaml", most=1 << 20), source="rdf.yaml")
            files.read("w.pt", most=1 << 20)
        except ModelError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - either outcome is right


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, weights):
    (tmp_path / "secret").write_bytes(b"secret")
    package = unpacked(files_05(weights), tmp_path / "p")
    (package / "w.pt").unlink()
    (package / "w.pt").symlink_to(tmp_path / "secret")

    refused(lambda: load_package(package, "cpu", trust=True), "holds no 'w.pt'")
