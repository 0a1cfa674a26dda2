"""A bundle written as a bioimage.io 0.5 package, which QuPath, ilastik and deepImageJ read.

The zip holds `rdf.yaml`, TorchScript (and ONNX where `onnx` is installed), test tensors, a cover and a
README. The network takes normalised pixels and gives probabilities; the normalisation is described in the
package. Format: https://github.com/bioimage-io/spec-bioimage-io; all that this program knows besides lies
under `config: segcore:`.
"""

import hashlib
import re
import tempfile
import warnings
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
import yaml
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from segcore.annotations import Class, load_taxonomy
from segcore.annotations.atomic import replacing
from segcore.errors import ModelError
from segcore.models.bundle import Bundle
from segcore.models.bundle_format import STRIDE, Card
from segcore.models.fusion import fuse
from segcore.models.normalisation import normalise

FORMAT = "0.5.4"
OPSET = 17
SPDX = ("Apache-2.0", "MIT", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0")  # fmt: skip
"""Licences that the format takes by name; all others stand in the README alone."""


class Probabilities(nn.Module):
    """(N, 3, H, W) normalised image -> (N, classes, H, W) probabilities, float32."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        self.network = fuse(bundle.model).cpu()
        self.alone = len(bundle.classes) == 1

    def forward(self, image: Tensor) -> Tensor:
        logits = self.network(image)
        return logits.sigmoid() if self.alone else logits.softmax(1)


def write_package(bundle: Bundle, out: Path) -> tuple[str, ...]:
    """Write `bundle` to the new zip file `out`; return the formats of the weights in it.

    Raises ModelError where it cannot be expressed, or the written weights do not give what the bundle
    gives; ExportError where writing fails. Then there is no file.
    """
    if out.suffix.lower() != ".zip":
        raise ModelError(f"A package is a zip file; call it {out.name}.zip.")
    if out.exists():
        raise ModelError(f"There is a file {out} already; choose another name.")
    if bundle.card.preprocessing:
        raise ModelError(
            f"The bundle {bundle.card.name!r} prepares its tiles in steps that a bioimage.io package "
            "cannot describe; export one that only normalises."
        )
    with tempfile.TemporaryDirectory(prefix="acinus-export-") as scratch:
        folder = Path(scratch)
        weights = _fill(folder, bundle)
        with replacing(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as package:
            for file in sorted(folder.iterdir()):
                package.write(file, file.name)
    return weights


def _fill(folder: Path, bundle: Bundle) -> tuple[str, ...]:
    card = bundle.card
    network = Probabilities(bundle).eval()
    tile = _test_tile(card.tile)
    pixels = torch.from_numpy(tile).permute(2, 0, 1)[None]  # (1, 3, tile, tile) uint8
    image = normalise(pixels, card.normalisation).contiguous()
    with torch.no_grad():
        expected = network(image)
    weights = {"torchscript": _write_torchscript(folder, network, image, expected)}
    if find_spec("onnx"):
        weights["onnx"] = _write_onnx(folder, network, image)
    np.save(folder / "test_input.npy", pixels.float().numpy())
    np.save(folder / "test_output.npy", expected.numpy())
    _write_cover(folder / "cover.png", tile, bundle, expected)
    (folder / "README.md").write_text(_readme(card), encoding="utf-8")
    (folder / "rdf.yaml").write_text(_yaml(description(bundle, weights, folder)), encoding="utf-8")
    return tuple(weights)


def _write_torchscript(
    folder: Path, network: nn.Module, image: Tensor, expected: Tensor
) -> dict[str, Any]:
    """Trace the network and check, on the test tile and on a wider one, that nothing is lost."""
    file = folder / "weights.pt"
    with warnings.catch_warnings(), torch.no_grad():
        # TorchScript is deprecated in torch but is what the readers take; the tracer warns of
        # the padding to multiples of 32, which the package's tiles never need.
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(network, image, check_trace=False), file)
        traced = torch.jit.load(file, map_location="cpu")
        wide = image[..., : 2 * STRIDE, :].contiguous()
        same = torch.allclose(traced(image), expected, atol=1e-5) and torch.allclose(
            traced(wide), network(wide), atol=1e-5
        )
    if not same:
        raise ModelError("The network cannot be traced: its TorchScript gives other probabilities.")
    return {"source": file.name, "pytorch_version": torch.__version__.split("+")[0]}


def _write_onnx(folder: Path, network: nn.Module, image: Tensor) -> dict[str, Any]:
    file = folder / "weights.onnx"
    free = {0: "batch", 2: "y", 3: "x"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter for TorchScript is deprecated too
        torch.onnx.export(
            network,
            (image,),
            file,
            dynamo=False,  # the newer exporter fixes the size of the tiles
            opset_version=OPSET,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": free, "output": free},
        )
    return {"source": file.name, "opset_version": OPSET, "parent": "torchscript"}


def _test_tile(size: int) -> npt.NDArray[np.uint8]:
    """Return soft blots in the colours of H&E: the same on every computer, and nobody's tissue."""
    noise = np.random.default_rng(0).normal(size=(3, size, size))
    fields = gaussian_filter(noise, (0, size / 24, size / 24))
    weights = np.exp(40 * fields / np.abs(fields).max())
    colours = np.array([(120, 60, 140), (225, 150, 190), (240, 238, 240)])  # nuclei, stroma, glass
    blend = (weights[..., None] * colours[:, None, None]).sum(0) / weights.sum(0)[..., None]
    return blend.round().astype(np.uint8)


def _write_cover(
    file: Path, tile: npt.NDArray[np.uint8], bundle: Bundle, probabilities: Tensor
) -> None:
    """Write the test tile and, beside it, what the network makes of it."""
    if len(bundle.classes) == 1:
        labels = (probabilities[0, 0] >= 0.5).long()
        colours = [(255, 255, 255), *(each.colour for each in _classes(bundle.card))]
    else:
        labels, colours = probabilities[0].argmax(0), [c.colour for c in _classes(bundle.card)]
    drawn = np.array(colours, np.uint8)[labels.numpy()]
    picture = Image.fromarray(np.concatenate([tile, drawn], axis=1))
    picture.thumbnail((1024, 512))
    picture.save(file)


def description(bundle: Bundle, weights: dict[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Return what `rdf.yaml` says; `folder` holds the files that it names."""
    card = bundle.card
    document: dict[str, Any] = {
        "format_version": FORMAT,
        "type": "model",
        "name": _package_name(card.title),
        "description": f"Semantic segmentation of breast histology, H&E: {', '.join(card.classes)}.",
        "tags": ["histology", "breast", "he", "semantic-segmentation", "pathology", "2d"],
        "documentation": _file(folder, "README.md"),
        "covers": [_file(folder, "cover.png")],
        "inputs": [_input(card, folder)],
        "outputs": [_output(card, folder)],
        "weights": {
            kind: {**_file(folder, each["source"]), **each} for kind, each in weights.items()
        },
        "config": {"segcore": _own(bundle)},
    }
    licence = card.licence.split()[0]
    return document | ({"license": licence} if licence in SPDX else {})


def _yaml(document: dict[str, Any]) -> str:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - not every reader follows them
            return True

    return yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True)


def _file(folder: Path, name: str) -> dict[str, str]:
    return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}


def _input(card: Card, folder: Path) -> dict[str, Any]:
    size = {"min": card.tile, "step": STRIDE}
    mean, std = card.normalisation.mean, card.normalisation.std
    kwargs = {"axis": "channel", "mean": [255 * v for v in mean], "std": [255 * v for v in std]}
    return {
        "id": "input",
        "description": f"A tile of the slide at {card.mpp:g} micrometres per pixel, red, green and blue.",
        "axes": _axes(card, ["red", "green", "blue"], {"y": {"size": size}, "x": {"size": size}}),
        # Readers cast back to this type after the preprocessing: uint8 would undo it.
        "data": {"type": "float32", "range": [0.0, 255.0]},
        "preprocessing": [{"id": "fixed_zero_mean_unit_variance", "kwargs": kwargs}],
        "test_tensor": _file(folder, "test_input.npy"),
    }


def _output(card: Card, folder: Path) -> dict[str, Any]:
    halo = {"halo": card.halo} if card.halo else {}
    space = {a: {"size": {"tensor_id": "input", "axis_id": a}, **halo} for a in "yx"}
    return {
        "id": "output",
        "description": "The probability of each class.",
        "axes": _axes(card, [_identifier(name) for name in card.classes], space),
        "data": {"type": "float32", "range": [0.0, 1.0]},
        "test_tensor": _file(folder, "test_output.npy"),
    }


def _axes(card: Card, channels: list[str], space: dict[str, dict[str, Any]]) -> list[Any]:
    scale = {"unit": "micrometer", "scale": card.mpp}
    return [
        {"type": "batch"},
        {"type": "channel", "channel_names": channels},
        *({"type": "space", "id": axis, **scale, **size} for axis, size in space.items()),
    ]


def _own(bundle: Bundle) -> dict[str, Any]:
    """Return what only this program asks for: the card, and how the classes are drawn and named."""
    classes = [
        {"name": c.name, "code": c.code, "colour": list(c.colour), "qupath": c.qupath}
        for c in _classes(bundle.card)
    ]
    card = msgspec.structs.replace(
        bundle.card, classification=None
    )  # the network gives masks alone
    return {"classes": classes, "card": msgspec.to_builtins(card)}


def _classes(card: Card) -> list[Class]:
    return [load_taxonomy().named(name) for name in card.classes]


def _package_name(title: str) -> str:
    """Return the title in the letters and the length that the format allows."""
    name = re.sub(r"[^A-Za-z0-9_+()\- ]+", " ", title)
    return " ".join(name.split())[:128].strip().ljust(5, "-")


def _identifier(name: str) -> str:
    identifier = re.sub(r"\W", "_", name)
    return identifier if identifier.isidentifier() else f"class_{identifier}"


def _readme(card: Card) -> str:
    rows = [
        f"| {m.name} | {m.class_name} | {m.value:.3f} | {m.split} | {m.cases} | {m.note} |"
        for m in card.metrics
    ]
    measured = (
        "\n".join(["| Metric | Class | Value | Split | Cases | Note |", "|---|---|---|---|---|---|", *rows])
        if rows
        else "Nothing has been measured. Measure before you rely on it."
    )  # fmt: skip
    trained = card.training.summary if card.trained else "Untrained: its masks mean nothing."
    return (
        f"# {card.title}\n\nIntended use: {card.intended_use}\n\nLimits: {card.limits}\n\n"
        f"Licence: {card.licence}\n\n"
        f"Input: H&E at {card.mpp:g} micrometres per pixel. Classes: {', '.join(card.classes)}.\n\n"
        f"## Training\n\n{trained}\n\n## Validation\n\n{measured}\n"
    )
