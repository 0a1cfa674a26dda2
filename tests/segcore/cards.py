"""Cards of bundles for tests."""

from segcore.models import IMAGENET, Architecture, Card, TrainingData

CLASSES = ("Tumor", "Stroma", "Lymphocyte", "Necrosis", "Other")


def card(**changes):
    values = {
        "format": "acinus-bundle-1",
        "name": "test",
        "title": "A network for tests",
        "architecture": Architecture("lightmuseg-v2"),
        "classes": CLASSES,
        "mpp": 0.5,
        "tile": 64,
        "halo": 8,
        "normalisation": IMAGENET,
        "trained": False,
        "training": TrainingData("Nothing: random weights."),
        "metrics": (),
        "licence": "Apache-2.0",
        "intended_use": "Tests.",
        "limits": "Knows nothing.",
        "sha256": "0" * 64,
    }
    return Card(**{**values, **changes})
