import pytest
import torch

from segcore.models import create_model, save_bundle
from tests.segcore.cards import CLASSES, card


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
