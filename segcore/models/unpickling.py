"""The child that reads a foreign `.pth`: `python -m segcore.models.unpickling FILE OUT NETWORK`.

NETWORK is JSON: {"name", "classes", "arguments"}. OUT becomes a safetensors file with exactly that network's
tensors. torch's restricted unpickler makes tensors and plain containers only; names and shapes are compared
with the network before any tensor is copied, for a kilobyte can declare 10^12 elements.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from segcore.errors import ModelError
from segcore.models.registry import create_model
from segcore.models.sandbox import confined

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
"""Keys under which training programs keep the weights, beside their optimiser."""
PREFIXES = ("module.", "model.", "net.", "network.", "_orig_mod.")
"""What DataParallel, Lightning and torch.compile put before every name."""
COUNTER = "num_batches_tracked"
"""A number of BatchNorm that old files lack and inference never reads."""

OBJECT = re.compile(r"GLOBAL ([\w.]+) was not an allowed global")
"""How torch names what its restricted unpickler refuses."""


def convert(file: Path, out: Path, network: Mapping[str, Any]) -> None:
    """Write the weights in `file` to `out`; raises ModelError where they are not those of `network`."""
    with torch.device("meta"):
        model = create_model(network["name"], classes=network["classes"], **network["arguments"])
    expected = model.state_dict()
    found = _without_prefix(_state_dict(_unpickle(file), file.name), expected)
    _compare(found, expected, file.name, network["name"])
    weights = {
        name: found[name].detach().to(tensor.dtype).contiguous().clone()
        if name in found
        else torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in expected.items()
    }
    save_file(weights, out)


def _unpickle(file: Path) -> Any:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # a plain record of settings
            return torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        # Whatever a damaged or evil file makes the unpickler raise (seven types were seen), it is refused.
        found = OBJECT.search(str(error))
        what = f"holds Python objects ({found[1][:80]}) beside weights" if found else "is damaged, or holds more than weights"  # fmt: skip
        raise ModelError(
            f"{file.name} {what}, which is not loaded; "
            "ask its author for a safetensors file or a plain state dict."
        ) from error


def _state_dict(content: Any, name: str) -> dict[str, Tensor]:
    """Return the first mapping from names to tensors: the content itself, or what a wrapper keeps."""
    candidates = [content]
    if isinstance(content, Mapping):
        candidates += [content[key] for key in WRAPPERS if key in content]
    for each in candidates:
        if isinstance(each, Mapping) and each and all(map(_is_entry, each.items())):
            return dict(each)
    raise ModelError(
        f"{name} holds no weights by name; only state dicts are read, not whole models."
    )


def _is_entry(item: tuple[Any, Any]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)


def _without_prefix(found: dict[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if not found.keys() & expected.keys() and all(n.startswith(prefix) for n in found):
            return {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _compare(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], file: str, network: str
) -> None:
    missing = [n for n in expected if n not in found and not n.endswith(COUNTER)]
    strange = [n for n in found if n not in expected]
    wrong = [n for n in found if n in expected and not _fits(found[n], expected[n])]
    if first := [*missing, *strange, *wrong][:1]:
        raise ModelError(
            f"{file} does not fit {network!r}: {len(missing)} tensors are missing, {len(strange)} unknown, "
            f"{len(wrong)} of another shape or type, {first[0][:80]!r} among them; "
            "give its architecture and its classes."
        )


def _fits(found: Tensor, expected: Tensor) -> bool:
    plain = found.layout == torch.strided and found.device.type == "cpu" and not found.is_quantized
    number = not found.is_complex() and found.is_floating_point() == expected.is_floating_point()
    return plain and number and found.shape == expected.shape


if __name__ == "__main__":
    source, target, network_json = sys.argv[1:]
    sys.exit(confined(lambda: convert(Path(source), Path(target), json.loads(network_json))))
