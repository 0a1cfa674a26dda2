"""Readers of data sets that are folders of pictures. Pixels are read when a sample is asked for them."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from segcore.data.manifest import Row, image_of, mask_of, mpp_of, read_manifest
from segcore.data.pictures import Pixels, read_codes, read_picture, resample, same_size, size_of
from segcore.data.sample import Sample
from segcore.errors import DataError


def read_manifest_folder(
    folder: Path, *, split: str, mpp: float, fold: int | None = None
) -> list[Sample]:
    """Return the pictures of `split` of a folder with `manifest.csv`, `images/` and `labels/`.

    The manifest's columns used: file, case, source, mpp, split, label. A label file has the picture's stem
    and ends in .png; its pixel values are class codes. A picture with a label may have none: all of it is
    unlabelled. With `fold`, "val" is that fold (column fold) and "train" are the others. Raises DataError,
    also where a file is missing or a mask has another size than its picture.
    """
    rows = [row for row in read_manifest(folder) if _split_of(row, fold) == split]
    return [_stored(folder, row, mpp) for row in rows]


def _split_of(row: Row, fold: int | None) -> str:
    if fold is None:
        return row["split"]
    if "fold" not in row:
        raise DataError(
            "The manifest has no folds; make them with `segcore dataset split --folds`."
        )
    if not row["fold"]:
        return row["split"]  # kept apart, as a test set
    return "val" if row["fold"] == str(fold) else "train"


def _stored(folder: Path, row: Row, mpp: float) -> Sample:
    image, mask = image_of(folder, row["file"]), mask_of(folder, row["file"])
    factor, label = mpp_of(row) / mpp, row.get("label", "")
    if mask.is_file() or not label:
        return stored_sample(row["case"], row["source"], image, mask, factor=factor, label=label)
    size_of(image)
    read = partial(_read_pair, image, None, factor)
    return Sample.stored(row["case"], row["source"], read, label=label)


def stored_sample(
    case: str, source: str, image: Path, mask: Path, *, factor: float = 1.0, label: str = ""
) -> Sample:
    """Return the sample of a picture and its mask, both scaled by `factor`; raises DataError."""
    _check_sizes(image, mask)
    return Sample.stored(case, source, partial(_read_pair, image, mask, factor), label=label)


def _check_sizes(image: Path, mask: Path) -> None:
    if size_of(image) != size_of(mask):
        raise DataError(f"The mask of {image.name} has another size than the picture.")


def _read_pair(
    image_file: Path, mask_file: Path | None, factor: float, table: Sequence[int] = ()
) -> Pixels:
    """Read a picture with its mask, none meaning unlabelled; `table` has a code for each mask value."""
    image = read_picture(image_file)
    codes = read_codes(mask_file) if mask_file else np.zeros(image.shape[:2], np.uint8)
    same_size(image_file.name, image, codes)
    return resample(image, np.array(table, np.uint8)[codes] if table else codes, factor=factor)


def read_class_tiles(
    folder: Path, codes: Mapping[str, int], *, tile_mpp: float, mpp: float
) -> list[Sample]:
    """Return a folder per class (`codes`: folder name to class code) of tiles that show this class alone."""
    samples = []
    for name, code in codes.items():
        for file in sorted((folder / name).glob("*.*")):
            size_of(file)
            read = partial(_read_tile, file, code, tile_mpp / mpp)
            samples.append(Sample.stored(file.stem, folder.name, read))
    if not samples:
        raise DataError(f"There are no tiles in {folder}; give a folder with one folder per class.")
    return samples


def _read_tile(file: Path, code: int, factor: float) -> Pixels:
    image = read_picture(file)
    return resample(image, np.full(image.shape[:2], code, np.uint8), factor=factor)


def read_mask_folder(
    folder: Path, codes: Mapping[int, int], *, picture_mpp: float, mpp: float
) -> list[Sample]:
    """Return a folder with `images/` and `masks/` of the same stems; `codes`: pixel value to class code.

    Pixel values that `codes` does not name are unlabelled. Each picture is a case of its own.
    """
    table = tuple(codes.get(value, 0) for value in range(256))
    samples = []
    for file in sorted((folder / "images").glob("*.*")):
        mask = folder / "masks" / f"{file.stem}.png"
        _check_sizes(file, mask)
        read = partial(_read_pair, file, mask, picture_mpp / mpp, table)
        samples.append(Sample.stored(file.stem, folder.name, read))
    if not samples:
        raise DataError(
            f"There are no pictures in {folder / 'images'}; give the data set's folder."
        )
    return samples
