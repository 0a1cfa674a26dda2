"""Tile classifiers of the WSInfer zoo: a folder with `config.json` and TorchScript weights.

Where a segmenter is wanted, one serves too, coarsely: all pixels of a patch get the patch's class.

The configuration's schema: https://github.com/SBU-BMI/wsinfer-zoo (model-config.schema.json, version 1.0).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta
from PIL import Image
from scipy.special import expit, softmax

from segcore.errors import ModelError
from segcore.models.device import choose_device
from segcore.models.foreign_network import ForeignNetwork
from segcore.models.package_answers import Answers, read_answers
from segcore.models.package_files import PackageFiles
from segcore.models.packaged_model import Foreign, PackagedModel, settled

CONFIG = "config.json"
WEIGHTS = "torchscript_model.pt"
LARGEST_CONFIG = 64 << 10
LARGEST_WEIGHTS = 2 << 30
BATCH = 8

Name = Annotated[str, Meta(min_length=1, max_length=80)]


class _Transform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Literal["Resize", "ToTensor", "Normalize"]
    arguments: dict[str, Any] | None = None


class Config(msgspec.Struct, frozen=True):
    """What a WSInfer folder says of its network: the schema's seven required fields."""

    spec_version: Literal["1.0"]
    architecture: Name
    num_classes: Annotated[int, Meta(ge=1, le=1000)]
    patch_size_pixels: Annotated[int, Meta(ge=1, le=8192)]
    spacing_um_px: Annotated[float, Meta(gt=0, le=100)]
    class_names: Annotated[tuple[Name, ...], Meta(min_length=1)]
    transform: Annotated[tuple[_Transform, ...], Meta(max_length=8)]


class TileClassifier:
    """Gives each tile of a slide one probability per class. It segments nothing."""

    def __init__(self, config: Config, network: ForeignNetwork, path: Path) -> None:
        self.config, self.path = config, path
        self.classes = config.class_names
        self.mpp = config.spacing_um_px
        self.tile = config.patch_size_pixels
        self._network = network
        self._size, self._mean, self._std = _read_transforms(config)

    def classify(self, tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return (N, classes) probabilities of (N, H, W, 3) uint8 tiles at `mpp`."""
        if tiles.ndim != 4 or tiles.shape[3] != 3 or tiles.dtype != np.uint8:
            raise ModelError(
                f"Tiles must be (N, H, W, 3) uint8, not {tiles.shape} of {tiles.dtype}."
            )
        if 0 in tiles.shape:
            return np.zeros((len(tiles), len(self.classes)), np.float32)
        batches = [tiles[i : i + BATCH] for i in range(0, len(tiles), BATCH)]
        scores = np.concatenate([self._network(self._prepared(batch)) for batch in batches])
        if scores.shape != (len(tiles), len(self.classes)):
            raise ModelError(
                f"The classifier in {self.path} gives {scores.shape} for {len(tiles)} tiles and "
                f"{len(self.classes)} classes; get it again from its source."
            )
        return (expit(scores) if len(self.classes) == 1 else softmax(scores, axis=1)).astype(
            np.float32
        )

    def _prepared(self, tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return (N, 3, size, size): resized by Pillow as torchvision does, then normalised."""
        if self._size is not None and tiles.shape[1:3] != (self._size, self._size):
            side = (self._size, self._size)
            resized = [Image.fromarray(t).resize(side, Image.Resampling.BILINEAR) for t in tiles]
            tiles = np.stack([np.asarray(each) for each in resized])
        scaled = (tiles.astype(np.float32) / 255 - self._mean) / self._std  # (N, size, size, 3)
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32)


def is_classifier(folder: Path) -> bool:
    """Tell whether `folder` looks like WSInfer's."""
    try:
        return (folder / CONFIG).is_file() and _weights(folder) is not None
    except (OSError, ValueError):  # no path at all; whoever loads it will say so
        return False


def _weights(folder: Path) -> str | None:
    """Return the name of the weights: the zoo's own, else the first `.pt`, as other programs take it."""
    names = sorted(each.name for each in folder.glob("*.pt") if each.is_file())
    return WEIGHTS if WEIGHTS in names else next(iter(names), None)


def classifier_files(folder: Path) -> tuple[str, str]:
    """Return the names of the configuration and of the weights."""
    return CONFIG, _weights(folder) or WEIGHTS


def inspect_classifier(folder: Path) -> Foreign:
    """Return what a WSInfer folder says; nothing of it is run. Raises ModelError."""
    files = PackageFiles(folder)
    config = _read_config(files.read(CONFIG, most=LARGEST_CONFIG), folder)
    _read_transforms(config)
    weights = files.read(classifier_files(folder)[1], most=LARGEST_WEIGHTS)
    if weights.startswith(b"version https://git-lfs"):
        raise ModelError(f"The weights in {folder} were not downloaded; run `git lfs pull` there.")
    return Foreign(
        path=folder,
        name=folder.name,
        origin="WSInfer classifier",
        authors=(),
        licence="unknown",
        kind="torchscript",
        weights=weights,
        channels=config.num_classes,
        said_classes=config.class_names,
        said_mpp=config.spacing_um_px,
        tile=config.patch_size_pixels,
        halo=0,
    )


def load_classifier(folder: Path, device: str = "auto", *, trust: bool = False) -> TileClassifier:
    """Load a WSInfer folder. Its TorchScript is a program, run with `trust` only, in a child process.

    Raises ModelError where a file is missing, damaged or contradicts itself.
    """
    target = choose_device(device)
    foreign = inspect_classifier(folder)
    if not (trust or read_answers(foreign.sha256).trusted):
        raise ModelError(
            f"The weights in {folder} are TorchScript, which is a program; load it with trust=True if you trust it."
        )
    config = _read_config(PackageFiles(folder).read(CONFIG, most=LARGEST_CONFIG), folder)
    return TileClassifier(
        config, ForeignNetwork("torchscript", foreign.weights, target, name=WEIGHTS), folder
    )


def load_as_segmenter(
    folder: Path,
    device: str = "auto",
    answers: Answers = Answers(),  # noqa: B008 - frozen
) -> PackagedModel:
    """Load a WSInfer folder to give each pixel its patch's class; raises ModelError as `load_package` does."""
    card = settled(inspect_classifier(folder), answers)
    limits = f"It gives whole patches of {card.tile} pixels a class, so its borders are coarse. {card.limits}"
    classifier = load_classifier(folder, device, trust=True)  # else `settled` has refused

    def predict(tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        scores = classifier.classify(tiles)  # (N, classes)
        return np.broadcast_to(scores[..., None, None], (*scores.shape, *tiles.shape[1:3]))

    card = msgspec.structs.replace(card, limits=limits)
    return PackagedModel(card, predict, choose_device(device), folder)


def _read_config(content: bytes, folder: Path) -> Config:
    try:
        config = msgspec.json.decode(content, type=Config)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"The {CONFIG} in {folder} describes no WSInfer classifier: {reason}."
        ) from error
    if not len(set(config.class_names)) == len(config.class_names) == config.num_classes:
        raise ModelError(
            f"The {CONFIG} in {folder} names other classes than its {config.num_classes}."
        )
    return config


def _read_transforms(config: Config) -> tuple[int | None, npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the side to resize to (None: as it is), and mean and standard deviation of pixels / 255."""
    arguments = {each.name: each.arguments or {} for each in config.transform}
    try:
        size = arguments.get("Resize", {}).get("size")
        side = int(size[0] if isinstance(size, list) else size) if size is not None else None
        mean, std = (
            np.broadcast_to(np.asarray(arguments.get("Normalize", {}).get(key, default), np.float32), 3)
            for key, default in (("mean", 0), ("std", 1))
        )  # fmt: skip
        sound = np.isfinite(mean).all() and np.isfinite(std).all() and np.all(std > 0)
        if sound and (side is None or 1 <= side <= 8192):
            return side, mean, std
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise ModelError("The transforms of the WSInfer classifier make no sense.") from error
    raise ModelError("The transforms of the WSInfer classifier make no sense.")
