"""The training loop: read it from `train` down."""

import csv
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from segcore.annotations import load_taxonomy
from segcore.data import Sample
from segcore.errors import DataError
from segcore.evaluation import Confusion, confusion
from segcore.models.lightmuseg import LightMuSeg
from segcore.models.mobilenetv2 import rebase_batch_norm
from segcore.models.normalisation import IMAGENET, normalise
from segcore.models.registry import create_model
from segcore.progress import Report, silent
from segcore.training.losses import segmentation_loss
from segcore.training.recipe import Recipe
from segcore.training.sampling import CropSampler

CHECKPOINT = "checkpoint.pt"


def train(
    recipe: Recipe,
    samples: Sequence[Sample],
    out: Path,
    report: Report = silent,
    *,
    encoder: dict[str, Tensor] | None = None,
    weights: dict[str, Tensor] | None = None,
    validation: Sequence[Sample] = (),
) -> nn.Module:
    """Train as `recipe` says and return the averaged model in eval mode.

    `encoder`: torchvision's mobilenet_v2 weights to start from; `weights`: those of the whole network. Writes `checkpoint.pt` and `curve.csv`
    to `out`, and goes on from a checkpoint found there; every step draws from its own seed, so that an
    interrupted run goes on exactly as it would have.
    """
    out.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, samples)
    if (out / CHECKPOINT).is_file():
        run.load(out / CHECKPOINT)
    else:
        run.start(encoder, weights)
    with ThreadPoolExecutor(1) as drawer:
        ahead = drawer.submit(run.draw, run.step)
        while run.step < recipe.steps:
            images, target = ahead.result()
            ahead = drawer.submit(run.draw, run.step + 1)
            loss = run.learn(images, target)
            report(run.step / recipe.steps, f"step {run.step} of {recipe.steps}, loss {loss:.3f}")
            if run.step % recipe.save_every == 0 or run.step == recipe.steps:
                run.save(out / CHECKPOINT)
                scores = evaluate(run.averaged.module, validation, recipe.classes)
                _log(out / "curve.csv", run.step, loss, scores)
    return run.averaged.module.eval()


class Run:
    """What a training run is at one moment: weights, their average, the optimiser and the step."""

    def __init__(self, recipe: Recipe, samples: Sequence[Sample]) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.step = 0
        model = create_model(recipe.architecture, classes=len(recipe.classes))
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.averaged = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema), use_buffers=True
        )
        self.optimiser = torch.optim.Adam(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )
        self.sampler = CropSampler(
            samples,
            codes=class_codes(recipe.classes),
            shares={source.name: source.share for source in recipe.sources},
            class_weights=[recipe.class_weights.get(name, 1.0) for name in recipe.classes],
            size=recipe.crop,
        )

    def start(self, encoder: dict[str, Tensor] | None, weights: dict[str, Tensor] | None) -> None:
        """Begin at step 0, from ImageNet weights moved to the statistics of our tiles, or from our own."""
        if weights is not None:
            self.model.load_state_dict(weights)
        elif encoder is not None and isinstance(self.model, LightMuSeg):
            self.model.encoder.load_torchvision(encoder)
            batches = [normalise(self.draw(-1 - i)[0], IMAGENET) for i in range(16)]
            rebase_batch_norm(self.model.encoder, batches)
        self.averaged.module.load_state_dict(self.model.state_dict())

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the batch of `step`; negative steps are for statistics before training."""
        rng = np.random.default_rng([self.recipe.seed, abs(step), int(step < 0)])
        return self.sampler.batch(self.recipe.batch, rng)

    def learn(self, images: Tensor, target: Tensor) -> float:
        torch.manual_seed(self.recipe.seed + self.step)  # dropout
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, self.step)
        x = normalise(images, IMAGENET)
        outputs = self.model.outputs(x) if isinstance(self.model, LightMuSeg) else [self.model(x)]
        loss = segmentation_loss(outputs, target)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.averaged.update_parameters(self.model)
        self.step += 1
        if not math.isfinite(loss.item()):
            raise DataError(f"Training diverged at step {self.step}; try a smaller learning rate.")
        return loss.item()

    def save(self, file: Path) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, file.with_suffix(".tmp"))
        file.with_suffix(".tmp").replace(file)

    def load(self, file: Path) -> None:
        try:
            state = torch.load(file, weights_only=True, map_location="cpu")
            self.model.load_state_dict(state["model"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]
        except (RuntimeError, KeyError, ValueError, EOFError, OSError) as error:
            raise DataError(
                f"The checkpoint {file} does not fit this recipe; train into another folder."
            ) from error


def averaged_weights(file: Path) -> dict[str, Tensor]:
    """Return the averaged weights that a run has written to its checkpoint."""
    try:
        state = torch.load(file, weights_only=True, map_location="cpu")["averaged"]
    except (RuntimeError, KeyError, EOFError, OSError) as error:
        raise DataError(f"The checkpoint {file} cannot be read.") from error
    prefix = "module."
    return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the rate at `step`: a linear warm-up, then half a cosine down to 1 % of it."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    part = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * part)) / 2)


@torch.inference_mode()
def evaluate(
    model: nn.Module, samples: Sequence[Sample], classes: Sequence[str]
) -> dict[str, Confusion]:
    """Return the pixel confusion of each source; every picture is predicted whole."""
    model.eval()
    codes = class_codes(classes)
    results: dict[str, Confusion] = {}
    for sample in samples:
        image = torch.from_numpy(sample.image.copy()).permute(2, 0, 1)[None]  # (1, 3, H, W)
        best = model(normalise(image, IMAGENET)).argmax(1)[0].numpy()
        counts = confusion(sample.codes, np.array(codes, np.uint8)[best], codes)
        before = results.get(sample.source)
        results[sample.source] = before + counts if before else counts
    return results


def class_codes(classes: Sequence[str]) -> list[int]:
    taxonomy = load_taxonomy()
    return [taxonomy.named(name).code for name in classes]


def _log(file: Path, step: int, loss: float, scores: dict[str, Confusion]) -> None:
    """Append a row per source (or one with the loss alone): step, loss, source, IoU per class."""
    new = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow(["step", "loss", "source", "iou per class"])
        for source, counts in (scores or {"": None}).items():
            row = [] if counts is None else [f"{value:.3f}" for value in counts.iou]
            writer.writerow([step, f"{loss:.4f}", source, *row])
