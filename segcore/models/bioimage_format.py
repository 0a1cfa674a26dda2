"""What a bioimage.io package (format 0.4 or 0.5) says of its network: `rdf.yaml`, brought into one shape."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from segcore.errors import ModelError

NAMES = ("rdf.yaml", "bioimageio.yaml", "rdf.yml", "bioimageio.yml", "model.yaml")
MICROMETRES = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3, "centimeter": 1e4, "meter": 1e6}  # fmt: skip
MOST_NODES = 20_000
USUAL_TILE, LARGEST_TILE = 512, 8192


class File(msgspec.Struct, frozen=True):
    source: str
    sha256: str | None = None
    external_data: "File | None" = None
    """Where ONNX weights keep their numbers apart."""


class Step(msgspec.Struct, frozen=True):
    """One pre- or post-processing step: `id` in 0.5, `name` in 0.4."""

    id: str = ""
    name: str = ""
    kwargs: dict[str, Any] = {}


class _Axis(msgspec.Struct):
    type: str
    id: str | None = None
    channel_names: list[str] | None = None
    size: Any = None
    unit: str | None = None
    scale: float = 1.0
    halo: int = 0


class _Tensor(msgspec.Struct):
    """`axes` is a list in 0.5 and text in 0.4."""

    axes: list[_Axis] | str
    test_tensor: File | None = None
    shape: Any = None
    halo: list[int] | None = None
    preprocessing: list[Step] | None = None
    postprocessing: list[Step] | None = None


class _Rdf(msgspec.Struct):
    format_version: str
    type: str
    name: str
    inputs: list[_Tensor]
    outputs: list[_Tensor]
    weights: dict[str, File]
    test_inputs: list[str] = []
    test_outputs: list[str] = []
    license: str | None = None
    authors: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    name: str
    licence: str | None
    authors: tuple[str, ...]
    channels: tuple[str, ...] | None
    """What the output's channels are called; 0.4 does not say."""
    mpp: float | None
    """0.4 does not say."""
    tile: int
    halo: int
    input_axes: str
    """Of the network's input and output, as "bcyx"."""
    output_axes: str
    before: tuple[Step, ...]
    after: tuple[Step, ...]
    weights: dict[str, File]
    test_input: File
    test_output: File


class _Loader(yaml.SafeLoader):
    """Makes plain values, few of them: a kilobyte of aliases of aliases can mean a billion."""

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None and _weight(node, {}) > MOST_NODES:
            raise yaml.YAMLError("it says too much for a description")
        return node


def _weight(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many nodes there would be if every alias were written out; raises YAMLError for a loop."""
    if id(node) not in known:
        known[id(node)] = -1
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        flat = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] = 1 + sum(_weight(each, known) for each in flat)
    if known[id(node)] < 0:
        raise yaml.YAMLError("it contains itself")
    return known[id(node)]


def read_description(content: bytes, *, source: str) -> Description:
    """Read `rdf.yaml`; `source` names it in the ModelError that tells why it cannot be used here."""
    try:
        document = yaml.load(content, _Loader)  # noqa: S506 - a SafeLoader that makes less
        rdf = msgspec.convert(document, _Rdf)
    except (yaml.YAMLError, msgspec.ValidationError, ValueError, TypeError, RecursionError, OverflowError) as error:  # fmt: skip
        reason = _line(error)[:200]
        raise ModelError(f"{source} does not describe a model: {reason}.") from error
    try:
        return _description(rdf)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        reason = _line(error)[:200] if type(error) is ValueError else "it contradicts itself"
        raise ModelError(
            f"{source} describes a model that cannot be used here: {reason}."
        ) from error


def _line(text: object) -> str:
    """Return what a package says in one line."""
    return " ".join(str(text).split())


def _description(rdf: _Rdf) -> Description:
    """Return what `rdf` says; raises ValueError with the reason where this program has no use for it."""
    version = rdf.format_version.split(".")[:2]
    if rdf.type != "model" or version not in (["0", "4"], ["0", "5"]):
        raise ValueError(f"it is a {rdf.type[:40]} of format {rdf.format_version[:20]}, not a model of 0.4 or 0.5")  # fmt: skip
    if len(rdf.inputs) != 1 or len(rdf.outputs) != 1:
        raise ValueError("it has several inputs or outputs")
    (given,), (made,) = rdf.inputs, rdf.outputs
    input_axes, output_axes = _order(given), _order(made)
    minimum, step = _size(given, input_axes)
    halo = _halo(made, output_axes)
    return Description(
        name=_line(rdf.name)[:80],
        licence=_line(rdf.license)[:80] if rdf.license else None,
        authors=tuple(_line(each.get("name", ""))[:80] for each in (rdf.authors or [])[:10]),
        channels=_channels(made),
        mpp=_mpp(given),
        tile=_tile(minimum, step, halo),
        halo=halo,
        input_axes=input_axes,
        output_axes=output_axes,
        before=tuple(given.preprocessing or ()),
        after=tuple(made.postprocessing or ()),
        weights=rdf.weights,
        test_input=_test(given, rdf.test_inputs),
        test_output=_test(made, rdf.test_outputs),
    )


def _order(tensor: _Tensor) -> str:
    """Return the axes as letters, in their order."""
    if isinstance(tensor.axes, str):
        letters = tensor.axes
    else:
        letters = "".join(
            # "x" is the format's own default: most authors leave it out
            (axis.id or "x") if axis.type == "space" else axis.type[:1]
            for axis in tensor.axes
        )
    if sorted(letters) != sorted("bcyx"):
        raise ValueError("it does not take two-dimensional images with channels, one by one")
    return letters


def _size(tensor: _Tensor, order: str) -> tuple[int, int]:
    """Return the least side of a tile and the step between allowed ones, 0 where only one is."""
    if isinstance(tensor.axes, str):
        shape = tensor.shape
        lists = (shape["min"], shape["step"]) if isinstance(shape, dict) else (shape, [0] * 4)
        sizes = {tuple(int(each[order.index(a)]) for each in lists) for a in "yx"}
    else:
        space = [axis.size for axis in tensor.axes if axis.type == "space"]
        # x may refer to y and be as long
        sizes = {_limits(size) for size in space if not (isinstance(size, dict) and "axis_id" in size)}  # fmt: skip
    if len(sizes) != 1:
        raise ValueError("its tiles are not square")
    ((minimum, step),) = sizes
    if not (0 < minimum <= LARGEST_TILE and 0 <= step <= LARGEST_TILE):
        raise ValueError(f"its tiles of {minimum} pixels are too small or too large")
    return minimum, step


def _limits(size: Any) -> tuple[int, int]:
    return (int(size["min"]), int(size["step"])) if isinstance(size, dict) else (int(size), 0)


def _tile(minimum: int, step: int, halo: int) -> int:
    """Return the allowed side next to the usual one, of which the halo is no more than a quarter."""
    wanted = max(USUAL_TILE, 4 * halo)
    tile = minimum + math.ceil(max(0, wanted - minimum) / step) * step if step else minimum
    if 4 * halo > tile or tile > LARGEST_TILE:
        raise ValueError(f"its halo of {halo} pixels is more than a quarter of its tiles")
    return tile


def _halo(tensor: _Tensor, order: str) -> int:
    if isinstance(tensor.axes, str):
        return max((tensor.halo[order.index(a)] for a in "yx"), default=0) if tensor.halo else 0
    return max(0, *(axis.halo for axis in tensor.axes))


def _channels(tensor: _Tensor) -> tuple[str, ...] | None:
    if isinstance(tensor.axes, str):
        return None
    names = next(axis.channel_names for axis in tensor.axes if axis.type == "channel")
    return tuple(_line(name)[:80] for name in names) if names else None


def _mpp(tensor: _Tensor) -> float | None:
    """Return micrometres per pixel where both axes say them; raises ValueError where they differ."""
    if isinstance(tensor.axes, str):
        return None
    space = [axis for axis in tensor.axes if axis.type == "space"]
    sizes = [MICROMETRES[axis.unit] * axis.scale for axis in space if axis.unit in MICROMETRES]
    if len(sizes) != 2:
        return None
    if not (min(sizes) > 0 and max(sizes) <= 100 and max(sizes) <= 1.01 * min(sizes)):
        raise ValueError(f"its pixels of {sizes[0]:g} x {sizes[1]:g} micrometres are not square or make no sense")  # fmt: skip
    return sizes[0]


def _test(tensor: _Tensor, listed: Sequence[str]) -> File:
    if tensor.test_tensor is not None:
        return tensor.test_tensor
    if len(listed) != 1:
        raise ValueError("it has no test tensors to check it with")
    return File(listed[0])
