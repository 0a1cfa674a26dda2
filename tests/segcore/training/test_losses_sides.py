import pytest
import torch

from segcore.models import create_model
from segcore.training.losses_sides import deep_supervision
from segcore.training.losses_structure import structure_loss

TARGET = torch.randint(0, 2, (2, 40, 33), generator=torch.Generator().manual_seed(0))


def test_the_loss_is_the_sum_over_all_outputs():
    outputs = [torch.randn(2, 1, 40, 33) for _ in range(4)]

    found = deep_supervision(structure_loss, outputs, TARGET)

    expected = sum(structure_loss(each, TARGET).item() for each in outputs)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_every_side_output_of_v3_learns():
    torch.manual_seed(0)
    model = create_model("lightmuseg-v3", classes=1).train()

    outputs = model.outputs(torch.randn(2, 3, 40, 33))
    deep_supervision(structure_loss, outputs, TARGET).backward()

    assert len(outputs) == 4
    assert all(side[-1].weight.grad.any() for side in model.sides)
