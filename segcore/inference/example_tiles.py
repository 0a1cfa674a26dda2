"""Tiles to measure on: the parts of a slide that hold the most tissue, or painted ones."""

import numpy as np
import numpy.typing as npt

from segcore.errors import RegionError
from segcore.slides import Slide, read_scaled
from segcore.slides.procedural import SAMPLE_ROI, paint_sample

Tiles = npt.NDArray[np.uint8]
SEED = 42


def painted_tiles(count: int, *, tile: int) -> Tiles:
    """Return (count, tile, tile, 3) of the sample slide, side by side where all its tissues meet."""
    left, top, width, _ = SAMPLE_ROI
    columns = max(1, width // tile)
    places = [(left + i % columns * tile, top + i // columns * tile) for i in range(count)]
    painted = [paint_sample(SEED, left=x, top=y, width=tile, height=tile)[0] for x, y in places]
    return np.stack(painted)


def tissue_tiles(slide: Slide, count: int, *, tile: int, mpp: float) -> Tiles:
    """Return up to `count` tiles at `mpp` of a slide that knows its pixel size, those with most tissue.

    Tissue is taken to be what has colour. Raises RegionError where the slide is smaller than a tile.
    """
    if slide.mpp is None:
        raise RegionError(f"{slide.path.name} does not say its pixel size; give --mpp.")
    scale = mpp / slide.mpp
    side = tile * scale  # level-0 pixels
    columns, rows = (int(length / side) for length in slide.dimensions)
    if not columns * rows:
        raise RegionError(
            f"{slide.path.name} is smaller than one tile; choose a larger slide or a smaller --tile."
        )
    small = read_scaled(slide, left=0, top=0, scale=side / 8, width=8 * columns, height=8 * rows)
    colour = small.max(axis=2).astype(np.int16) - small.min(axis=2)
    share = (colour > 20).reshape(rows, 8, columns, 8).mean(axis=(1, 3))
    best = np.argsort(-share, axis=None, kind="stable")[:count]
    corners = [divmod(int(index), columns) for index in best]
    return np.stack(
        [
            read_scaled(slide, left=x * side, top=y * side, scale=scale, width=tile, height=tile)
            for y, x in corners
        ]
    )
