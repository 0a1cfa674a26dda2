"""Which crops a batch is made of: classes, sources and cases each get their share, whatever their size."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from segcore.data.sample import Codes, Sample
from segcore.errors import DataError
from segcore.slides.preprocessing import Stains, preprocess
from segcore.training.augmentation import Crop, augment, mix, random_cut
from segcore.training.losses import IGNORE
from segcore.training.recipe import Recipe, class_codes
from segcore.training.restaining import Restaining, usable_stains

FEWEST = 64
"""A class of fewer pixels is not looked for in a picture."""
SPACING, MOST = 64, 4000
"""One pixel in so many is remembered as a place for crops, and no more than so many of a picture."""


class _Found(NamedTuple):
    """What one picture shows: its pixels, and of each class how many and some of their places; its stains."""

    size: int
    counts: list[int]
    places: list[np.ndarray]
    stains: Stains | None


class _Place(NamedTuple):
    """A picture that shows a class, pixels of it, and the picture's stains if they are wanted."""

    sample: Sample
    pixels: np.ndarray
    stains: Stains | None


class Choice(NamedTuple):
    """What a crop is centred on: a pixel (row, column) of a class."""

    sample: Sample
    pixel: tuple[int, int]
    code: int
    stains: Stains | None


class CropSampler:
    """Draws crops: first a class, then a source that shows it, then a case, then a pixel of the class."""

    def __init__(self, samples: Sequence[Sample], recipe: Recipe) -> None:
        self.recipe, how = recipe, recipe.augmentation
        self.size = recipe.crop
        self._codes = class_codes(recipe.classes)
        self._shares = {source.name: source.share for source in recipe.sources}
        if not recipe.sources:
            self._shares = {
                name: float(n) for name, n in Counter(s.source for s in samples).items()
            }
        self._how = {
            code: replace(how, scale=recipe.scales.get(name, how.scale))
            for code, name in zip(self._codes, recipe.classes, strict=True)
        }
        self._stains: list[Stains] = []
        # By code, source and case.
        self._places: dict[int, dict[str, dict[str, list[_Place]]]] = {
            code: defaultdict(lambda: defaultdict(list)) for code in self._codes
        }
        self.counts = torch.zeros(len(self._codes), dtype=torch.float64)
        """Pixels of each class in all pictures."""
        self.crops = 0
        """How many crops cover all pictures once."""
        with ThreadPoolExecutor() as pool:  # decoding pictures takes long, and threads can share it
            for sample, found in zip(samples, pool.map(self._search, samples), strict=True):
                self._remember(sample, found)
        self._odds = self._class_odds()
        self._channel = np.full(256, IGNORE, np.uint8)
        self._channel[self._codes] = np.arange(len(self._codes))

    def _search(self, sample: Sample) -> _Found:
        rng = np.random.default_rng(0)
        flat = sample.codes.ravel()
        counts, places = [], []
        for code in self._codes:
            pixels = np.flatnonzero(flat == code)
            enough = min(MOST, max(FEWEST, len(pixels) // SPACING))
            counts.append(len(pixels))
            places.append(rng.choice(pixels, enough).astype(np.int32) if len(pixels) else pixels)
        stains = usable_stains(sample.image) if self.recipe.augmentation.restain_odds else None
        return _Found(flat.size, counts, places, stains)

    def _remember(self, sample: Sample, found: _Found) -> None:
        self.crops += max(1, round(found.size / self.size**2))
        self.counts += torch.tensor(found.counts)
        wanted = self._shares.get(sample.source, 0) > 0
        if wanted and found.stains:
            self._stains.append(found.stains)
        for code, count, places in zip(self._codes, found.counts, found.places, strict=True):
            if wanted and count >= FEWEST:
                place = _Place(sample, places, found.stains)
                self._places[code][sample.source][sample.case].append(place)

    def _class_odds(self) -> np.ndarray:
        weights = [self.recipe.class_weights.get(name, 1.0) for name in self.recipe.classes]
        here = [w if self._places[c] else 0 for c, w in zip(self._codes, weights, strict=True)]
        if not any(here):
            raise DataError("No picture of the training data has a labelled pixel of any class.")
        return np.array(here) / sum(here)

    def batch(self, seeds: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Draw a crop for each seed: (N, 3, size, size) pixels, 0 to 255, and int64 channels (N, size, size)."""
        crops = [self._crop(np.random.default_rng(seed)) for seed in seeds]
        images = np.stack([image for image, _ in crops]).transpose(0, 3, 1, 2)
        targets = np.stack([self._channel[codes] for _, codes in crops]).astype(np.int64)
        return torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(targets)

    def choose(self, rng: np.random.Generator) -> Choice:
        """Return a pixel of a class chosen by its odds."""
        code = self._codes[rng.choice(len(self._codes), p=self._odds)]
        by_source = self._places[code]
        odds = np.array([self._shares[name] for name in by_source])
        by_case = list(by_source.values())[rng.choice(len(odds), p=odds / odds.sum())]
        placed = list(by_case.values())[rng.integers(len(by_case))]
        sample, pixels, stains = placed[rng.integers(len(placed))]
        row, column = divmod(int(rng.choice(pixels)), sample.codes.shape[1])
        return Choice(sample, (row, column), code, stains)

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, Codes]:
        image, codes = self._augmented(rng)
        if self.recipe.mixed and rng.random() < self.recipe.mixed:
            image, codes = mix((image, codes), self._augmented(rng), rng)
        steps = self.recipe.preprocessing
        return preprocess(image, steps) if steps else image, codes

    def _augmented(self, rng: np.random.Generator) -> Crop:
        sample, (row, column), code, stains = self.choose(rng)
        how = self._how[code]
        jitter = rng.integers(-self.size // 3, self.size // 3 + 1, 2)
        centre = (row + int(jitter[0]), column + int(jitter[1]))
        image, codes = random_cut(
            sample.image, sample.codes, rng, how, centre=centre, size=self.size
        )
        restaining = Restaining(stains, self._stains) if stains else None
        return augment(image, codes, rng, how, restaining)
