"""A run at one moment: the network, its average, the optimiser, the course and the step."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
import torch
from safetensors.torch import save_file
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from segcore.annotations.atomic import replacing
from segcore.data import Sample
from segcore.errors import DataError
from segcore.evaluation import Confusion
from segcore.models.mobilenetv2 import STRIDE, rebase_batch_norm
from segcore.models.normalisation import IMAGENET, normalise
from segcore.models.registry import create_model
from segcore.training.course import Course
from segcore.training.curves import Point
from segcore.training.objective import Objective
from segcore.training.processes import Processes
from segcore.training.recipe import Recipe
from segcore.training.sampling import CropSampler
from segcore.training.validation import dice_by_class, mean_dice
from segcore.training.weights import BEST, CHECKPOINT, read_checkpoint

DEVICE = torch.device("cpu")
ALONE = Processes()
REBASED = 128
"""Crops whose statistics ImageNet's encoder is moved to."""


class Run:
    """What a training run is at one moment; every step draws from its own seed, and so can be repeated."""

    def __init__(
        self,
        recipe: Recipe,
        samples: Sequence[Sample],
        *,
        device: torch.device = DEVICE,
        processes: Processes = ALONE,
    ) -> None:
        _check_batch(recipe, processes.count)
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.processes = recipe, device, processes
        self.sampler = CropSampler(samples, recipe)
        epoch = max(1, round(self.sampler.crops / recipe.batch))  # steps
        self.steps = recipe.epochs * epoch or recipe.steps
        self.every = recipe.save_every or epoch
        self.step = 0
        self.course = Course()
        self.points: list[Point] = []
        """What the curves show, a point for each validation."""
        self.losses: list[float] = []
        """Of the steps since the last point."""
        self.last_loss = math.nan
        self.model = self._make_model()
        # A copy that the optimiser does not know; validated and published in place of the network.
        average = get_ema_multi_avg_fn(recipe.ema)
        self.averaged = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
        precision = training_precision(recipe, device)
        objective = Objective(self.model, recipe, self.sampler.counts, precision)
        self.objective = DistributedDataParallel(objective) if processes.count > 1 else objective
        self.optimiser = self._make_optimiser()
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)

    def _make_model(self) -> nn.Module:
        recipe = self.recipe
        model = create_model(recipe.architecture, classes=len(recipe.classes), **recipe.arguments)
        if self.processes.count > 1 and self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return model.to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def _make_optimiser(self) -> torch.optim.Optimizer:
        recipe, second = self.recipe, self.recipe.second
        kind = second.optimiser if second and self.course.second else recipe.optimiser
        learned = [p for p in self.model.parameters() if p.requires_grad]
        rate, decay = recipe.learning_rate, recipe.weight_decay
        if kind == "sgd":
            return torch.optim.SGD(learned, rate, momentum=recipe.momentum, weight_decay=decay)
        return torch.optim.Adam(learned, rate, weight_decay=decay)

    def start(
        self, encoder: dict[str, Tensor] | None = None, weights: dict[str, Tensor] | None = None
    ) -> None:
        """Begin at step 0, from ImageNet's encoder moved to the statistics of our crops, or from our own."""
        if weights is not None:
            self._take(weights)
        elif encoder is not None:
            own: nn.Module = self.model.get_submodule("encoder")
            own.load_torchvision(encoder)  # pyright: ignore[reportCallIssue] - every encoder has it
            # In float64, which MPS lacks.
            place = self.device if self.device.type == "cuda" else DEVICE
            count = math.ceil(REBASED / self.recipe.batch)
            crops = (self.draw(-1 - i)[0].to(place) for i in range(count))
            rebase_batch_norm(own.to(place), [normalise(each, IMAGENET) for each in crops])
            own.to(self.device)
        self.averaged.module.load_state_dict(self.model.state_dict())

    def _take(self, weights: dict[str, Tensor]) -> None:
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            raise DataError(
                f"The weights to start from are not those of {self.recipe.architecture} with the classes "
                f"{', '.join(self.recipe.classes)}; start from a network of the same kind."
            ) from error

    @property
    def is_over(self) -> bool:
        return self.step >= self.steps or self.course.is_over(self.recipe)

    @property
    def is_due(self) -> bool:
        """Tell whether it is time for a validation."""
        return self.step % self.every == 0 or self.step == self.steps

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return this process's part of the batch of `step`.

        Negative steps are for statistics before training, of which all processes must think alike.
        """
        rank, count = (self.processes.rank, self.processes.count) if step >= 0 else (0, 1)
        mine = range(rank, self.recipe.batch, count)
        seeds = [(self.recipe.seed, abs(step), int(step < 0), i) for i in mine]
        return self.sampler.batch(seeds)

    def learn(self, images: Tensor, target: Tensor) -> float:
        """Take one step; return the loss, its mean over all processes."""
        torch.manual_seed(self.recipe.seed + self.step * self.processes.count + self.processes.rank)
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.course.learning_rate(self.recipe, self.step, self.steps)
        images, target = images.to(self.device), target.to(self.device)
        loss = self.objective(images, target, self._taught(images))
        value = self.processes.mean(loss.item())
        if not math.isfinite(value):
            raise DataError(f"Training diverged at step {self.step}; try a smaller learning rate.")
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.recipe.clip:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.averaged.update_parameters(self.model)
        self.step += 1
        self.losses.append(value)
        self.last_loss = value
        return value

    def _taught(self, images: Tensor) -> Tensor | None:
        """Return what the average says of the pictures, where the network shall be consistent with it."""
        if not self.recipe.loss.consistency:
            return None
        with torch.no_grad():
            return self.averaged.module.eval()(normalise(images, IMAGENET))

    def agree(self) -> None:
        """Give all processes the first one's average: BatchNorm has seen other crops in each."""
        if self.processes.count > 1:
            for buffer in self.averaged.module.buffers():
                distributed.broadcast(buffer, 0)

    def hear(self, scores: dict[str, Confusion], folder: Path) -> None:
        """Take a validation into account: a new point, the best weights, perhaps another optimiser or rate."""
        rate = self.optimiser.param_groups[0]["lr"]
        loss = sum(self.losses) / len(self.losses) if self.losses else math.nan
        dice = mean_dice(scores)
        self.points.append(Point(self.step, loss, rate, dice, dice_by_class(scores)))
        self.losses = []
        second = self.course.second
        if self.course.hear(dice, self.step, self.recipe) and self.processes.is_first:
            with replacing(folder / BEST) as temporary:
                save_file(_stored(self.averaged.module), temporary)
                temporary.chmod(0o644)  # safetensors keeps others out
        if self.course.second != second:
            self.optimiser = self._make_optimiser()

    def save(self, folder: Path) -> None:
        """Write the checkpoint, whole or not at all; the first process alone does."""
        if not self.processes.is_first:
            return
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "course": asdict(self.course),
            "points": msgspec.to_builtins(self.points),
            "losses": self.losses,
        }
        with replacing(folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)

    def load(self, folder: Path) -> None:
        """Go on from the checkpoint of `folder`; raises DataError where it is not of this recipe."""
        state = read_checkpoint(folder / CHECKPOINT)
        try:
            self.course = Course(**state["course"])
            self.optimiser = self._make_optimiser()
            self.model.load_state_dict(state["model"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.scaler.load_state_dict(state["scaler"])
            self.points = msgspec.convert(state["points"], list[Point])
            self.step, self.losses = state["step"], state["losses"]
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            raise DataError(
                f"The checkpoint in {folder} does not fit this recipe; train into another folder."
            ) from error


def _check_batch(recipe: Recipe, processes: int) -> None:
    """Raise DataError where BatchNorm would have a single value to take its statistics of."""
    if (recipe.batch // processes) * (recipe.crop // STRIDE) ** 2 < 2:
        raise DataError(
            f"A batch of {recipe.batch} crops of {recipe.crop} pixels is too small for {processes} "
            "processes; enlarge the recipe's batch or crop."
        )


def training_precision(recipe: Recipe, device: torch.device) -> torch.dtype:
    """Return the type of the network's arithmetic; raises DataError for float16 on a CPU."""
    if recipe.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if recipe.precision == "float16" and device.type == "cpu":
        raise DataError("A CPU does not train in float16; set the recipe's precision to bfloat16.")
    return getattr(torch, recipe.precision)


def _stored(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
