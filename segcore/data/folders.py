"""Readers of data sets that are folders of pictures."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from segcore.data.sample import Codes, Rgb, Sample, resample
from segcore.errors import DataError


def read_manifest_folder(folder: Path, *, split: str, mpp: float) -> list[Sample]:
    """Read the pictures of `split` of a folder with `manifest.csv`, `images/` and `labels/`.

    The manifest's columns used: file, case, source, mpp, split. A label file has the picture's stem and
    ends in .png; its pixel values are class codes.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise DataError(f"There is no manifest.csv in {folder}; give the folder of the data set.")
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    return [_read_row(folder, row, mpp) for row in rows]


def _read_row(folder: Path, row: Mapping[str, str], mpp: float) -> Sample:
    image = read_picture(folder / "images" / row["file"])
    codes = read_codes(folder / "labels" / f"{Path(row['file']).stem}.png")
    if codes.shape != image.shape[:2]:
        raise DataError(f"The mask of {row['file']} has another size than the picture.")
    image, codes = resample(image, codes, factor=float(row["mpp"]) / mpp)
    return Sample(row["case"], row["source"], image, codes)


def read_class_tiles(
    folder: Path, codes: Mapping[str, int], *, tile_mpp: float, mpp: float
) -> list[Sample]:
    """Read a folder per class (`codes`: folder name to class code) of tiles that show this class alone."""
    samples = []
    for name, code in codes.items():
        for file in sorted((folder / name).glob("*.*")):
            image = read_picture(file)
            mask = np.full(image.shape[:2], code, np.uint8)
            image, mask = resample(image, mask, factor=tile_mpp / mpp)
            samples.append(Sample(file.stem, folder.name, image, mask))
    if not samples:
        raise DataError(f"There are no tiles in {folder}; give a folder with one folder per class.")
    return samples


def read_mask_folder(
    folder: Path, codes: Mapping[int, int], *, picture_mpp: float, mpp: float
) -> list[Sample]:
    """Read a folder with `images/` and `masks/` of the same stems; `codes`: pixel value to class code.

    Pixel values that `codes` does not name are unlabelled. Each picture is a case of its own.
    """
    table = np.zeros(256, np.uint8)
    table[list(codes)] = list(codes.values())
    samples = []
    for file in sorted((folder / "images").glob("*.*")):
        image = read_picture(file)
        mask = table[read_codes(folder / "masks" / f"{file.stem}.png")]
        if mask.shape != image.shape[:2]:
            raise DataError(f"The mask of {file.name} has another size than the picture.")
        image, mask = resample(image, mask, factor=picture_mpp / mpp)
        samples.append(Sample(file.stem, folder.name, image, mask))
    if not samples:
        raise DataError(
            f"There are no pictures in {folder / 'images'}; give the data set's folder."
        )
    return samples


def read_picture(file: Path) -> Rgb:
    return np.array(_open(file).convert("RGB"))


def read_codes(file: Path) -> Codes:
    """Read a mask whose pixel values are class codes, palette or grey."""
    image = _open(file)
    if image.mode not in ("P", "L"):
        raise DataError(f"The mask {file} is not a grey or palette picture of class codes.")
    return np.array(image)


def _open(file: Path) -> Image.Image:
    try:
        image = Image.open(file)
        image.load()
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"The picture {file} cannot be read.") from error
    return image
