import pytest
from torch import Tensor, nn


class TinyNetwork(nn.Module):
    """A few hundred weights with all that makes a step hard to repeat: statistics and dropout."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2),
            nn.Conv2d(8, classes, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


@pytest.fixture
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a tiny network whatever the recipe says: what is tested is the loop."""
    monkeypatch.setattr(
        "segcore.training.run.create_model", lambda _name, *, classes: TinyNetwork(classes)
    )
