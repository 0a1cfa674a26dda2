"""Weights files that lie, and a network small enough that thousands of them are tried in seconds."""

import hashlib
import json
import struct

import numpy as np
from safetensors.numpy import save
from torch import nn

from segcore.models import Architecture
from segcore.models.bundle_files import CARD, WEIGHTS
from segcore.models.bundle_format import write_card
from tests.segcore.cards import card

NETWORK = "two-convolutions"


class TwoConvolutions(nn.Sequential):
    def __init__(self, classes):
        super().__init__(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, classes, 1))


def good_weights():
    tensors = TwoConvolutions(5).state_dict()
    return save({name: tensor.numpy() for name, tensor in tensors.items()})


def parts(content):
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def assembled(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_bundle(folder, weights):
    """Write a bundle whose card vouches for `weights`, so that only their content can give them away."""
    folder.mkdir(exist_ok=True)
    (folder / WEIGHTS).write_bytes(weights)
    digest = hashlib.sha256(weights).hexdigest()
    written = card(architecture=Architecture(NETWORK), sha256=digest)
    (folder / CARD).write_bytes(write_card(written))


VALUES = (
    -1, 0, 1, 10**12, 2**63, 2**64 - 1, -(2**63), 1.5, None, True, "F32", "F64", "I64", "BOOL", "F8_E4M3",
    "COMPLEX", "", [], {}, [0], [10**6, 10**6], [2**32, 2**32], [1] * 2000, "\u0000", "é" * 300,
)  # fmt: skip
"""What a field of a header is replaced by."""


def mutated(content, random):
    """Return `content` damaged in one of six ways."""
    content = bytearray(content)
    way = random.integers(6)
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    if way == 0:
        content[random.integers(header_end)] ^= 1 << int(random.integers(8))
    elif way == 1:
        at = random.integers(len(content), size=8)
        for each in at:
            content[each] = random.integers(256)
    elif way == 2:
        del content[random.integers(len(content)) :]
    elif way == 3:
        at = int(random.integers(len(content)))
        content[at:at] = random.bytes(int(random.integers(1, 64)))
    elif way == 4:
        content[:8] = struct.pack("<Q", int(2 ** random.uniform(0, 63)))
    else:
        content[:] = lying_header(bytes(content), random)
    return bytes(content)


def lying_header(content, random):
    header, data = parts(content)
    name = str(random.choice(list(header)))
    field = str(random.choice(["dtype", "shape", "data_offsets", "whole", "name"]))
    value = VALUES[random.integers(len(VALUES))]
    if field == "whole":
        header[name] = value
    elif field == "name":
        header[str(value)] = header.pop(name)
    elif field == "dtype" or random.random() < 0.3:
        header[name][field] = value
    else:
        header[name][field][random.integers(len(header[name][field]))] = value
    return assembled(header, data)


def with_values(value):
    """Return good weights whose numbers are all `value`."""
    tensors = TwoConvolutions(5).state_dict()
    return save({n: np.full(t.shape, value, np.float32) for n, t in tensors.items()})


CARD_VALUES = (
    *VALUES, -0.0, 1e308, 1e-308, 10**400, "x" * 3000, "\ud800", "../../etc", "line\nbreak", [[]] * 50, {"a": {"b": {}}},
    ["Tumor"] * 300, {"step": "resize", "width": 10**9, "height": 1}, [{"step": "resize", "width": 8192, "height": 8192}] * 17,
    [{"step": "macenko", "target": None}], "lightmuseg-v2", "hi-net", {"name": "hi-net", "arguments": {"depth": 10**9}},
    {"classes": ["A", "B"], "inside": ["Tumor"]}, {"classes": ["A"] * 10**4, "inside": ["Tumor"]},
)  # fmt: skip
"""What a field of a card is replaced by."""


def mutated_card(content, random):
    """Return the bytes of a card damaged in its letters or in its values."""
    if random.random() < 0.4:
        return mutated_text(content, random)
    card = json.loads(content)
    for _ in range(random.integers(1, 4)):
        change_somewhere(card, random)
    text = json.dumps(card)
    if random.random() < 0.1:  # what JSON has no words for, and what Python writes all the same
        text = text.replace("0.5", str(random.choice(["NaN", "Infinity", "1e999", "-0"])))
    return text.encode("utf-8", "surrogatepass")


def mutated_text(content, random):
    content = bytearray(content)
    way = random.integers(4)
    at = int(random.integers(len(content)))
    if way == 0:
        content[at] ^= 1 << int(random.integers(8))
    elif way == 1:
        del content[at:]
    elif way == 2:
        content[at:at] = random.bytes(int(random.integers(1, 64)))
    else:
        content[at:at] = bytes(random.choice([b"[", b"{", b'"', b"\xff"])) * int(
            random.integers(1, 10**5)
        )
    return bytes(content)


def change_somewhere(card, random):
    """Replace, remove or add one value, at any depth."""
    place = card
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = keys[random.integers(len(keys))]
        if not isinstance(place[key], dict | list) or random.random() < 0.4:
            break
        place = place[key]
    value = CARD_VALUES[random.integers(len(CARD_VALUES))]
    way = random.random()
    if way < 0.7:
        place[key] = value
    elif way < 0.85:
        del place[key]
    elif isinstance(place, dict):
        place[str(value)[:2000]] = value
    else:
        place.append(value)
