"""What a person says once about a package of another program, and what is then remembered."""

import json
import zipfile

import numpy as np
import pytest

from segcore.cli import main
from segcore.errors import ModelError
from segcore.models import load_bundle
from segcore.models.foreign_models import find_foreign, inspect_foreign
from segcore.models.package_answers import FILE, Answers, keep_answers, read_answers
from segcore.models.packaged_model import propose_class
from tests.segcore.models.test_bioimage_reading import (
    Channelslast,
    files_04,
    files_05,
    refused,
    script,
    unpacked,
    zipped,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def old_weights():
    return script(Channelslast())


@pytest.fixture
def started(monkeypatch):
    """Stand for the child; the list holds the kinds of the networks that were started."""
    kinds = []

    def start(kind, *_args, **_kwargs):
        kinds.append(kind)
        return lambda x: 1 / (1 + np.exp(-x[..., :1]))

    monkeypatch.setattr("segcore.models.bioimage_reading.ForeignNetwork", start)
    return kinds


def importing(package, *more):
    return main(["models", "import", str(package), "--as", "mine", *more])


def test_an_imported_package_goes_by_its_name_and_is_never_asked_about_again(
    tmp_path, own_home, old_weights, capsys
):
    package = zipped(files_04(old_weights), tmp_path / "old.zip")
    said = ["--trust-model", "--mpp", "0.5", "--classes", "Tumor"]

    assert importing(package, *said, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    package.unlink()

    assert (document["name"], document["classes"], document["mpp"]) == ("mine", ["Tumor"], 0.5)
    bundle = load_bundle("mine", "cpu")
    assert (bundle.classes, bundle.mpp, bundle.path) == (("Tumor",), 0.5, own_home / "models" / "mine")  # fmt: skip
    tiles = np.full((1, 64, 64, 3), 100, np.uint8)
    np.testing.assert_allclose(bundle.predict(tiles), 0.5, atol=1e-5)  # sigmoid(0.01 * 100 - 1)


def test_what_is_missing_is_asked_for_before_anything_runs(
    tmp_path, own_home, old_weights, capsys, started
):
    package = zipped(files_04(old_weights), tmp_path / "old.zip")
    for said, reason in [
        ([], "TorchScript, which is a program"),
        (["--trust-model"], "--as NAME --trust-model --mpp F."),
        (["--trust-model", "--mpp", "0.5"], "1 channels and 0 names"),
        (["--trust-model", "--mpp", "0.5", "--classes", "foreground"], "None of the classes"),
        (["--trust-model", "--architecture", "hi-net"], "leave --architecture out"),
    ]:
        assert importing(package, *said) == 1
        assert reason in capsys.readouterr().err

    assert started == []
    assert not (own_home / "models").exists()
    assert not (own_home / FILE).exists()


def test_it_is_listed_with_what_is_known_of_it(tmp_path, old_weights, capsys, started, monkeypatch):
    monkeypatch.setattr("segcore.cli.models._architectures", list)
    package = unpacked(files_04(old_weights), tmp_path / "old")
    assert importing(package, "--trust-model", "--mpp", "0.5", "--classes", "Tumor") == 0
    assert importing(package, "--trust-model") == 1
    assert "already" in capsys.readouterr().err

    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    assert rows["mine"]["kind"] == "package"
    assert rows["mine"]["parameters"] is None
    assert rows["mine"]["classes"] == ["Tumor"]
    assert main(["models"]) == 0
    assert "?" in next(s for s in capsys.readouterr().out.splitlines() if s.startswith("mine"))


def test_other_weights_are_not_trusted_for_the_name(tmp_path, own_home, old_weights, started):
    """Whoever puts another program in the place of a trusted one has gained nothing."""
    package = unpacked(files_04(old_weights), tmp_path / "old")
    assert importing(package, "--trust-model", "--mpp", "0.5", "--classes", "Tumor") == 0
    evil = files_04(old_weights + b"\0")
    for name, content in evil.items():
        if name == "w.pt":
            (own_home / "models" / "mine" / name).write_bytes(content)
    (own_home / "models" / "mine" / "rdf.yaml").write_text(json.dumps(evil["rdf.yaml"]))
    (own_home / "models" / "mine" / FILE).write_text('{"trusted": true}')
    started.clear()

    refused(lambda: load_bundle("mine", "cpu"), "TorchScript, which is a program")
    assert started == []


def test_answers_are_kept_by_hash_and_a_damaged_file_is_told(own_home):
    assert read_answers("a" * 64) == Answers()
    keep_answers("a" * 64, Answers(mpp=0.5))
    keep_answers("a" * 64, Answers(classes=("Tumor",)))
    keep_answers("b" * 64, Answers(trusted=True))

    assert read_answers("a" * 64) == Answers(mpp=0.5, classes=("Tumor",))
    assert read_answers("b" * 64).trusted
    for content in (b"[", b"\xff", b'{"a": {"trusted": 3}}', b'{"a": {"mpp": -1}}'):
        (own_home / FILE).write_bytes(content)
        with pytest.raises(ModelError, match="delete it"):
            read_answers("a" * 64)


def test_looking_into_a_package_runs_nothing_and_tells_what_is_open(tmp_path, old_weights, started):
    new = inspect_foreign(zipped(files_05(old_weights), tmp_path / "new.zip"))
    old = inspect_foreign(zipped(files_04(old_weights), tmp_path / "old.zip"))

    assert (new.said_mpp, new.channels, new.known, new.runs_program) == (0.25, 3, True, True)
    assert new.proposals() == ("Tumor", "Lymphocyte", "")
    assert (old.said_mpp, old.channels, old.known) == (None, 1, False)
    assert old.proposals() == ("",)
    assert started == []


@pytest.mark.parametrize(
    ("channel", "ours"),
    [("tumour", "Tumor"), ("Immune_cells", "Lymphocyte"), ("TILs", "Lymphocyte"), ("notumor", "Other"), ("vessel", ""), ("", "")],
)  # fmt: skip
def test_a_channels_name_suggests_a_class(channel, ours):
    assert propose_class(channel) == ours


def test_a_zip_of_a_folder_and_numbers_kept_apart_are_found(tmp_path, old_weights):
    files = {f"net/{name}": content for name, content in files_05(old_weights).items()}
    package = zipped({**files, "__MACOSX/net/._rdf.yaml": b"junk"}, tmp_path / "nested.zip")

    assert find_foreign(package) == package
    assert inspect_foreign(package).weights == old_weights


def test_numbers_kept_apart_from_onnx_weights_reach_the_network(tmp_path, old_weights, monkeypatch):
    given = {}

    def start(kind, _content, _device, *, name, beside):
        given.update(kind=kind, name=name, beside=beside)
        return lambda x: x * 10

    monkeypatch.setattr("segcore.models.bioimage_reading.ForeignNetwork", start)
    monkeypatch.setattr("segcore.models.bioimage_reading.find_spec", lambda _: True)
    files = files_05(b"graph")
    weights = {"onnx": {"source": "w.pt"}}
    files["rdf.yaml"]["weights"] = weights
    load_bundle(zipped(files, tmp_path / "none.zip"), "cpu")
    assert given["beside"] == {}

    load_bundle(zipped({**files, "w.pt.data": b"numbers"}, tmp_path / "usual.zip"), "cpu")
    assert given == {"kind": "onnx", "name": "w.pt", "beside": {"w.pt.data": b"numbers"}}

    weights["onnx"]["external_data"] = {"source": "w.bin", "sha256": "0" * 64}
    with zipfile.ZipFile(zipped(files, tmp_path / "named.zip"), "a") as package:
        package.writestr("w.bin", b"numbers")
    refused(lambda: load_bundle(tmp_path / "named.zip", "cpu"), "sha256 differs")
