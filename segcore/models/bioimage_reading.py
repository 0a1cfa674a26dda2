"""Semantic segmentation networks from bioimage.io packages, in the place of bundles."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from segcore.errors import ModelError
from segcore.models.arrays import read_npy
from segcore.models.bioimage_format import NAMES, Description, File, read_description
from segcore.models.bioimage_operations import Array, operation
from segcore.models.bundle import Probabilities, Tiles
from segcore.models.bundle_files import LARGEST
from segcore.models.device import choose_device
from segcore.models.foreign_network import ForeignNetwork, Kind
from segcore.models.package_answers import Answers
from segcore.models.package_files import PackageFiles
from segcore.models.packaged_model import Foreign, PackagedModel, settled

LARGEST_DESCRIPTION = 128 << 10
LARGEST_TENSOR = 256 << 20
TOLERANCE = 1e-3
"""Of the packaged test output, relative to its largest value."""
SAME = 1 - 1e-4
"""Share of the test output's numbers that must agree: the rest may lie on a threshold."""

Call = Callable[[Array], Array]


def is_package(path: Path) -> bool:
    """Tell whether `path` is a zip, or a folder that describes itself as a package."""
    try:
        if path.is_dir():
            return any((path / name).is_file() for name in NAMES)
        return path.suffix.lower() == ".zip" and path.is_file()
    except (OSError, ValueError):  # no path at all; whoever loads it will say so
        return False


def inspect_package(path: Path) -> Foreign:
    """Return what a package (folder or zip) says, its hashes checked and nothing of it run.

    ONNX is preferred. Raises ModelError where it is damaged or no semantic segmentation of RGB images.
    """
    return _Package(path).foreign()


def load_package(path: Path, device: str = "auto", answers: Answers = Answers()) -> PackagedModel:  # noqa: B008 - frozen
    """Load a package, and run its test tensor before anything else.

    `answers` go over those kept for its weights. TorchScript, which is a program, is run only where it is
    trusted. Raises ModelError where that, the pixel size or the classes are not known, or the network does
    not give its own test output.
    """
    target = choose_device(device)
    package = _Package(path)
    foreign = package.foreign()
    card = settled(foreign, answers)
    weights = package.said.weights[foreign.kind]
    beside = {Path(each.source).name: package.read(each) for each in package.external(weights)}
    network = ForeignNetwork(
        foreign.kind, foreign.weights, target, name=weights.source, beside=beside
    )
    run = _pipeline(package.said, network)
    _check(package, run)
    return PackagedModel(card, _one_by_one(_as_probabilities(run, package.wanted)), target, path)


def package_contents(path: Path) -> dict[str, bytes]:
    """Return the files of a package that are used here, by name: description, weights, test tensors."""
    package = _Package(path)
    said = package.said
    files = [said.test_input, said.test_output]
    for kind in {"onnx", "torchscript"} & said.weights.keys():
        weights = said.weights[kind]
        files += [weights, *package.external(weights)]
    return {
        package.description: package.text,
        **{each.source: package.read(each) for each in files},
    }


class _Package:
    """A package's description and files."""

    def __init__(self, path: Path) -> None:
        self.path, self.files = path, PackageFiles(path)
        name = self.files.find(NAMES)
        if name is None:
            raise ModelError(
                f"The package {path.name} holds no rdf.yaml; give a bioimage.io package."
            )
        self.description = name
        self.text = self.files.read(name, most=LARGEST_DESCRIPTION)
        self.said: Description = read_description(self.text, source=f"{path.name}/{name}")

    def read(self, file: File, most: int = LARGEST) -> bytes:
        return self.files.read(file.source, most=most, sha256=file.sha256)

    def external(self, weights: File) -> list[File]:
        """Return the file in which large ONNX networks keep their numbers, named or not by the description."""
        if weights.external_data:
            return [weights.external_data]
        usual = f"{weights.source}.data"
        return [File(usual)] if self.files.find((usual,)) else []

    def tensor(self, file: File, axes: str) -> npt.NDArray[np.float32]:
        """Return a test tensor as (N, C, H, W)."""
        array = read_npy(self.read(file, LARGEST_TENSOR), name=file.source)
        if array.ndim != 4:
            raise ModelError(
                f"The test tensors of {self.said.name!r} are not images with channels."
            )
        return array.transpose([axes.index(axis) for axis in "bcyx"]).astype(np.float32)

    @property
    def given(self) -> npt.NDArray[np.float32]:
        return self.tensor(self.said.test_input, self.said.input_axes)

    @property
    def wanted(self) -> npt.NDArray[np.float32]:
        return self.tensor(self.said.test_output, self.said.output_axes)

    def foreign(self) -> Foreign:
        said = self.said
        kind = _choose(said, self.path.name)
        weights = self.read(said.weights[kind])
        given, wanted = self.given.shape, self.wanted.shape
        if given[1] != 3 or given[2:] != wanted[2:]:
            raise ModelError(
                f"{said.name!r} makes {wanted} of {given}; only networks that give each pixel "
                "of an RGB image its classes are used here."
            )
        return Foreign(
            path=self.path,
            name=said.name,
            origin="bioimage.io package",
            authors=said.authors,
            licence=said.licence or "unknown",
            kind=kind,
            weights=weights,
            channels=wanted[1],
            said_classes=said.channels or (),
            said_mpp=said.mpp,
            tile=said.tile,
            halo=said.halo,
        )


def _choose(said: Description, name: str) -> Kind:
    """Return the format to use: ONNX where it can be run."""
    if "onnx" in said.weights and find_spec("onnxruntime"):
        return "onnx"
    if "torchscript" in said.weights:
        return "torchscript"
    if "onnx" in said.weights:
        raise ModelError(
            f"The package {name} holds ONNX weights; pip install 'acinus[onnx]' to run them."
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


def _check(package: _Package, run: Call) -> None:
    """Raise ModelError where the network does not give what its author says it gives."""
    found, wanted = run(package.given), package.wanted
    scale = max(1e-6, float(np.abs(wanted).max()))
    if found.shape != wanted.shape or np.mean(np.isclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE * scale)) < SAME:  # fmt: skip
        raise ModelError(
            f"{package.said.name!r} does not give the test output that its package holds; get it again from its source."
        )


def _as_probabilities(run: Call, example: npt.NDArray[np.float32]) -> Call:
    """Return `run`, followed by what makes probabilities of its values where they are none yet."""
    if example.min() >= -TOLERANCE and example.max() <= 1 + TOLERANCE:
        return lambda pixels: np.clip(run(pixels), 0, 1, dtype=np.float32)
    if example.shape[1] == 1:
        return lambda pixels: expit(run(pixels)).astype(np.float32)
    return lambda pixels: softmax(run(pixels), axis=1).astype(np.float32)


def _one_by_one(run: Call) -> Callable[[Tiles], Probabilities]:
    """Return what runs (N, H, W, 3) tiles one after the other: many networks were saved for one image."""
    return lambda tiles: np.concatenate(
        [run(tile[None].transpose(0, 3, 1, 2).astype(np.float32)) for tile in tiles]
    )
