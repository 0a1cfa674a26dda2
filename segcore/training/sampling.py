"""Which crops a batch is made of: classes, sources and cases each get their share, whatever their size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from segcore.data.sample import Codes, Rgb, Sample
from segcore.errors import DataError
from segcore.training.augmentation import augment, cut
from segcore.training.losses import IGNORE

PLACES = 4000


class CropSampler:
    """Draws crops: first a class, then a source that shows it, then a case, then a pixel of the class."""

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        codes: Sequence[int],
        shares: Mapping[str, float],
        class_weights: Sequence[float],
        size: int,
    ) -> None:
        self.samples = samples
        self.size = size
        self._codes = codes
        self._shares = shares
        # places[code][source][case] -> [(sample, pixels of the class)]
        self._places: dict[int, dict[str, dict[str, list]]] = {
            code: defaultdict(lambda: defaultdict(list)) for code in codes
        }
        for sample in samples:
            self._index(sample)
        here = np.array(
            [w if self._places[c] else 0 for c, w in zip(codes, class_weights, strict=True)]
        )
        if not here.any():
            raise DataError("No picture of the training data has a labelled pixel of any class.")
        self._odds = here / here.sum()
        self._channel = np.full(256, IGNORE, np.uint8)
        self._channel[list(codes)] = np.arange(len(codes))

    def _index(self, sample: Sample) -> None:
        rng = np.random.default_rng(0)
        flat = sample.codes.ravel()
        for code in self._codes:
            found = np.flatnonzero(flat == code)
            if len(found) >= 64 and self._shares.get(sample.source, 0) > 0:
                kept = rng.choice(found, PLACES) if len(found) > PLACES else found
                self._places[code][sample.source][sample.case].append((sample, kept))

    def batch(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return (N, 3, size, size) uint8 pictures and (N, size, size) int64 channel targets."""
        crops = [self._crop(rng) for _ in range(count)]
        images = np.stack([image for image, _ in crops]).transpose(0, 3, 1, 2)
        targets = np.stack([self._channel[codes] for _, codes in crops]).astype(np.int64)
        return torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(targets)

    def choose(self, rng: np.random.Generator) -> tuple[Sample, tuple[int, int]]:
        """Return a sample and the (row, column) of one of its pixels, of a class chosen by its odds."""
        code = self._codes[rng.choice(len(self._codes), p=self._odds)]
        by_source = self._places[code]
        odds = np.array([self._shares[name] for name in by_source])
        by_case = list(by_source.values())[rng.choice(len(odds), p=odds / odds.sum())]
        placed = list(by_case.values())[rng.integers(len(by_case))]
        sample, pixels = placed[rng.integers(len(placed))]
        row, column = divmod(int(rng.choice(pixels)), sample.codes.shape[1])
        return sample, (row, column)

    def _crop(self, rng: np.random.Generator) -> tuple[Rgb, Codes]:
        sample, (row, column) = self.choose(rng)
        jitter = rng.integers(-self.size // 3, self.size // 3 + 1, 2)
        centre = (row + int(jitter[0]), column + int(jitter[1]))
        image, codes = cut(
            sample.image, sample.codes, centre=centre, size=self.size, scale=rng.uniform(0.75, 1.25)
        )
        return augment(image, codes, rng)
