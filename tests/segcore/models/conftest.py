import pytest
import torch

from segcore.models import IMAGENET, Architecture, Card, TrainingData, create_model, save_bundle

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


@pytest.fixture(scope="session")
def model():
    torch.manual_seed(0)
    return create_model("lightmuseg-v2", classes=len(CLASSES)).eval()


@pytest.fixture(scope="session")
def saved(model, tmp_path_factory):
    """The folder of a good bundle; copy it before damaging it."""
    folder = tmp_path_factory.mktemp("bundles") / "good"
    save_bundle(folder, model, card())
    return folder
