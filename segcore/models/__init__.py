"""Models: the networks, and the bundles they travel in.

A *model* is an `nn.Module` from a normalised image (N, 3, H, W) to logits (N, classes, H, W), made by
`create_model`. A *bundle* is a folder with a model's weights and its card: classes, pixel size,
normalisation, training data, metrics, licence, limits. `load_bundle` gives a `Bundle`, which turns uint8
tiles into class probabilities on the best device, with the network folded into its fastest exact form. A
bundle may also carry a *classification*: one answer for a whole region, from the tissue inside its mask.
Packages of other programs take the place of bundles, run in a process of their own.
"""

from segcore.models.bundle import Bundle
from segcore.models.bundle_files import find_bundle, list_bundles, save_bundle
from segcore.models.bundle_format import Architecture, Card, Classification, Metric, TrainingData
from segcore.models.classification import TissueClassifier, classifier_for
from segcore.models.device import choose_device
from segcore.models.fusion import fuse
from segcore.models.loading import load_bundle
from segcore.models.normalisation import IMAGENET, Normalisation
from segcore.models.registry import count_parameters, create_model, model_names

__all__ = [
    "IMAGENET",
    "Architecture",
    "Bundle",
    "Card",
    "Classification",
    "Metric",
    "Normalisation",
    "TissueClassifier",
    "TrainingData",
    "choose_device",
    "classifier_for",
    "count_parameters",
    "create_model",
    "find_bundle",
    "fuse",
    "list_bundles",
    "load_bundle",
    "model_names",
    "save_bundle",
]
