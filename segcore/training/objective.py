"""What a step minimises: a network together with the loss that its recipe names."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from segcore.errors import DataError
from segcore.models.hinet import HINet
from segcore.models.lightmuseg import LightMuSeg
from segcore.models.normalisation import IMAGENET, normalise
from segcore.refinement import propagate_labels
from segcore.training.losses import IGNORE, dice_cross_entropy
from segcore.training.losses_consistency import consistency_loss
from segcore.training.losses_hinet import hinet_loss
from segcore.training.losses_sides import deep_supervision
from segcore.training.losses_structure import structure_loss
from segcore.training.losses_weighted import inverse_frequency, soft_dice_cross_entropy
from segcore.training.recipe import Propagation, Recipe

PixelLoss = Callable[[Tensor, Tensor], Tensor]


class Objective(nn.Module):
    """(N, 3, H, W) pixels, 0 to 255, and (N, H, W) targets -> loss; a module, so that DDP can share it."""

    def __init__(
        self, model: nn.Module, recipe: Recipe, counts: Tensor, precision: torch.dtype
    ) -> None:
        """Take `counts`: pixels of each class in the training set, which soft-dice-wce weighs by."""
        super().__init__()
        self.model = model
        self.recipe = recipe
        self.precision = precision
        self.loss = _pixel_loss(recipe, counts)
        if isinstance(model, HINet):
            # A head that no loss reaches has no gradient, which DDP would wait for.
            model.presence.requires_grad_(requires_grad=self.loss is None)
        elif self.loss is None:
            raise DataError(f"The loss hi-net needs the network hi-net, not {recipe.architecture}.")

    def forward(self, images: Tensor, target: Tensor, teacher: Tensor | None = None) -> Tensor:
        """Return the loss; `teacher` are the logits of the network to be consistent with."""
        with torch.autocast(
            images.device.type, self.precision, enabled=self.precision != torch.float32
        ):
            outputs, presence = self._outputs(normalise(images, IMAGENET))
        outputs = [logits.float() for logits in outputs]
        if self.recipe.propagation is not None:
            target = propagated_target(outputs[0].detach(), images, target, self.recipe.propagation)
        if self.loss is not None:
            total = deep_supervision(self.loss, outputs, target)
        else:
            tumor = self.recipe.classes.index(self.recipe.loss.foreground)
            total = hinet_loss(outputs[0], presence.float(), target, tumor=tumor)
        if teacher is not None:
            total = total + self.recipe.loss.consistency * consistency_loss(outputs[0], teacher)
        return total

    def _outputs(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the logits, side outputs after them, and HI-Net's presence logits (0 of the others)."""
        if isinstance(self.model, HINet) and self.loss is None:
            logits, presence = self.model.outputs(x)
            return [logits], presence
        if isinstance(self.model, LightMuSeg):
            return self.model.outputs(x), x.new_zeros(())
        return [self.model(x)], x.new_zeros(())


def _pixel_loss(recipe: Recipe, counts: Tensor) -> PixelLoss | None:
    """Return the recipe's loss of one output; None where it is HI-Net's, which needs two."""
    match recipe.loss.name:
        case "dice-ce":
            return partial(dice_cross_entropy, smoothing=recipe.loss.smoothing)
        case "soft-dice-wce":
            return partial(soft_dice_cross_entropy, class_weights=inverse_frequency(counts))
        case "structure":
            foreground = recipe.classes.index(recipe.loss.foreground)
            return partial(structure_loss, foreground=foreground)
        case "hi-net":
            return None


def propagated_target(logits: Tensor, images: Tensor, target: Tensor, how: Propagation) -> Tensor:
    """Return the target with unlabelled pixels filled where propagated labels are sure of them.

    Algorithm 1 of paper 2, lines 6 to 9: the network's probabilities are propagated with the reference as
    seeds. The paper leaves open what the refined masks are for; here they teach the pixels that have no
    reference. Where all pixels have one, the target is as it was. `logits` (N, C, H, W); `images`
    (N, 3, H, W), 0 to 255; `target` (N, H, W).
    """
    filled = target.clone()
    for i, picture in enumerate(images):
        unknown = target[i] == IGNORE
        if not unknown.any() or unknown.all():  # nothing to fill, or nothing to fill it from
            continue
        refined = _propagated(logits[i], picture, target[i], how)
        share, best = (refined / refined.sum(0).clamp_min(1e-12)).max(0)
        sure = unknown & (share >= how.confidence)
        filled[i][sure] = best[sure]
    return filled


def _propagated(logits: Tensor, picture: Tensor, target: Tensor, how: Propagation) -> Tensor:
    refined = propagate_labels(
        logits.softmax(0).cpu().numpy(),
        (picture.float() / 255).permute(1, 2, 0).cpu().numpy(),
        seeds=target.where(target != IGNORE, -1).cpu().numpy().astype(np.int64),
        alpha=how.alpha,
        sigma_intensity=how.sigma_intensity,
        sigma_space=how.sigma_space,
        radius=how.radius,
        device="cuda" if logits.is_cuda else "cpu",
    )
    return torch.from_numpy(refined).to(logits.device)  # (C, H, W)
