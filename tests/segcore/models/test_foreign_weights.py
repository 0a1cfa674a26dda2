import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from segcore.cli import main
from segcore.errors import ModelError
from segcore.models import create_model, load_bundle
from segcore.models.foreign_weights import import_weights
from segcore.models.sandbox import run_child
from segcore.models.unpickling import convert
from tests.segcore.cards import CLASSES, card

NETWORK = {"name": "lightmuseg-v2", "classes": len(CLASSES), "arguments": {}}


class Payload:
    """Pickles to a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def archive(pickled, file):
    """Write a .pth in torch's zip format around any pickle."""
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("archive/data.pkl", pickled)
        parts.writestr("archive/version", "3\n")
        parts.writestr("archive/byteorder", "little")
        parts.writestr("archive/data/0", bytes(64))


def evil_pickles(canary):
    """Return pickles that would make `canary` if anybody ran them."""
    import builtins
    import os
    import runpy
    import subprocess

    touch = f"touch '{canary}'"
    code = f"open({str(canary)!r}, 'w')"
    script = canary.with_name("script.py")
    script.write_text(code)
    objects = {
        "os.system": Payload(os.system, touch),
        "eval": Payload(builtins.eval, code),
        "exec": Payload(exec, code),
        "open": Payload(open, str(canary), "w"),
        "subprocess": Payload(
            subprocess.Popen, touch, -1, None, None, None, None, None, True, True
        ),
        "runpy": Payload(runpy.run_path, str(script)),
        "Path.touch": Payload(Path.touch, canary),
        "torch.load": Payload(torch.load, str(canary)),
        "getattr": Payload(getattr, Path, "touch"),
        "torch.save": Payload(torch.save, {}, str(canary)),
        "tensor beside it": {"state_dict": {"w": torch.zeros(2)}, "x": Payload(os.system, touch)},
        "as a key": {Payload(eval, repr(str(canary))): 1},
    }
    pickles = {
        name: [pickle.dumps(each, protocol) for protocol in (2, 4)]
        for name, each in objects.items()
    }
    quoted = touch.encode()
    pickles["by hand, INST"] = [b"(S" + repr(touch).encode() + b"\nios\nsystem\n."]
    pickles["by hand, GLOBAL"] = [b"cposix\nsystem\n(S" + repr(touch).encode() + b"\ntR."]
    pickles["by hand, BUILD"] = [b"ctorch\nTensor\n)\x81}(X\x01\x00\x00\x00xcos\nsystem\nub."]
    pickles["by hand, dotted name"] = [
        b"\x80\x04\x8c\x05torch\x8c\x0fserialization.os.system\x93\x8c"[:9] + b"\x8c\x17serialization.os.system\x93\x8c"
        + bytes([len(quoted) % 256]) + quoted + b"\x85R."
    ]  # fmt: skip
    return pickles


def refused(action):
    with pytest.raises(ModelError) as caught:
        action()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.fixture
def state():
    torch.manual_seed(3)
    return create_model("lightmuseg-v2", classes=len(CLASSES)).state_dict()


def saved(content, file):
    torch.save(content, file)
    return file


def test_evil_pickles_are_refused_and_nothing_is_executed(tmp_path):
    canary, file = tmp_path / "canary", tmp_path / "evil.pth"
    tried = 0
    for name, pickles in evil_pickles(canary).items():
        for pickled in pickles:
            for wrap in (archive, lambda data, out: out.write_bytes(data)):
                wrap(pickled, file)
                message = refused(lambda: convert(file, tmp_path / "out.safetensors", NETWORK))
                assert "evil.pth" in message
                assert not canary.exists(), name
                assert not (tmp_path / "out.safetensors").exists()
                tried += 1
    assert tried > 50


def test_the_canary_would_have_sung(tmp_path):
    import os

    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(Payload(os.system, f"touch '{canary}'")))  # noqa: S301 - our own payload
    assert canary.exists()


def test_an_evil_file_is_refused_by_the_command_in_one_sentence(tmp_path, own_home, capsys):
    canary, file = tmp_path / "canary", tmp_path / "evil.pth"
    archive(evil_pickles(canary)["os.system"][0], file)

    code = main(["models", "import", str(file), "--as", "mine", "--architecture", "lightmuseg-v2"])

    captured = capsys.readouterr()
    assert code == 1
    assert captured.err.count("\n") == 1
    assert "evil.pth is damaged, or holds more than weights" in captured.err
    assert not canary.exists()
    assert not (own_home / "models" / "mine").exists()


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3, "optimizer": {"lr": 0.1}},
        lambda state: {"model": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")},
        lambda state: {name: torch.nn.Parameter(t, t.is_floating_point() and False) for name, t in state.items()},
    ],
    ids=["plain", "wrapped", "parallel", "old", "parameters"],
)  # fmt: skip
def test_state_dicts_are_read_as_other_programs_write_them(tmp_path, state, wrapped):
    from safetensors.torch import load_file

    convert(saved(wrapped(state), tmp_path / "w.pth"), tmp_path / "out", NETWORK)

    found = load_file(tmp_path / "out")
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_an_imported_file_is_a_bundle_that_says_where_it_came_from(
    tmp_path, own_home, state, capsys
):
    file = saved({"state_dict": state}, tmp_path / "paper.pth")
    command = [
        "models",
        "import",
        str(file),
        "--as",
        "mine",
        "--architecture",
        "lightmuseg-v2",
        "--json",
    ]

    assert main([*command, "--mpp", "0.25", "--licence", "MIT"]) == 0

    document = json.loads(capsys.readouterr().out)
    bundle = load_bundle("mine", device="cpu")
    assert document == {
        "name": "mine",
        "folder": str(own_home / "models" / "mine"),
        "sha256": bundle.card.sha256,
        "classes": list(CLASSES),
        "mpp": 0.25,
    }
    assert (bundle.mpp, bundle.classes, bundle.card.licence) == (0.25, CLASSES, "MIT")
    assert "paper.pth (sha256" in bundle.card.training.summary
    assert bundle.card.metrics == ()
    assert "Nothing has been measured" in bundle.card.limits
    assert "its classes, its normalisation" in bundle.card.limits
    assert "pixel size" not in bundle.card.limits
    assert all(torch.equal(t, state[name]) for name, t in bundle.model.state_dict().items())

    assert main(command) == 1
    assert "already" in capsys.readouterr().err


def test_a_kilobyte_that_declares_a_trillion_elements_is_refused_unread(tmp_path, state):
    state["head.weight"] = torch.zeros(1).expand(10**6, 10**6)
    file = saved(
        {
            n: t if n == "head.weight" else torch.zeros((), dtype=t.dtype).expand(t.shape)
            for n, t in state.items()
        },
        tmp_path / "big.pth",
    )

    assert file.stat().st_size < 1 << 20
    assert "1 of another shape" in refused(lambda: convert(file, tmp_path / "out", NETWORK))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"surprise": torch.zeros(1)}, "1 unknown, 0 of"),
        ({"head.bias": torch.zeros(5, dtype=torch.complex64)}, "1 of another shape or type"),
        ({"head.bias": torch.zeros(5, dtype=torch.int64)}, "1 of another shape or type"),
        ({"head.bias": torch.zeros(5).to_sparse()}, "1 of another shape or type"),
        ({"head.bias": torch.zeros(5, device="meta")}, "1 of another shape or type"),
        ({"head.bias": "text"}, "holds no weights by name"),
    ],
    ids=["strange name", "complex", "integer", "sparse", "meta", "text"],
)  # fmt: skip
def test_tensors_of_another_kind_are_refused(tmp_path, state, change, reason):
    file = saved({**state, **change}, tmp_path / "evil.pth")
    assert reason in refused(lambda: convert(file, tmp_path / "out", NETWORK))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"not a pickle at all",
        b"\x80\x02]" + b"]" * 100_000,
        struct.pack("<Q", 2**63),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
    ],
)
def test_files_that_hold_no_weights_are_refused(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    refused(lambda: convert(tmp_path / "w.pth", tmp_path / "out", NETWORK))


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_whole_models_and_scripts_are_refused(tmp_path, state):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "script.pt")
    refused(lambda: convert(tmp_path / "script.pt", tmp_path / "out", NETWORK))

    refused(
        lambda: convert(saved(torch.nn.Linear(2, 2), tmp_path / "m.pth"), tmp_path / "out", NETWORK)
    )


def test_a_bomb_is_stopped_by_the_childs_limits(tmp_path):
    stream = io.BytesIO()
    torch.save({"w": torch.zeros(4)}, stream)
    with zipfile.ZipFile(stream) as good, zipfile.ZipFile(tmp_path / "bomb.pth", "w") as bomb:
        for name in good.namelist():
            if name.endswith("data/0"):
                with bomb.open(zipfile.ZipInfo(name), "w", force_zip64=True) as out:
                    out.write(bytes(16))
            else:
                bomb.writestr(
                    name, good.read(name).replace(b"K\x04", b"\x8a\x05\x00\x00\x00\x00\x7f")
                )
    refused(lambda: import_weights(tmp_path / "bomb.pth", tmp_path / "b", card()))
    assert not (tmp_path / "b").exists()


def test_a_child_that_dies_is_told_in_a_sentence(tmp_path, monkeypatch):
    message = refused(
        lambda: run_child(
            "segcore.models.no_such_module", [], file=tmp_path / "w.pth", folder=tmp_path
        )
    )
    assert "w.pth cannot be read" in message


def test_a_child_that_hangs_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.models.sandbox.WALL_SECONDS", 0.2)
    message = refused(
        lambda: run_child("timeit", ["-n", "1000000000"], file=tmp_path / "w.pth", folder=tmp_path)
    )
    assert "longer than 0.2 s" in message


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--architecture", "resnet-999"], "There is no model 'resnet-999'"),
        (
            ["--architecture", "lightmuseg-v2", "--classes", "Unicorn"],
            "There is no class 'Unicorn'",
        ),
        (["--architecture", "lightmuseg-v2", "--tile", "100"], "multiple of 32"),
        (["--architecture", "lightmuseg-v2", "--argument", "depth=3"], "depth"),
    ],
)
def test_a_card_that_cannot_be_is_refused_before_the_file_is_read(
    tmp_path, capsys, arguments, reason
):
    (tmp_path / "w.pth").write_bytes(b"")
    assert main(["models", "import", str(tmp_path / "w.pth"), "--as", "mine", *arguments]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["default", "../up", "a/b", "", ".hidden", "CON", "x" * 41, "é", "a\n"]
)
def test_a_name_that_is_no_folders_is_refused(name, capsys):
    assert main(["models", "import", "w.pth", "--as", name, "--architecture", "hi-net"]) == 2
    assert "cannot name a bundle" in capsys.readouterr().err
