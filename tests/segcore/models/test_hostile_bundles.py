"""Weights and cards made to do harm: each is refused in one sentence, within bounded memory."""

import json
import os
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from segcore.cli import main
from segcore.errors import ModelError
from segcore.models import list_bundles, load_bundle, registry
from segcore.models.bundle_files import CARD, LARGEST_HEADER, WEIGHTS
from tests.segcore.hostile import (
    NETWORK,
    TwoConvolutions,
    assembled,
    good_weights,
    mutated,
    parts,
    with_values,
    write_bundle,
)

GOOD = good_weights()


@pytest.fixture(autouse=True)
def small_network(monkeypatch):
    monkeypatch.setitem(registry._MAKERS, NETWORK, TwoConvolutions)


def changed(**fields):
    """Return GOOD with fields of its first tensor's entry changed."""
    header, data = parts(GOOD)
    header["0.bias"] |= fields
    return assembled(header, data)


def without(name):
    header, data = parts(GOOD)
    del header[name]
    return assembled(header, data)


def extra(name, shape=(1,)):
    tensors = {k: v.numpy() for k, v in TwoConvolutions(5).state_dict().items()}
    return save({**tensors, name: np.zeros(shape, np.float32)})


HOSTILE = {
    "empty": b"",
    "one byte": b"\0",
    "length alone": GOOD[:8],
    "cut in the header": GOOD[:60],
    "cut in the data": GOOD[:-1],
    "longer than declared": GOOD + b"\0",
    "header of zero bytes": struct.pack("<Q", 0) + GOOD[8:],
    "header of 2^64 - 1 bytes": struct.pack("<Q", 2**64 - 1) + GOOD[8:],
    "header of 4 GB": struct.pack("<Q", 4 << 30) + GOOD[8:],
    "header of 5 MB of spaces": assembled(b" " * (LARGEST_HEADER + 1), b""),
    "header not JSON": assembled(b"\x80\x04not json", b""),
    "header not UTF-8": assembled(b'{"\xff": 1}', b""),
    "header a list": assembled([], b""),
    "header nested 100000 deep": assembled(b"[" * 100_000, b""),
    "no tensors": assembled({}, b""),
    "a trillion elements with offsets": assembled(
        {"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}, b""
    ),
    "a trillion elements in a good file": changed(shape=[10**12]),
    "2^64 elements": changed(shape=[2**32, 2**32]),
    "a shape that wraps round to 4": changed(shape=[2**62 + 1, 4]),
    "negative shape": changed(shape=[-4]),
    "another rank": changed(shape=[2, 2]),
    "unknown type": changed(dtype="F7"),
    "wider type": changed(dtype="F64"),
    "offsets in reverse": changed(data_offsets=[16, 0]),
    "offsets overlap": changed(data_offsets=[16, 32]),
    "offsets past the end": changed(data_offsets=[10**9, 10**9 + 16]),
    "offsets negative": changed(data_offsets=[-16, 0]),
    "a tensor missing": without("0.bias"),
    "a tensor too many": extra("surprise"),
    "a name with a line break": extra("first\nsecond"),
    "a name of 10000 letters": extra("n" * 10_000),
    "a tensor too large for the network": extra("big", (5 << 20,)),
    "not a number": with_values(np.nan),
    "infinite": with_values(np.inf),
    "metadata not text": assembled({"__metadata__": {"a": [1]}, **parts(GOOD)[0]}, parts(GOOD)[1]),
    "a pickle": b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00trueR.",
    "a zip": b"PK\x03\x04" + bytes(200),
}


def sentence(folder):
    with pytest.raises(ModelError) as caught:
        load_bundle(folder, device="cpu")
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 500 + len(str(folder))
    return text


def test_the_undamaged_bundle_loads(tmp_path):
    write_bundle(tmp_path / "b", GOOD)
    assert load_bundle(tmp_path / "b", device="cpu").card.architecture.name == NETWORK


@pytest.mark.parametrize("weights", HOSTILE.values(), ids=HOSTILE)
def test_weights_that_lie_are_refused_in_one_sentence(tmp_path, weights):
    write_bundle(tmp_path / "b", weights)
    assert WEIGHTS in sentence(tmp_path / "b")


def test_refusing_takes_little_memory(tmp_path):
    resource = pytest.importorskip("resource", reason="Windows does not tell a process's memory so")
    for number, weights in enumerate(HOSTILE.values()):
        write_bundle(tmp_path / str(number), weights)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for number in range(len(HOSTILE)):
        sentence(tmp_path / str(number))

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kilobytes on Linux
    assert grown < 100 << 10


def test_a_file_too_large_is_not_even_read(tmp_path):
    write_bundle(tmp_path / "b", GOOD)
    os.truncate(tmp_path / "b" / WEIGHTS, 3 << 30)  # sparse

    assert "too large" in sentence(tmp_path / "b")


@pytest.mark.parametrize(
    "change",
    [
        {"surprise\nsecond line": 1},
        {"surprise" * 1000: 1},
        {"format": "x" * 100_000},
        {"name": "n" * 100_000},
        {"classes": ["c" * 100_000]},
        {"architecture": {"name": "a" * 100_000, "arguments": {}}},
        {"architecture": {"name": NETWORK, "arguments": {"a" * 100_000: 1}}},
        {"architecture": {"name": NETWORK, "arguments": {"classes": 9}}},
        {"architecture": {"name": NETWORK, "arguments": {"self": 9}}},
        {"classes": ["Tumor"] * 10**5},
        {"title": "t" * (2 << 20)},
    ],
)
def test_a_card_that_is_too_much_is_refused_in_a_short_sentence(tmp_path, change):
    write_bundle(tmp_path / "b", GOOD)
    file = tmp_path / "b" / CARD
    file.write_text(json.dumps(json.loads(file.read_text()) | change))

    sentence(tmp_path / "b")


def with_text(old, new):
    return lambda text: text.replace(old, new)


def with_fields(**fields):
    return lambda text: json.dumps(json.loads(text) | fields)


CARDS = {
    "empty": lambda _: "",
    "cut in the middle": lambda text: text[: len(text) // 2],
    "a list": lambda text: f"[{text}]",
    "null": lambda _: "null",
    "nested 100000 deep": lambda _: "[" * 100_000,
    "brackets within a name": with_text('"title": "', '"title": ' + "[" * 10_000 + '"'),
    "a megabyte of spaces": lambda text: " " * (1 << 20) + text,
    "NaN": with_text("0.5", "NaN"),
    "1e999": with_text("0.5", "1e999"),
    "negative zero": with_text('"mpp": 0.5', '"mpp": -0.0'),
    "a number of 5000 digits": with_text('"tile": 64', f'"tile": {"6" * 5000}'),
    "half a surrogate": with_fields(title="\ud800", surprise="\ud800"),
    "another format": with_fields(format="acinus-bundle-2"),
    "classes by number": with_fields(classes=[1, 2, 3, 4, 5]),
    "a class of another field": with_fields(classes=["Tumor", "Stroma", "Lymphocyte", "Necrosis", "Cat"]),
    "a depth of a billion": with_fields(architecture={"name": "hi-net", "arguments": {"depth": 10**9}}),
    "a depth that is text": with_fields(architecture={"name": "hi-net", "arguments": {"depth": "50"}}),
    "a network of fewer classes": with_fields(classes=["Tumor"]),
    "tiles of 8 thousand pixels a step": with_fields(
        preprocessing=[{"step": "resize", "width": 10**9, "height": 32}]
    ),
    "a step that does not exist": with_fields(preprocessing=[{"step": "exec", "code": "1"}]),
    "seventeen steps": with_fields(preprocessing=[{"step": "clahe"}] * 17),
    "a spread of 0": with_fields(normalisation={"mean": [0, 0, 0], "std": [1, 0, 1]}),
    "a classification of a network without encoder": with_fields(
        classification={"classes": ["Benign", "Malignant"], "inside": ["Tumor"]}
    ),
    "a classification of thousands": with_fields(
        classification={"classes": [str(n) for n in range(10**4)], "inside": ["Tumor"]}
    ),
    "a hash of another file": with_fields(sha256="f" * 64),
}  # fmt: skip


@pytest.mark.parametrize("damage", CARDS.values(), ids=CARDS)
def test_a_card_that_lies_or_is_damaged_is_refused_in_one_sentence(tmp_path, damage):
    write_bundle(tmp_path / "b", GOOD)
    file = tmp_path / "b" / CARD
    file.write_text(damage(file.read_text()))

    sentence(tmp_path / "b")


@pytest.mark.parametrize(
    "name", ["x" * 5000, "a/" * 3000, "nul\0byte", "", "line\nbreak", "\ud800"]
)
def test_an_impossible_name_is_refused(name):
    with pytest.raises(ModelError) as caught:
        load_bundle(name, device="cpu")
    assert len(str(caught.value).splitlines()) == 1


def test_a_card_of_gigabytes_does_not_hide_the_others(own_home):
    for name in ("good", "huge"):
        (own_home / "models").mkdir(parents=True, exist_ok=True)
        write_bundle(own_home / "models" / name, GOOD)
    os.truncate(own_home / "models" / "huge" / CARD, 3 << 30)

    names = [each.name for each in list_bundles()]
    assert "good" in names
    assert "huge" not in names


def test_a_bundle_of_an_unknown_network_is_left_out_of_the_list(own_home, capsys, monkeypatch):
    monkeypatch.setattr("segcore.cli.models._architectures", list)
    (own_home / "models").mkdir(parents=True)
    for name in ("good", "strange"):
        write_bundle(own_home / "models" / name, GOOD)
    file = own_home / "models" / "strange" / CARD
    file.write_text(file.read_text().replace(NETWORK, "resnet-999"))

    assert main(["models", "--json"]) == 0

    captured = capsys.readouterr()
    names = [each["name"] for each in json.loads(captured.out)]
    assert "good" in names
    assert "strange" not in names
    assert "'strange' is left out: There is no model 'resnet-999'" in captured.err


def test_a_hundred_random_damages_load_or_are_refused(tmp_path):
    random = np.random.default_rng(3)
    for _ in range(100):
        write_bundle(tmp_path / "b", mutated(GOOD, random))
        try:
            load_bundle(tmp_path / "b", device="cpu")
        except ModelError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - either outcome is right
