"""Whether a map tells the truth about its network: what the answer does when marked places are taken away.

Taken away means: replaced by blank glass, as for SHAP.

*Deletion* (Petsiuk et al., RISE, BMVC 2018): blocks go in the order of the map, the most important first;
the lower the class's probability falls, and the sooner, the better the map. It is compared with the same
map moved elsewhere, which is as smooth, so that nothing but its place differs; scattered single blocks
would harm any network more than a patch of the same size.

*Infidelity* (Yeh et al., NeurIPS 2019, eq. 2): how badly the map, summed over random squares, foretells the
change of the score when these are taken away. The map is scaled to fit best, and the rest is given as a
share of all change: 0 foretells everything, 1 nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segcore.models import Bundle
from segcore.progress import Report, silent
from segcore.slides import Rgb

BLOCK = 16
STEPS = 8
CONTROLS = 4
SQUARES = 20
GLASS = 255
SURE = 1e-6
"""Log odds are cut at probabilities this near to 0 and 1."""

Map = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Deletion:
    """The class's probability while ever more of the picture is taken away, as a share of what it was."""

    taken: tuple[float, ...]
    """Shares of the blocks, from 0 to 1."""
    by_map: tuple[float, ...]
    by_chance: tuple[tuple[float, ...], ...]
    """For each control."""

    @property
    def area(self) -> float:
        """Return the area under the map's curve; the smaller, the better."""
        return float(np.trapezoid(self.by_map, self.taken))

    @property
    def control_areas(self) -> tuple[float, ...]:
        return tuple(float(np.trapezoid(each, self.taken)) for each in self.by_chance)

    @property
    def gain(self) -> float:
        """Return the area between the mean control's curve and the map's: above 0 the map beats chance."""
        return float(np.mean(self.control_areas)) - self.area

    @property
    def beaten(self) -> float:
        """Return the share of controls that the map beats."""
        return float(np.mean([area > self.area for area in self.control_areas]))


def deletion(
    bundle: Bundle,
    picture: Rgb,
    heat: Map,
    class_index: int,
    *,
    controls: int = CONTROLS,
    seed: int = 0,
    report: Report = silent,
) -> Deletion:
    """Take blocks of 16 pixels of `picture` (H, W, 3) away in the order of `heat` (H, W); NaN stays.

    The probability is the mean over the pixels that the picture itself has predicted as the class, or over
    all where there are none. `seed` moves the map for the `controls`.
    """
    rng = np.random.default_rng(seed)
    where, blocks = _class_pixels(bundle, picture, class_index), in_blocks(heat)
    orders = [_order(blocks, rng), *(_order(_moved(blocks, rng), rng) for _ in range(controls))]
    counts = [round(step * len(orders[0]) / STEPS) for step in range(1, STEPS + 1)]
    whole = max(_probability(bundle, picture, class_index, where), 1e-12)
    curves = []
    for number, order in enumerate(orders):
        report(number / len(orders), "taking away what the map marks")
        taken = (_chosen(blocks.shape, order[:count], heat.shape) for count in counts)
        left = [_probability(bundle, without(picture, t), class_index, where) for t in taken]
        curves.append((1.0, *(value / whole for value in left)))
    shares = tuple(step / STEPS for step in range(STEPS + 1))
    return Deletion(shares, curves[0], tuple(curves[1:]))


def infidelity(
    bundle: Bundle,
    picture: Rgb,
    heat: Map,
    class_index: int,
    *,
    squares: int = SQUARES,
    seed: int = 0,
    report: Report = silent,
) -> float:
    """Return which share of the score's changes `heat` (H, W) does not foretell, in [0, 1]; NaN without any.

    The score is the mean log odds of the class over the pixels predicted as it; `seed` draws the squares,
    whose sides are an eighth to a half of the picture's.
    """
    rng = np.random.default_rng(seed)
    where = _class_pixels(bundle, picture, class_index)
    before = _log_odds(bundle, picture, class_index, where)
    known = np.nan_to_num(heat)
    foretold, found = np.zeros(squares), np.zeros(squares)
    for number in range(squares):
        report(number / squares, "taking away random squares")
        square = _random_square(heat.shape, rng)
        foretold[number] = known[square].sum()
        found[number] = before - _log_odds(bundle, without(picture, square), class_index, where)
    return unforetold(foretold, found)


def unforetold(foretold: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> float:
    """Return min over b of sum (b foretold - found)^2 / sum found^2; a map of the wrong sign foretells nothing."""
    change = float(found @ found)
    if change == 0:
        return math.nan
    strength = float(foretold @ foretold)
    best = max(float(foretold @ found), 0.0) / strength if strength else 0.0
    return float(((best * foretold - found) ** 2).sum() / change)


def in_blocks(heat: Map) -> Map:
    """Return the mean of each block of 16 pixels, those at the far borders smaller; NaN where all of it is."""
    height, width = heat.shape
    rows, columns = np.arange(0, height, BLOCK), np.arange(0, width, BLOCK)

    def summed(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        return np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)

    known = summed(np.isfinite(heat).astype(np.float32))
    total = summed(np.nan_to_num(heat))
    means = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
    return means.astype(np.float32)


def without(picture: Rgb, taken: Bools) -> Rgb:
    """Return the picture with glass where `taken` (H, W) is."""
    return np.where(taken[..., None], np.uint8(GLASS), picture)


def _order(blocks: Map, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return the flat indices of the known blocks, the most important first, equals in random order."""
    known = np.flatnonzero(np.isfinite(blocks))
    shuffled = rng.permutation(known)
    return shuffled[np.argsort(-blocks.ravel()[shuffled], kind="stable")]


def _moved(blocks: Map, rng: np.random.Generator) -> Map:
    """Return the map rolled by a quarter to three quarters of each side; unknown where it was."""
    filled = np.where(np.isfinite(blocks), blocks, np.nanmedian(blocks))
    way = [round(length * rng.uniform(1 / 4, 3 / 4)) for length in blocks.shape]
    return np.where(np.isfinite(blocks), np.roll(filled, way, (0, 1)), np.nan)


def _chosen(shape: tuple[int, ...], order: npt.NDArray[np.intp], size: tuple[int, ...]) -> Bools:
    """Return (H, W) of `size`: the pixels of the blocks in `order`."""
    blocks = np.zeros(shape, np.bool_)
    blocks.ravel()[order] = True
    return blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[: size[0], : size[1]]


def _random_square(shape: tuple[int, ...], rng: np.random.Generator) -> Bools:
    side = max(1, round(min(shape) * rng.uniform(1 / 8, 1 / 2)))
    top, left = (int(rng.integers(length - side + 1)) for length in shape)
    square = np.zeros(shape, np.bool_)
    square[top : top + side, left : left + side] = True
    return square


def _likely(bundle: Bundle, picture: Rgb, class_index: int) -> Map:
    return bundle.predict(picture[None])[0, class_index]


def _class_pixels(bundle: Bundle, picture: Rgb, class_index: int) -> Bools:
    """Return (H, W): the pixels predicted as the class, or all where there are none."""
    likely = bundle.predict(picture[None])[0]
    mine = likely[0] > 0.5 if len(likely) == 1 else likely.argmax(axis=0) == class_index
    return mine if mine.any() else np.ones_like(mine)


def _probability(bundle: Bundle, picture: Rgb, class_index: int, where: Bools) -> float:
    return float(_likely(bundle, picture, class_index)[where].mean())


def _log_odds(bundle: Bundle, picture: Rgb, class_index: int, where: Bools) -> float:
    likely = _likely(bundle, picture, class_index)[where].astype(np.float64).clip(SURE, 1 - SURE)
    return float((np.log(likely) - np.log1p(-likely)).mean())
