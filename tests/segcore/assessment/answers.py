"""Pictures that carry their own prediction, and the bundle that reads it from them."""

import numpy as np
import torch

from segcore.data import Sample
from tests.builders import Cpu
from tests.segcore.cards import card

TUMOR, STROMA, LYMPHOCYTE = 1, 2, 3


class AnswerBundle:
    """Predicts what a picture's red channel says (a channel index), as surely as its green one (of 255)."""

    def __init__(self, classes=("Tumor", "Stroma"), codes=(1, 2), *, tile=64, halo=8, mpp=0.5):
        self.classes, self.codes, self.tile, self.halo, self.mpp = classes, codes, tile, halo, mpp
        self.device, self.precision = Cpu(), torch.float32
        self.card = card(classes=classes, tile=tile, halo=halo, trained=True)
        self.shapes = []

    def predict(self, tiles):
        self.shapes.append(tiles.shape)
        count = max(2, len(self.classes))
        said, sure = tiles[..., 0], tiles[..., 1] / np.float32(255)
        channels = [np.where(said == i, sure, (1 - sure) / (count - 1)) for i in range(count)]
        return np.stack(channels, axis=1)[:, : len(self.classes)].astype(np.float32)


def answered(reference, predicted, *, case="a", source="A", sure=0.9):
    """Return a sample of reference codes whose picture answers the channels in `predicted`."""
    reference, predicted = np.array(reference, np.uint8), np.array(predicted, np.uint8)
    image = np.zeros((*reference.shape, 3), np.uint8)
    image[..., 0] = predicted
    image[..., 1] = np.round(np.broadcast_to(sure, reference.shape) * 255)
    return Sample(case, source, image, reference)
