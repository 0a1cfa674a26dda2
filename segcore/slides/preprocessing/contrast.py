"""Size, contrast and scale of a picture: bicubic resize, CLAHE on luminance, per-channel standardisation."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Rec. 601: luminance from red, green and blue."""
BINS = 256


def resized(picture: Picture, *, width: int, height: int) -> Picture:
    """Return the picture at another size, by bicubic interpolation that widens where it reduces."""
    if picture.shape[:2] == (height, width):
        return picture
    planes = [Image.fromarray(plane) for plane in np.moveaxis(picture, 2, 0)]
    scaled = [np.asarray(p.resize((width, height), Image.Resampling.BICUBIC)) for p in planes]
    return np.clip(
        np.stack(scaled, axis=2), picture.min(), picture.max()
    )  # bicubic overshoots at edges


def standardised(picture: Picture, *, mean: tuple[float, ...], std: tuple[float, ...]) -> Picture:
    """Return the picture with each channel's mean and deviation made `mean` and `std` (of 255), unclipped.

    A channel that does not vary stays as it is.
    """
    centre, spread = picture.mean((0, 1), np.float64), picture.std((0, 1), dtype=np.float64)
    flat = spread < 1e-3
    scaled = (picture - centre) / np.where(flat, 1, spread) * np.array(std) * 255
    return np.where(flat, picture, scaled + np.array(mean) * 255).astype(np.float32)


def equalised(picture: Picture, *, clip: float, grid: int) -> Picture:
    """Return the picture with CLAHE applied to its luminance; the colour differences stay.

    Zuiderveld 1994, "Contrast Limited Adaptive Histogram Equalization"; `clip` is the highest bin of a
    cell's histogram over the mean bin, `grid` the number of cells along each side.
    """
    luma = picture @ LUMA  # (H, W)
    gained = clahe(np.clip(luma + 0.5, 0, 255).astype(np.uint8), clip=clip, grid=grid) - luma
    return np.clip(picture + gained[..., None], 0, 255).astype(np.float32)


def clahe(luma: npt.NDArray[np.uint8], *, clip: float, grid: int) -> Picture:
    """Return (H, W) float32 0..255: each pixel mapped by the four cells around it, bilinearly."""
    height, width = luma.shape
    padded = np.pad(luma, ((0, -height % grid), (0, -width % grid)), mode="symmetric")
    cell_height, cell_width = padded.shape[0] // grid, padded.shape[1] // grid
    cells = padded.reshape(grid, cell_height, grid, cell_width).swapaxes(1, 2)
    curves = np.stack([[curve(cell, clip=clip) for cell in row] for row in cells])
    top, bottom, down = neighbours(height, cell_height, grid)
    left, right, across = neighbours(width, cell_width, grid)
    down, across = down[:, None], across[None]
    upper = (1 - across) * curves[top[:, None], left, luma] + across * curves[
        top[:, None], right, luma
    ]
    lower = (1 - across) * curves[bottom[:, None], left, luma] + across * curves[
        bottom[:, None], right, luma
    ]
    return ((1 - down) * upper + down * lower).astype(np.float32)


def curve(cell: npt.NDArray[np.uint8], *, clip: float) -> Picture:
    """Return what a cell maps each of the 256 levels to: its clipped cumulative histogram."""
    counts = np.bincount(cell.ravel(), minlength=BINS).astype(np.float64)
    limit = max(clip * cell.size / BINS, 1.0)
    excess = np.maximum(counts - limit, 0).sum()
    counts = np.minimum(counts, limit) + excess / BINS
    return (counts.cumsum() * (255 / cell.size)).astype(np.float32)


def neighbours(
    length: int, cell: int, grid: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Picture]:
    """Return for each pixel the cells before and after it, and how far it is on its way (0 to 1)."""
    place = (np.arange(length, dtype=np.float32) + 0.5) / cell - 0.5  # in cells, from cell centres
    before = np.floor(place).astype(np.intp)
    way = (place - before).astype(np.float32)
    return np.clip(before, 0, grid - 1), np.clip(before + 1, 0, grid - 1), way
