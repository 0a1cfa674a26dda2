"""Semantic segmentation networks from bioimage.io packages, in the place of bundles."""

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit, softmax

from segcore.annotations import load_taxonomy
from segcore.errors import ModelError
from segcore.models.arrays import read_npy
from segcore.models.bioimage_format import NAMES, Description, read_description
from segcore.models.bioimage_operations import Array, operation
from segcore.models.bundle import CPU_BATCH, Bundle, Probabilities, Tiles
from segcore.models.bundle_files import LARGEST
from segcore.models.bundle_format import Architecture, Card, TrainingData
from segcore.models.device import choose_device
from segcore.models.foreign_network import ForeignNetwork, Kind
from segcore.models.normalisation import Normalisation
from segcore.models.package_files import PackageFiles

LARGEST_DESCRIPTION = 256 << 10
LARGEST_TENSOR = 256 << 20
TOLERANCE = 1e-3
"""Of the packaged test output, relative to its largest value."""

Call = Callable[[Array], Array]


class PackagedModel(Bundle):
    """A package's network in the place of a bundle; it runs in a child process, so there are no gradients."""

    def __init__(self, card: Card, network: Call, device: torch.device, path: Path) -> None:
        # Not the bundle's own constructor: there is no module to be moved to a device.
        self.card, self.device, self.path = card, device, path
        self.precision = torch.float32
        self._network = network

    def __getattr__(self, name: str) -> Any:
        if name == "model":
            raise ModelError(
                f"{self.card.name!r} comes as a package that only predicts; explain a bundle instead."
            )
        raise AttributeError(name)

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """Return each channel's pixel value in masks, 0 (unlabelled) where the taxonomy has no such class."""
        return tuple(_code(name) for name in self.classes)

    def predict(self, tiles: Tiles) -> Probabilities:
        """Return (N, classes, H, W) float32 probabilities of (N, H, W, 3) uint8 tiles at `mpp`."""
        if tiles.ndim != 4 or tiles.shape[3] != 3 or tiles.dtype != np.uint8:
            raise ModelError(
                f"Tiles must be (N, H, W, 3) uint8, not {tiles.shape} of {tiles.dtype}."
            )
        shape = len(tiles), len(self.classes), *tiles.shape[1:3]
        if 0 in tiles.shape:
            return np.zeros(shape, np.float32)
        parts = [tiles[i : i + CPU_BATCH] for i in range(0, len(tiles), CPU_BATCH)]
        found = np.concatenate(
            [self._network(part.transpose(0, 3, 1, 2).astype(np.float32)) for part in parts]
        )
        if found.shape != shape:
            raise ModelError(
                f"{self.card.name!r} gives {found.shape} for tiles of {tiles.shape}; use its own tile size."
            )
        return found


def is_package(path: Path) -> bool:
    """Tell whether `path` is a zip, or a folder that describes itself as a package."""
    try:
        if path.is_dir():
            return any((path / name).is_file() for name in NAMES)
        return path.suffix.lower() == ".zip" and path.is_file()
    except OSError:  # no path at all; whoever loads it will say so
        return False


def load_package(
    path: Path,
    device: str = "auto",
    *,
    trust: bool = False,
    mpp: float | None = None,
    classes: Sequence[str] | None = None,
) -> PackagedModel:
    """Load a package (folder or zip), check its hashes, and run its test tensor before anything else.

    ONNX is preferred. TorchScript, which is a program, is run only with `trust`. `mpp` and `classes` say what
    the package does not (format 0.4), or say it better. Raises ModelError where it is damaged, does not give
    its own test output, or is no semantic segmentation of RGB images.
    """
    target = choose_device(device)
    files = PackageFiles(path)
    name = files.find(NAMES)
    if name is None:
        raise ModelError(f"The package {path.name} holds no rdf.yaml; give a bioimage.io package.")
    said = read_description(
        files.read(name, most=LARGEST_DESCRIPTION), source=f"{path.name}/{name}"
    )
    kind = _choose(said, path.name, trust=trust)
    content = files.read(said.weights[kind].source, most=LARGEST, sha256=said.weights[kind].sha256)
    network = ForeignNetwork(kind, content, target, name=said.weights[kind].source)
    call, channels = _checked(said, _pipeline(said, network), files)
    card = _card(said, kind, channels, mpp=mpp, classes=classes)
    return PackagedModel(card, call, target, path)


def _choose(said: Description, name: str, *, trust: bool) -> Kind:
    if "onnx" in said.weights and find_spec("onnxruntime"):
        return "onnx"
    if "torchscript" in said.weights and trust:
        return "torchscript"
    if "onnx" in said.weights:
        raise ModelError(
            f"The package {name} holds ONNX weights; pip install 'acinus[onnx]' to run them."
        )
    if "torchscript" in said.weights:
        raise ModelError(
            f"The weights in {name} are TorchScript, which is a program; run it only if you trust it (--trust-model)."
        )
    kinds = ", ".join(sorted(said.weights))[:100] or "no weights"
    raise ModelError(f"The package {name} holds {kinds}; ONNX or TorchScript weights are needed.")


def _pipeline(said: Description, network: Call) -> Call:
    """Return the whole way from (N, 3, H, W) pixels to (N, classes, H, W) values."""
    before, after = (
        [operation(step.id or step.name, step.kwargs) for step in steps]
        for steps in (said.before, said.after)
    )
    into = ["bcyx".index(axis) for axis in said.input_axes]
    back = [said.output_axes.index(axis) for axis in "bcyx"]

    def run(pixels: Array) -> Array:
        for step in before:
            pixels = step(pixels)
        found = network(np.ascontiguousarray(pixels.transpose(into), np.float32))
        if found.ndim != 4:
            raise ModelError(f"{said.name!r} gives an array of {found.ndim} axes, not four.")
        found = found.transpose(back)
        for step in after:
            found = step(found)
        return found

    return run


def _checked(said: Description, run: Call, files: PackageFiles) -> tuple[Call, int]:
    """Run the packaged test; return the call that gives probabilities, and the number of classes.

    Raises ModelError where the network does not give what its author says it gives.
    """
    given, expected = (
        read_npy(files.read(f.source, most=LARGEST_TENSOR, sha256=f.sha256), name=f.source)
        for f in (said.test_input, said.test_output)
    )
    if given.ndim != 4 or expected.ndim != 4:
        raise ModelError(f"The test tensors of {said.name!r} are not images with channels.")
    image = given.transpose([said.input_axes.index(a) for a in "bcyx"]).astype(np.float32)
    wanted = expected.transpose([said.output_axes.index(a) for a in "bcyx"]).astype(np.float32)
    if image.shape[1] != 3 or image.shape[2:] != wanted.shape[2:]:
        raise ModelError(
            f"{said.name!r} makes {wanted.shape} of {image.shape}; only networks that give each pixel "
            "of an RGB image its classes are used here."
        )
    found = run(image)
    scale = max(1e-6, float(np.abs(wanted).max()))
    if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE * scale):  # fmt: skip
        raise ModelError(
            f"{said.name!r} does not give the test output that its package holds; get it again from its source."
        )
    return _as_probabilities(run, wanted), wanted.shape[1]


def _as_probabilities(run: Call, example: npt.NDArray[np.float32]) -> Call:
    """Return `run`, followed by what makes probabilities of its values where they are none yet."""
    if example.min() >= -TOLERANCE and example.max() <= 1 + TOLERANCE:
        return lambda pixels: np.clip(run(pixels), 0, 1, dtype=np.float32)
    if example.shape[1] == 1:
        return lambda pixels: expit(run(pixels)).astype(np.float32)
    return lambda pixels: softmax(run(pixels), axis=1).astype(np.float32)


def _card(
    said: Description,
    kind: Kind,
    channels: int,
    *,
    mpp: float | None,
    classes: Sequence[str] | None,
) -> Card:
    if (size := mpp or said.mpp) is None:
        raise ModelError(
            f"{said.name!r} does not say its pixel size; give the micrometres per pixel."
        )
    names = tuple(classes or said.channels or ())
    known = ", ".join(each.name for each in load_taxonomy().classes)
    if len(names) != channels:
        raise ModelError(
            f"{said.name!r} has {channels} channels and {len(names)} names; give its classes in channel order."
        )
    if not any(map(_code, names)):
        raise ModelError(
            f"None of the classes of {said.name!r} is known here; give them in channel order, from {known}."
        )
    return Card(
        format="acinus-bundle-1",
        name=said.name,
        title=f"{said.name} (bioimage.io)",
        architecture=Architecture(f"bioimage.io {kind}"),
        classes=tuple(_found(name) for name in names),
        mpp=size,
        tile=said.tile,
        halo=said.halo,
        normalisation=Normalisation((0, 0, 0), (1, 1, 1)),  # the package's own steps take its place
        trained=True,
        training=TrainingData("Unknown here: the package's README may tell."),
        metrics=(),
        licence=said.licence or "unknown",
        intended_use="Research use only.",
        limits="Nothing has been measured with this package in this program; measure before you rely on it.",
        sha256=said.weights[kind].sha256 or "0" * 64,
    )


def _found(name: str) -> str:
    """Return the taxonomy's name for a channel's, which has no spaces, or that."""
    found = load_taxonomy().find(name.replace("_", " "))
    return found.name if found else name


def _code(name: str) -> int:
    found = load_taxonomy().find(name.replace("_", " "))
    return found.code if found else 0
