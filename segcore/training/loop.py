"""The training loop: read it from `train` down."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from os import cpu_count
from pathlib import Path

import torch
from torch import Tensor, nn

from segcore.data import Sample
from segcore.progress import Cancelled, Report, silent
from segcore.training.curves import write_curves
from segcore.training.processes import Processes
from segcore.training.recipe import Recipe
from segcore.training.run import ALONE, DEVICE, Run
from segcore.training.validation import evaluate, joined_scores
from segcore.training.weights import CHECKPOINT, best_weights

Batch = tuple[Tensor, Tensor]


def train(
    recipe: Recipe,
    samples: Sequence[Sample],
    out: Path,
    report: Report = silent,
    *,
    validation: Sequence[Sample] = (),
    encoder: dict[str, Tensor] | None = None,
    weights: dict[str, Tensor] | None = None,
    device: torch.device = DEVICE,
    processes: Processes = ALONE,
) -> nn.Module:
    """Train as `recipe` says and return the network in eval mode, with its best averaged weights.

    `encoder`: torchvision's ImageNet weights to start from; `weights`: those of the whole network. Writes
    `checkpoint.pt`, `best.safetensors` (by the mean Dice of `validation`), `curves.csv` and `curves.png` to
    `out`, and goes on from a checkpoint found there, on a CPU exactly as the run would have gone. Where
    `report` raises Cancelled, the step is finished and saved before it is raised again.
    """
    out.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, samples, device=device, processes=processes)
    if (out / CHECKPOINT).is_file():
        run.load(out)
    else:
        run.start(encoder, weights)
    processes.gather(None)  # nobody writes to the folder before all have looked into it
    if weights is not None and validation and not run.points:
        _validate(run, validation, out)  # what training must improve on
    steps = range(run.step, run.step if run.is_over else run.steps)
    with closing(drawn_ahead(run.draw, steps)) as batches:
        for images, target in batches:
            run.learn(images, target)
            if run.is_due:
                _validate(run, validation, out)
            if any(processes.gather(not _is_wanted(run, report))):
                run.save(out)
                raise Cancelled
            if run.is_over:
                break
    processes.gather(None)  # the first process has written the best weights
    run.averaged.module.load_state_dict(best_weights(out))
    return run.averaged.module.eval()


def drawn_ahead(draw: Callable[[int], Batch], steps: range) -> Generator[Batch, None, None]:
    """Yield the batch of each step in turn, while threads draw those to come."""
    threads = max(1, min(8, (cpu_count() or 1) // 2))
    pool = ThreadPoolExecutor(threads)
    ahead: deque[Future[Batch]] = deque()
    try:
        for step in steps:
            ahead.append(pool.submit(draw, step))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _validate(run: Run, validation: Sequence[Sample], out: Path) -> None:
    """Score the averaged network, each process on its share of the pictures; save what follows."""
    run.agree()
    mine = validation[run.processes.rank :: run.processes.count]
    scores = evaluate(
        run.averaged.module,
        mine,
        run.recipe.classes,
        preprocessing=run.recipe.preprocessing,
    )
    run.hear(joined_scores(run.processes.gather(scores)), out)
    run.save(out)
    if run.processes.is_first:
        write_curves(out, run.points, run.recipe.classes)


def _is_wanted(run: Run, report: Report) -> bool:
    """Tell progress; return False where nobody wants the run any more."""
    text = f"step {run.step} of {run.steps}, loss {run.last_loss:.3f}"
    if run.course.best >= 0:
        text += f", Dice {run.points[-1].dice:.3f} (best {run.course.best:.3f})"
    try:
        report(run.step / run.steps, text)
    except Cancelled:
        return False
    return True
