"""The tiles that a bundle gets most wrong: each case's worst, and the worst of those."""

from dataclasses import dataclass

from segcore.assessment.prediction import Codes, Probabilities
from segcore.assessment.scoring import RoiScore, likeliest
from segcore.slides import Rgb

LEAST_LABELLED = 0.05
"""Of a tile: a handful of labelled pixels can be all wrong without telling much."""


@dataclass(frozen=True, eq=False)
class WorstTile:
    source: str
    case: str
    wrong: float
    """The share of its labelled pixels that are predicted as another class."""
    image: Rgb
    reference: Codes
    predicted: Codes


class WorstTiles:
    """Keeps the `most` worst tiles, no two of one case."""

    def __init__(self, most: int = 6) -> None:
        self._most = most
        self._kept: dict[tuple[str, str], WorstTile] = {}

    def see(
        self, roi: RoiScore, image: Rgb, reference: Codes, probabilities: Probabilities
    ) -> None:
        for tile in roi.tiles:
            where = reference[tile.place]
            if tile.confusion.counts.sum() < LEAST_LABELLED * where.size:
                continue
            wrong = 1 - tile.confusion.accuracy
            key = roi.source, roi.case
            if wrong == 0 or (key in self._kept and self._kept[key].wrong >= wrong):
                continue
            predicted = likeliest(probabilities[:, *tile.place], tile.confusion.codes)
            self._kept[key] = WorstTile(
                *key, wrong, image[tile.place].copy(), where.copy(), predicted
            )
            self._drop_best()

    def _drop_best(self) -> None:
        if len(self._kept) > self._most:
            del self._kept[min(self._kept, key=lambda key: self._kept[key].wrong)]

    def worst_first(self) -> tuple[WorstTile, ...]:
        return tuple(sorted(self._kept.values(), key=lambda tile: -tile.wrong))
