"""Tiles for retraining: pictures and masks cut from a corrected slide, with a manifest.

The folder is of the kind that `read_manifest_folder` reads, so recipes can name it. Nothing in it names
the patient: files have made-up names, the slide is known by its fingerprint only.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from uuid import uuid4

import numpy as np
from PIL import Image

from segcore.annotations import LabelMap, Taxonomy, load_taxonomy
from segcore.annotations.atomic import new_folder
from segcore.annotations.labelmap import Labels
from segcore.data.folders import read_codes, read_picture
from segcore.data.sample import Sample
from segcore.errors import DataError
from segcore.progress import Report, silent
from segcore.slides import Slide, fingerprint, read_scaled

PictureFormat = Literal["png", "jpg"]


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

    Tiles of which less than `min_labelled` is labelled are left out. The folder appears when it is
    complete. Raises ExportError where `out` is not empty or cannot be written, DataError where no tile has
    enough labels.
    """
    taxonomy = taxonomy or load_taxonomy()
    places = _places(labels.labels, tile, min_labelled)
    if not places:
        raise DataError(
            f"No tile of {tile} pixels is labelled to {min_labelled:.0%}; label more or make tiles smaller."
        )
    with new_folder(Path(out)) as folder:
        (folder / "images").mkdir()
        (folder / "labels").mkdir()
        tiles = []
        for done, (row, column) in enumerate(places):
            report(done / len(places), f"{done} of {len(places)} tiles")
            tiles.append(_write_tile(folder, slide, labels, row, column, tile, picture, taxonomy))
        manifest = TileManifest(
            case=_case(slide),
            split=split,
            taxonomy=taxonomy.name,
            classes={each.name: each.code for each in taxonomy.classes},
            mpp=labels.mpp,
            scale=labels.scale,
            tile=tile,
            program=f"Acinus {version('acinus')}",
            tiles=tuple(tiles),
        )
        _write_manifest(folder, manifest)
    report(1.0, f"{len(places)} tiles")
    return manifest


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
