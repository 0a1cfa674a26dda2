"""Classification after segmentation: what the tissue inside a mask is, from the encoder's features there.

The paper: "MobileNetV2 and U-Net with label propagation" (2025), section 3.4: the last convolution's
features, kept to the segmented tissue, go through a fully connected layer and softmax. Its classes are
benign and malignant (BreakHis) or normal, benign, in situ and invasive (BACH).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from segcore.errors import ModelError
from segcore.models.lightmuseg import pad_to_stride

BREAKHIS = ("Benign", "Malignant")
BACH = ("Normal", "Benign", "In situ", "Invasive")
DROPOUT = 0.3


def pool_inside(features: Tensor, mask: Tensor) -> Tensor:
    """Return (N, K): the mean of features (N, K, h, w), each place weighed by its share of mask.

    `mask` (N, H, W) holds weights from 0 to 1 for the same field at any resolution; its mean over the
    pixels that a place stands for is the place's weight. Where a mask is empty, all places count alike.
    """
    sums, weights = add_inside(features, mask)
    whole = features.mean((2, 3))
    # Dividing by what is never 0 keeps the gradient of the other branch finite.
    mean = sums / weights.clamp(min=1e-12)[:, None]
    return torch.where(weights[:, None] > 0, mean, whole)


def add_inside(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighed sums (N, K) and their weights (N,): what `pool_inside` divides.

    Added up over the tiles of a region, they give the mean over all of it.
    """
    height, width = features.shape[2:]
    weights = F.adaptive_avg_pool2d(mask[:, None].to(features.dtype), (height, width))
    return (features * weights).sum((2, 3)), weights.sum((1, 2, 3))


class TissueClassifier(nn.Module):
    """Pooled features of an encoder -> logits (N, classes); the encoder may be shared with a segmenter.

    `encoder` turns (N, 3, H, W), sides multiples of 32, into a list of maps whose last one has `channels`.
    """

    def __init__(self, encoder: nn.Module, *, channels: int, classes: tuple[str, ...]) -> None:
        super().__init__()
        if len(classes) < 2 or len(set(classes)) < len(classes):
            raise ModelError("A classification needs two classes or more, each named once.")
        self.encoder = encoder
        self.classes = classes
        self.dropout = nn.Dropout(DROPOUT)
        self.linear = nn.Linear(channels, len(classes))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Return logits of (N, 3, H, W) normalised images and the tissue (N, H, W) found in them."""
        pooled = pool_inside(*self.features(image, mask))  # (N, channels)
        return self.linear(self.dropout(pooled))

    def features(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's last map (N, channels, a, b) and the mask, 0 where the image was padded."""
        padded = pad_to_stride(image)  # (N, 3, 32a, 32b)
        below = (0, padded.shape[3] - image.shape[3], 0, padded.shape[2] - image.shape[2])
        features = self.encoder(padded)[-1]
        return features, F.pad(mask.to(features.dtype), below)


def classifier_for(model: nn.Module, classes: tuple[str, ...]) -> TissueClassifier:
    """Return a classifier on a segmentation network's own encoder, its linear layer untrained.

    Raises ModelError where the network has no encoder.
    """
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise ModelError(f"The network {type(model).__name__} has no encoder to classify with.")
    training = encoder.training
    with torch.no_grad():
        deepest = encoder.eval()(
            torch.zeros(1, 3, 32, 32, device=next(encoder.parameters()).device)
        )
    encoder.train(training)
    return TissueClassifier(encoder, channels=deepest[-1].shape[1], classes=classes)
