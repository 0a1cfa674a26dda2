import numpy as np
import pytest
import torch

from segcore.errors import DataError
from segcore.models import create_model
from segcore.refinement import propagate_labels
from segcore.training.losses import IGNORE, dice_cross_entropy
from segcore.training.losses_consistency import consistency_loss
from segcore.training.losses_hinet import hinet_loss
from segcore.training.losses_structure import structure_loss
from segcore.training.losses_weighted import inverse_frequency, soft_dice_cross_entropy
from segcore.training.objective import Objective, propagated_target
from segcore.training.recipe import Loss, Propagation
from tests.segcore.training.builders import recipe

IMAGES = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0)).to(
    torch.uint8
)
TARGET = torch.zeros(2, 64, 64, dtype=torch.int64)
TARGET[:, :, 32:] = 1
TARGET[:, :8] = IGNORE
COUNTS = torch.tensor([300.0, 100.0])


class Fixed(torch.nn.Module):
    """Gives the same logits for every picture."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.logits = torch.nn.Parameter(torch.randn(2, 2, 64, 64, generator=generator))

    def forward(self, x):
        return self.logits


def objective(model, **changes):
    return Objective(model, recipe(**changes), COUNTS, torch.float32)


def test_each_pixel_loss_is_the_one_that_the_recipe_names():
    model = Fixed()
    logits = model.logits
    expected = {
        "dice-ce": dice_cross_entropy(logits, TARGET, smoothing=0.05),
        "soft-dice-wce": soft_dice_cross_entropy(logits, TARGET, inverse_frequency(COUNTS)),
        "structure": structure_loss(logits, TARGET, foreground=0),
    }
    for name, loss in expected.items():
        found = objective(model, loss=Loss(name=name))(IMAGES, TARGET)
        assert found.item() == pytest.approx(loss.item()), name


def test_consistency_adds_its_share():
    model, teacher = Fixed(), torch.zeros(2, 2, 64, 64)
    alone = objective(model)(IMAGES, TARGET)

    both = objective(model, loss=Loss(consistency=0.5))(IMAGES, TARGET, teacher)

    extra = 0.5 * consistency_loss(model.logits, teacher)
    assert both.item() == pytest.approx((alone + extra).item())


def test_v3_is_supervised_at_all_its_outputs():
    torch.manual_seed(0)
    model = create_model("lightmuseg-v3", classes=2).train()

    objective(model, architecture="lightmuseg-v3")(IMAGES, TARGET).backward()

    assert all(side[-1].weight.grad.any() for side in model.sides)


@pytest.mark.slow
def test_hinet_learns_the_mask_and_whether_there_is_tumor():
    torch.manual_seed(0)
    model = create_model("hi-net", classes=2, depth=50).eval()
    found = objective(model, architecture="hi-net", loss=Loss(name="hi-net"))(IMAGES, TARGET)
    found.backward()

    assert model.presence.weight.grad.any()
    pixels = (IMAGES.float() / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / (
        torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    )
    logits, presence = model.outputs(pixels)
    expected = hinet_loss(logits, presence, TARGET, tumor=0)
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)


def test_hinets_loss_needs_hinet():
    with pytest.raises(DataError, match="needs the network hi-net"):
        objective(Fixed(), loss=Loss(name="hi-net"))


def test_in_bfloat16_the_loss_itself_is_float32():
    half = Objective(Fixed(), recipe(), COUNTS, torch.bfloat16)(IMAGES, TARGET)

    assert half.dtype == torch.float32


def test_propagation_labels_the_unlabelled_as_the_network_and_the_seeds_agree():
    image = torch.full((1, 3, 16, 16), 200, dtype=torch.uint8)
    image[..., 8:] = 40
    target = torch.full((1, 16, 16), IGNORE)
    target[:, :, 2], target[:, :, 13] = 0, 1
    logits = torch.zeros(1, 2, 16, 16)
    logits[:, 0, :, :8] = logits[:, 1, :, 8:] = 3.0

    filled = propagated_target(logits, image, target, Propagation(confidence=0.8))

    known = target != IGNORE
    assert torch.equal(filled[known], target[known])
    assert (filled[..., :8] == 0).all()
    assert (filled[..., 8:] == 1).all()


def test_propagation_teaches_only_what_it_is_sure_of():
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(1, 2, 16, 16))).float()
    image = torch.from_numpy(rng.integers(0, 256, (1, 3, 16, 16), dtype=np.uint8))
    target = torch.full((1, 16, 16), IGNORE)
    target[:, 0] = 1

    filled = propagated_target(logits, image, target, Propagation(confidence=0.7))

    seeds = np.full((16, 16), -1)
    seeds[0] = 1
    F = propagate_labels(
        logits[0].softmax(0).numpy(), image[0].numpy().transpose(1, 2, 0), seeds=seeds
    )
    share = F / F.sum(0)
    expected = np.where(share.max(0) >= 0.7, share.argmax(0), IGNORE)
    expected[0] = 1
    assert np.array_equal(filled[0].numpy(), expected)
    assert 0 < (expected == IGNORE).sum() < 240


def test_propagation_leaves_pictures_without_any_label_alone():
    nothing = torch.full((1, 16, 16), IGNORE)
    image = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)

    filled = propagated_target(torch.randn(1, 2, 16, 16), image, nothing, Propagation())

    assert torch.equal(filled, nothing)


def test_propagation_inside_training_changes_the_loss_of_scribbles():
    target = torch.full_like(TARGET, IGNORE)
    target[:, :, :4], target[:, :, -4:] = 0, 1
    model = Fixed()
    with torch.no_grad():
        model.logits.mul_(5)

    plain = objective(model)(IMAGES, target)
    spread = objective(model, propagation=Propagation(confidence=0.6))(IMAGES, target)

    assert plain.item() != spread.item()
