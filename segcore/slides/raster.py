"""Plain images as slides: PNG, JPEG, BMP, JPEG 2000, TIFF. Pillow first, tifffile for TIFFs it refuses."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from segcore.errors import SlideError
from segcore.slides.array import ArraySlide
from segcore.slides.base import Rgb
from segcore.slides.pixelsize import mpp_from_resolution, mpp_from_tags

HELD = 100_000_000
"""Pixels; a plain image up to this is held in memory, 8 bytes for each while it is opened, 4 thereafter."""
LARGEST = 500_000_000
"""Pixels; a larger picture that cannot be read by rows or tiles is refused."""
_STRIP = 1024

Image.MAX_IMAGE_PIXELS = (
    None  # `check_size` below is stricter than Pillow's guess, and says what to do
)
DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_raster(path: Path) -> ArraySlide:
    """Read the first picture of `path` whole; raises SlideError where that is not possible."""
    try:
        return _with_pillow(path)
    except SlideError:
        raise
    except MemoryError as error:
        raise _refused(path, "there is not enough memory for it", _PYRAMID) from error
    except Exception as error:
        if not is_tiff(path):
            raise _refused(path, _reason(error), _KNOWN) from error
        return _with_tifffile(path)


_KNOWN = "try SVS, NDPI, MRXS, DICOM, TIFF, PNG or JPEG"
_PYRAMID = (
    "convert it to a tiled pyramidal TIFF, for instance with 'vips tiffsave --tile --pyramid'"
)


def _refused(path: Path, reason: str, way_out: str) -> SlideError:
    return SlideError(f"{path.name} cannot be opened: {reason}; {way_out}.")


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "it is no slide or image that this program knows"
    text = " ".join(str(error).split()).rstrip(".")
    return f"it is damaged or of an unknown kind ({text or type(error).__name__})"


def is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF_MAGIC


def orientation_of(path: Path) -> int:
    """Return the orientation tag (1 to 8) of a TIFF's first page, 1 where it has none."""
    try:
        with Image.open(path) as image:
            return int(getattr(image, "tag_v2", {}).get(274, 1))
    except (OSError, ValueError, TypeError, SyntaxError):
        return 1  # Pillow does not know this kind of TIFF


def check_size(path: Path, width: int, height: int) -> None:
    """Raise SlideError where a picture is too large to be decoded whole."""
    if width < 1 or height < 1:
        raise _refused(path, f"it is {width} x {height} pixels", "try another export of the image")
    if width * height > LARGEST:
        size = f"{width} x {height} pixels are too many for a plain image"
        raise _refused(path, size, _PYRAMID)


def _with_pillow(path: Path) -> ArraySlide:
    with Image.open(path) as image:
        check_size(path, *image.size)
        pages = getattr(image, "n_frames", 1)
        mpp, profile = mpp_of_picture(image), image.info.get("icc_profile") or None
        # Pillow has already turned a TIFF by its orientation tag while loading; this turns the others.
        kind = (image.format or "image").lower()
        ImageOps.exif_transpose(image, in_place=True)
        pixels = rgb_of(path, image)
    del image  # Pillow's copy, before the pyramid is made
    vendor = kind if pages == 1 else f"{kind}, first of {pages} pictures"
    slide = ArraySlide(pixels, mpp=mpp, path=path, vendor=vendor)
    slide.icc_profile = profile
    return slide


def mpp_of_picture(image: Image.Image) -> float | None:
    """Return the pixel size that the tags or the resolution of a picture give."""
    if tags := dict(getattr(image, "tag_v2", {})):
        return mpp_from_tags(tags)
    across, down = image.info.get("dpi", (None, None))
    return mpp_from_resolution(across, down, 2)


def rgb_of(path: Path, image: Image.Image) -> Rgb:
    """Return a picture of any mode as RGB, transparency laid on white; raises SlideError."""
    if image.mode == "F":
        way_out = "save it as 8-bit RGB"
        raise _refused(path, "its pixels are floating-point numbers without a known range", way_out)
    if image.mode in DEEP_GREY:
        return to_rgb(path, np.array(image))
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP):  # as a whole it would be there four times
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        pixels[top : top + _STRIP] = np.asarray(strip.convert("RGB"))
    return pixels


def _with_tifffile(path: Path) -> ArraySlide:
    import tifffile  # noqa: PLC0415 - 0.1 s, needed by few files

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            check_size(path, page.imagewidth, page.imagelength)
            tags = {tag.code: tag.value for tag in page.tags}
            pixels = to_rgb(path, _channels_last(page.asarray(), page.axes))
    except SlideError:
        raise
    except Exception as error:
        raise _refused(path, _reason(error), _KNOWN) from error
    tags[296] = int(tags.get(296, 2))
    upright = turned_upright(pixels, tags.get(274, 1))
    slide = ArraySlide(upright, mpp=mpp_from_tags(tags), path=path, vendor="tiff")
    slide.icc_profile = tags.get(34675) or None
    return slide


def _channels_last(pixels: npt.NDArray[np.generic], axes: str) -> npt.NDArray[np.generic]:
    """Return (h, w) or (h, w, channels) of a page whose axes are named as tifffile does."""
    if axes.startswith(("S", "C")) and pixels.ndim == 3:
        return np.moveaxis(pixels, 0, -1)
    return pixels


def to_rgb(path: Path, pixels: npt.NDArray[np.generic], *, bits: int | None = None) -> Rgb:
    """Return any (h, w[, channels]) array as RGB; more than 8 bits are scaled down from `bits`.

    Without `bits` they are what `bits_of` says.
    """
    if pixels.ndim not in {2, 3} or not pixels.size:
        raise _refused(path, f"its pixels have the shape {pixels.shape}", "save it as 8-bit RGB")
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind not in "ui":
        raise _refused(path, f"its pixels are of type {pixels.dtype}", "save it as 8-bit RGB")
    eight = _eight_bits(path, pixels, bits)
    if eight.ndim == 2 or eight.shape[2] < 3:
        grey = eight if eight.ndim == 2 else eight[..., 0]
        return np.repeat(grey[..., np.newaxis], 3, axis=2)
    return np.ascontiguousarray(eight[..., :3])


def bits_of(path: Path, pixels: npt.NDArray[np.generic]) -> int:
    """Return the smallest of 8, 10, 12, 14 and 16 bits that holds the greatest pixel; raises SlideError.

    Cameras of 12 bits write 16-bit files, which would be black if they were taken for 16 bits.
    """
    least, greatest = int(pixels.min()), int(pixels.max())
    if least < 0 or greatest > 65_535:
        values = f"its pixels range from {least} to {greatest}"
        raise _refused(path, values, "save it as 8-bit RGB")
    return next(each for each in (8, 10, 12, 14, 16) if greatest < 2**each)


def _eight_bits(
    path: Path, pixels: npt.NDArray[np.generic], bits: int | None
) -> npt.NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.view(np.uint8)
    shift = (bits or bits_of(path, pixels)) - 8
    return np.minimum(pixels.astype(np.uint16) >> shift, 255).astype(np.uint8)


def turned_upright(pixels: Rgb, orientation: int) -> Rgb:
    """Return `pixels` as the orientation tag (1 to 8, TIFF 6.0 page 36) wants them shown."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
