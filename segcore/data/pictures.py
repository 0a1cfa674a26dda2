"""Pictures and masks as files: how a data set's are read, resampled and written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from segcore.annotations import Taxonomy
from segcore.annotations.atomic import replacing
from segcore.errors import DataError

Rgb = npt.NDArray[np.uint8]
"""(H, W, 3)"""
Codes = npt.NDArray[np.uint8]
"""(H, W): class codes of the taxonomy; 0 = unlabelled."""
Pixels = tuple[Rgb, Codes]
PictureFormat = Literal["png", "jpg"]

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


def pictures_in(folder: Path, *, deep: bool = False) -> list[Path]:
    """Return the picture files of a folder, with those of its folders where `deep`, in order of their names."""
    found = folder.rglob("*") if deep else folder.glob("*")
    return sorted(
        each for each in found if each.suffix.lower() in PICTURES and not each.name.startswith(".")
    )


def read_picture(file: Path) -> Rgb:
    """Read a picture, what is transparent on white; raises DataError."""
    image = _open(file)
    if "A" in image.getbands():
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def read_codes(file: Path) -> Codes:
    """Read a mask whose pixel values are codes: palette, grey, black and white, or three equal channels."""
    image = _open(file)
    if image.mode == "1":
        image = image.convert("L")
    codes = np.array(image)
    if codes.ndim == 3 and len(image.getbands()) in {3, 4} and not np.ptp(codes[..., :3], 2).any():
        codes = codes[..., 0]
    if codes.ndim != 2 or codes.dtype.kind not in "ui" or codes.max(initial=0) > 255:
        raise DataError(f"The mask {file} is not a grey or palette picture of class codes.")
    return codes.astype(np.uint8)


def size_of(file: Path) -> tuple[int, int]:
    """Return (width, height) by the file's head, without reading the pixels; raises DataError."""
    try:
        with Image.open(file) as image:
            return image.size
    except Exception as error:  # a damaged picture raises almost anything
        raise DataError(f"The picture {file} cannot be read.") from error


def _open(file: Path) -> Image.Image:
    try:
        with Image.open(file) as image:
            image.load()
    except Exception as error:  # a damaged picture raises almost anything
        raise DataError(f"The picture {file} cannot be read.") from error
    return image


def same_size(name: str, image: Rgb, codes: Codes) -> None:
    """Raise DataError where a mask has another size than its picture."""
    if codes.shape != image.shape[:2]:
        raise DataError(f"The mask of {name} has another size than the picture.")


def resample(image: Rgb, codes: Codes, *, factor: float) -> Pixels:
    """Scale a picture and its mask by `factor`; the mask takes the nearest code."""
    height, width = codes.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if size == (width, height):
        return image, codes
    # PIL's filters widen when they reduce, so that both directions are free of aliasing.
    scaled = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    nearest = Image.fromarray(codes).resize(size, Image.Resampling.NEAREST)
    return np.asarray(scaled), np.asarray(nearest)


def write_picture(file: Path, image: Rgb) -> None:
    """Write a picture, whole or not at all, in the format of its name; raises ExportError."""
    options: dict[str, Any] = {"compress_level": 3}
    if file.suffix == ".jpg":
        options = {"quality": 95, "subsampling": 0}
    with replacing(file) as temporary:
        Image.fromarray(image).save(
            temporary, "jpeg" if file.suffix == ".jpg" else "png", **options
        )


def write_codes(file: Path, codes: Codes, taxonomy: Taxonomy) -> None:
    """Write a mask as PNG in the colours of its classes, whole or not at all; raises ExportError."""
    mask = Image.fromarray(codes)
    mask.putpalette(_palette(taxonomy))
    with replacing(file) as temporary:
        mask.save(temporary, "png")


def _palette(taxonomy: Taxonomy) -> Sequence[int]:
    """Return a colour for each of 256 codes: that of its class, black for 0 and unknown ones."""
    colours = [0] * 768
    for each in taxonomy.classes:
        colours[3 * each.code : 3 * each.code + 3] = each.colour
    return colours
