"""Tiles for retraining: pictures and masks cut from a corrected slide, with a manifest.

The folder is of the kind that `read_manifest_folder` reads, so recipes can name it. Nothing in it names
the patient: files have made-up names, the slide is known by its fingerprint only.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np

from segcore.annotations import LabelMap, Taxonomy, load_taxonomy
from segcore.annotations.atomic import new_folder
from segcore.annotations.labelmap import Labels
from segcore.data.folders import stored_sample
from segcore.data.manifest import image_of, mask_of
from segcore.data.pictures import PictureFormat, write_codes, write_picture
from segcore.data.sample import Sample
from segcore.errors import DataError
from segcore.progress import Report, silent
from segcore.slides import Rgb, Slide, fingerprint, read_scaled


@dataclass(frozen=True, slots=True)
class Tile:
    """One exported tile; (x, y) is its top left corner in level-0 pixels of the full slide."""

    file: str
    x: float
    y: float
    pixels: dict[str, int]
    """How many mask pixels each class has."""


@dataclass(frozen=True)
class TileManifest:
    """What a folder of tiles holds."""

    case: str
    """Made from the slide's fingerprint: the same for every export of a slide, and no name."""
    split: str
    taxonomy: str
    classes: dict[str, int]
    mpp: float
    scale: float
    """Level-0 pixels per tile pixel."""
    tile: int
    """Side in pixels."""
    program: str
    tiles: tuple[Tile, ...]


def export_tiles(
    slide: Slide,
    labels: LabelMap,
    out: str | Path,
    *,
    tile: int = 512,
    min_labelled: float = 0.05,
    picture: PictureFormat = "png",
    split: str = "train",
    taxonomy: Taxonomy | None = None,
    report: Report = silent,
) -> TileManifest:
    """Cut the labelled part of a slide into tiles at the mask's mpp: `images/`, `labels/`, manifests.

    Tiles of which less than `min_labelled` is labelled are left out; ignored classes (`*`) count as
    unlabelled. The folder appears when it is
    complete. Raises ExportError where `out` is not empty or cannot be written, DataError where no tile has
    enough labels.
    """
    taxonomy = taxonomy or load_taxonomy()
    labels = _trained(labels, taxonomy)
    places = _places(labels.labels, tile, min_labelled)
    if not places:
        raise DataError(
            f"No tile of {tile} pixels is labelled to {min_labelled:.0%}; label more or make tiles smaller."
        )
    with new_folder(Path(out)) as folder:
        (folder / "images").mkdir()
        (folder / "labels").mkdir()
        tiles = []
        for done, place in enumerate(places):
            report(done / len(places), f"{done} of {len(places)} tiles")
            image, codes = _cut(slide, labels, place, tile)
            file, pixels = _write_tile(folder, image, codes, picture=picture, taxonomy=taxonomy)
            tiles.append(Tile(file, *_corner(labels, place), pixels))
        manifest = _manifest(slide, labels, tile, tuple(tiles), taxonomy=taxonomy, split=split)
        _write_manifest(folder, manifest)
    report(1.0, f"{len(places)} tiles")
    return manifest


def _trained(labels: LabelMap, taxonomy: Taxonomy) -> LabelMap:
    """Return labels without the classes that nothing is trained on."""
    ignored = [each.code for each in taxonomy.classes if each.ignored]
    kept = np.where(np.isin(labels.labels, ignored), np.uint8(0), labels.labels)
    return replace(labels, labels=kept) if ignored else labels


def _manifest(
    slide: Slide,
    labels: LabelMap,
    side: int,
    tiles: tuple[Tile, ...],
    *,
    taxonomy: Taxonomy,
    split: str,
) -> TileManifest:
    return TileManifest(
        case=_case(slide),
        split=split,
        taxonomy=taxonomy.name,
        classes={each.name: each.code for each in taxonomy.classes},
        mpp=labels.mpp,
        scale=labels.scale,
        tile=side,
        program=f"Acinus {version('acinus')}",
        tiles=tiles,
    )


def _places(labels: Labels, tile: int, min_labelled: float) -> list[tuple[int, int]]:
    """Return (row, column) of the tiles that are labelled enough."""
    height, width = labels.shape
    corners = [(row, column) for row in range(0, height, tile) for column in range(0, width, tile)]
    least = max(1.0, min_labelled * tile**2)
    return [
        (row, column)
        for row, column in corners
        if np.count_nonzero(labels[row : row + tile, column : column + tile]) >= least
    ]


def _cut(slide: Slide, labels: LabelMap, place: tuple[int, int], tile: int) -> tuple[Rgb, Labels]:
    """Return the picture and the mask of the tile at (row, column) of the mask; unlabelled beyond it."""
    x, y = _corner(labels, place)
    image = read_scaled(slide, left=x, top=y, scale=labels.scale, width=tile, height=tile)
    row, column = place
    codes = np.zeros((tile, tile), np.uint8)
    part = labels.labels[row : row + tile, column : column + tile]
    codes[: part.shape[0], : part.shape[1]] = part
    return image, codes


def _corner(labels: LabelMap, place: tuple[int, int]) -> tuple[float, float]:
    """Return the level-0 (x, y) of the upper left corner of mask pixel (row, column)."""
    row, column = place
    return (labels.column + column) * labels.scale, (labels.row + row) * labels.scale


def _write_tile(
    folder: Path, image: Rgb, codes: Labels, *, picture: PictureFormat, taxonomy: Taxonomy
) -> tuple[str, dict[str, int]]:
    """Write both files of a tile; returns the file name and how many pixels each class has."""
    name = uuid4().hex
    write_picture(folder / "images" / f"{name}.{picture}", image)
    write_codes(folder / "labels" / f"{name}.png", codes, taxonomy)
    counts = np.bincount(codes.ravel(), minlength=256)
    return f"{name}.{picture}", {each.name: int(counts[each.code]) for each in taxonomy.classes}


def _case(slide: Slide) -> str:
    """Return a name for the slide that says nothing of the patient."""
    if not slide.path.is_file():
        return uuid4().hex[:16]
    return hashlib.sha256(fingerprint(slide.path).encode()).hexdigest()[:16]


def _write_manifest(folder: Path, manifest: TileManifest) -> None:
    document = json.dumps(asdict(manifest), indent=1)
    (folder / "manifest.json").write_text(document, encoding="utf-8")
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "case", "source", "mpp", "split", "x", "y", *manifest.classes])
        shared = [manifest.case, "acinus", manifest.mpp, manifest.split]
        for tile in manifest.tiles:
            counts = [tile.pixels[name] for name in manifest.classes]
            table.writerow([tile.file, *shared, tile.x, tile.y, *counts])


def read_tile_manifest(folder: str | Path) -> TileManifest:
    """Read `manifest.json` of exported tiles; raises DataError."""
    path = Path(folder) / "manifest.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=TileManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(
            f"The folder {folder} has no sound manifest.json; choose a folder of exported tiles."
        ) from error


def read_tiles(folder: str | Path) -> Iterator[Sample]:
    """Yield the exported tiles of a folder one by one; raises DataError."""
    folder = Path(folder)
    manifest = read_tile_manifest(folder)
    for tile in manifest.tiles:
        files = image_of(folder, tile.file), mask_of(folder, tile.file)
        yield stored_sample(manifest.case, "acinus", *files)
