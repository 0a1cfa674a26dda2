"""Validation: how well a network in training knows the pictures that it never trains on."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from segcore.data import Sample
from segcore.data.sample import Codes, Rgb
from segcore.evaluation import Confusion, confusion
from segcore.models.normalisation import IMAGENET, normalise
from segcore.slides.preprocessing import Step, preprocess
from segcore.training.recipe import class_codes

WINDOW = 1024
"""Larger pictures are predicted in windows of this side: what a step of training needs is memory enough."""


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    samples: Sequence[Sample],
    classes: Sequence[str],
    *,
    preprocessing: Sequence[Step] = (),
) -> dict[str, Confusion]:
    """Return the pixel confusion of each source, without refinement."""
    model.eval()
    device = next(model.parameters()).device
    codes = class_codes(list(classes))
    table = np.array(codes, np.uint8)
    results: dict[str, Confusion] = {}
    for sample in samples:
        for image, reference in _windows(sample):
            x = normalise(_pixels(image, preprocessing).to(device), IMAGENET)
            counts = confusion(reference, table[model(x).argmax(1)[0].cpu().numpy()], codes)
            before = results.get(sample.source)
            results[sample.source] = before + counts if before else counts
    return results


def _windows(sample: Sample) -> Iterator[tuple[Rgb, Codes]]:
    image, codes = sample.image, sample.codes
    height, width = codes.shape
    for top in range(0, height, WINDOW):
        for left in range(0, width, WINDOW):
            place = np.s_[top : top + WINDOW, left : left + WINDOW]
            if codes[place].any():
                yield image[place], codes[place]


def _pixels(image: Rgb, preprocessing: Sequence[Step]) -> Tensor:
    prepared = preprocess(image, preprocessing) if preprocessing else image
    return torch.from_numpy(np.array(prepared)).permute(2, 0, 1)[None]  # (1, 3, H, W)


def joined_scores(parts: Sequence[Mapping[str, Confusion]]) -> dict[str, Confusion]:
    """Add up confusions of the same sources."""
    joined: dict[str, Confusion] = {}
    for part in parts:
        for source, counts in part.items():
            joined[source] = joined[source] + counts if source in joined else counts
    return joined


def dice_by_class(scores: Mapping[str, Confusion]) -> dict[str, list[float]]:
    """Return the Dice of each class for each source; NaN where the source's reference lacks the class."""
    return {
        source: [
            float(dice) if pixels else math.nan
            for dice, pixels in zip(counts.dice, counts.reference, strict=True)
        ]
        for source, counts in scores.items()
    }


def mean_dice(scores: Mapping[str, Confusion]) -> float:
    """Return the mean over sources and the classes their reference has; NaN where nothing was validated."""
    known = [d for row in dice_by_class(scores).values() for d in row if not math.isnan(d)]
    return sum(known) / len(known) if known else math.nan
