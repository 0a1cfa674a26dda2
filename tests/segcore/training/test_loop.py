import csv
from contextlib import closing

import numpy as np
import pytest
import torch
from PIL import Image

from segcore.errors import DataError
from segcore.progress import Cancelled
from segcore.training import best_weights, evaluate, mean_dice, train
from segcore.training.loop import drawn_ahead
from segcore.training.processes import Processes
from segcore.training.recipe import Loss, Second
from segcore.training.run import Run
from segcore.training.weights import BEST, CHECKPOINT, averaged_weights, read_checkpoint
from tests.segcore.training.builders import recipe, sample

CLASSES = ("Tumor", "Stroma")

pytestmark = pytest.mark.usefixtures("tiny_network")


def rows(folder):
    with (folder / "curves.csv").open() as file:
        return list(csv.DictReader(file))


def stop_after(part):
    def report(fraction, _text=""):
        if fraction >= part:
            raise Cancelled

    return report


def test_training_learns_two_colours(tmp_path):
    samples = [sample("one"), sample("three")]
    plan = recipe(steps=20, save_every=10, learning_rate=0.05)

    model = train(plan, samples, tmp_path, validation=[sample("other")])

    assert np.nanmin(evaluate(model, [sample("other")], CLASSES)["A"].iou) > 0.8


@pytest.mark.parametrize("part", [0.25, 0.5, 0.75])
def test_a_stopped_run_goes_on_exactly_as_it_would_have(tmp_path, part):
    plan, validation = recipe(loss=Loss(consistency=0.1)), [sample("other")]
    whole = train(plan, [sample("one")], tmp_path / "whole", validation=validation)
    with pytest.raises(Cancelled):
        train(plan, [sample("one")], tmp_path / "cut", stop_after(part), validation=validation)

    resumed = train(plan, [sample("one")], tmp_path / "cut", validation=validation)

    assert (tmp_path / "cut/curves.csv").read_text() == (tmp_path / "whole/curves.csv").read_text()
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_cancelled_run_is_saved_after_the_very_step(tmp_path):
    with pytest.raises(Cancelled):
        train(recipe(), [sample("one")], tmp_path, stop_after(0.75))

    assert read_checkpoint(tmp_path / CHECKPOINT)["step"] == 3


def test_the_best_weights_are_kept_beside_the_last(tmp_path, monkeypatch):
    heard = iter([0.7, 0.4])
    monkeypatch.setattr("segcore.training.run.mean_dice", lambda _: next(heard))

    model = train(recipe(), [sample("one")], tmp_path, validation=[sample("other")])

    best = best_weights(tmp_path)
    assert (tmp_path / BEST).is_file()
    assert all(torch.equal(best[name], t) for name, t in model.state_dict().items())
    assert any(
        not torch.equal(best[n], t) for n, t in averaged_weights(tmp_path / CHECKPOINT).items()
    )
    assert [float(row["Dice"]) for row in rows(tmp_path)] == [0.7, 0.4]


def test_without_validation_the_last_average_is_what_counts(tmp_path):
    model = train(recipe(), [sample("one")], tmp_path)

    last = averaged_weights(tmp_path / CHECKPOINT)
    assert all(torch.equal(last[name], t) for name, t in model.state_dict().items())
    assert {row["Dice"] for row in rows(tmp_path)} == {""}


def test_a_finished_run_is_not_trained_again(tmp_path):
    train(recipe(), [sample("one")], tmp_path)
    steps = []

    train(recipe(), [sample("one")], tmp_path, lambda fraction, _text: steps.append(fraction))

    assert steps == []


def test_what_a_run_starts_from_is_validated_first(tmp_path):
    before = train(recipe(), [sample("one")], tmp_path / "before").state_dict()
    plan, validation = recipe(learning_rate=1e-12), [sample("other")]

    train(plan, [sample("one")], tmp_path / "after", validation=validation, weights=before)

    assert [(row["step"], row["loss"] == "") for row in rows(tmp_path / "after")] == [
        ("0", True), ("2", False), ("4", False),
    ]  # fmt: skip


def test_training_stops_early_where_dice_no_longer_rises(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.training.run.mean_dice", lambda _: 0.5)
    plan = recipe(steps=20, save_every=1, patience=2)

    train(plan, [sample("one")], tmp_path, validation=[sample("other")])

    assert read_checkpoint(tmp_path / CHECKPOINT)["step"] == 3


def test_adam_takes_over_from_sgd_at_a_plateau_and_a_resumed_run_knows(tmp_path, monkeypatch):
    monkeypatch.setattr("segcore.training.run.mean_dice", lambda _: 0.5)
    plan = recipe(
        steps=4, save_every=1, plateau=1, optimiser="sgd", second=Second("adam", 1e-4), warmup=0,
        schedule="constant",
    )  # fmt: skip
    with pytest.raises(Cancelled):
        train(plan, [sample("one")], tmp_path, stop_after(0.75), validation=[sample("other")])

    train(plan, [sample("one")], tmp_path, validation=[sample("other")])

    assert [float(row["rate"]) for row in rows(tmp_path)] == [1e-3, 1e-3, 1e-4, 1e-4]
    state = read_checkpoint(tmp_path / CHECKPOINT)["optimiser"]["state"]
    assert "exp_avg" in state[0]


def test_a_gradient_is_clipped_to_its_longest_length(tmp_path):
    run = Run(recipe(clip=1e-3), [sample("one")])
    run.learn(*run.draw(0))

    length = torch.stack([p.grad.norm() for p in run.model.parameters()]).norm()
    assert length.item() == pytest.approx(1e-3, rel=1e-3)


def test_training_in_bfloat16_on_a_cpu_keeps_float32_weights(tmp_path):
    model = train(recipe(precision="bfloat16", steps=2), [sample("one")], tmp_path)

    assert {t.dtype for t in model.parameters()} == {torch.float32}


def test_float16_on_a_cpu_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(DataError, match="bfloat16"):
        Run(recipe(precision="float16"), [sample("one")])


def test_without_an_average_the_average_is_the_network():
    run = Run(recipe(ema=0.0), [sample("one")])
    run.start()
    run.learn(*run.draw(0))
    run.learn(*run.draw(1))

    averaged = run.averaged.module.state_dict()
    assert all(torch.equal(averaged[name], t) for name, t in run.model.state_dict().items())


def test_epochs_are_counted_in_crops_that_cover_the_pictures():
    # 96 x 96 pixels of two pictures are four and a half crops of 64 x 64: 2 for each, 2 steps of 2 crops.
    run = Run(recipe(epochs=3, save_every=0), [sample("one"), sample("three")])

    assert (run.steps, run.every) == (6, 2)


def test_a_diverged_run_says_so(tmp_path, monkeypatch):
    run = Run(recipe(), [sample("one")])
    monkeypatch.setattr(run, "objective", lambda *_: torch.tensor(float("nan"), requires_grad=True))

    with pytest.raises(DataError, match="smaller learning rate"):
        run.learn(*run.draw(0))


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    train(recipe(steps=2), [sample("one")], tmp_path)
    other = recipe(classes=("Tumor", "Stroma", "Other"))

    with pytest.raises(DataError, match="another folder"):
        train(other, [sample("one")], tmp_path)


def test_a_damaged_checkpoint_is_told_in_a_sentence(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")

    with pytest.raises(DataError, match="cannot be read"):
        train(recipe(), [sample("one")], tmp_path)


def test_processes_share_a_batch_between_them():
    run = Run(recipe(batch=5), [sample("one")])
    whole, parts = run.draw(7)[0], []
    for rank in range(2):
        run.processes = Processes(rank, 2)
        parts.append(run.draw(7)[0])

    assert torch.equal(whole[0::2], parts[0])
    assert torch.equal(whole[1::2], parts[1])
    assert len(run.draw(-1)[0]) == 5


def test_a_batch_too_small_for_its_processes_is_refused():
    with pytest.raises(DataError, match="enlarge"):
        Run(recipe(batch=2, crop=32), [sample("one")], processes=Processes(0, 2))


def test_batches_come_in_order_however_many_threads_draw_them():
    with closing(drawn_ahead(lambda step: (step, -step), range(3, 40))) as batches:
        assert list(batches) == [(step, -step) for step in range(3, 40)]


def test_the_mean_dice_counts_the_classes_that_each_source_has():
    only_tumor = sample("only", source="B")
    only_tumor.codes[:] = 1
    model = train_nothing()

    scores = evaluate(model, [sample("one"), only_tumor], CLASSES)

    # All is called tumor: Dice 2 * 1/2 / (1/2 + 1) and 0 where half is stroma, 1 where all is tumor.
    assert mean_dice(scores) == pytest.approx((2 / 3 + 0 + 1) / 3)


def train_nothing():
    """Return a network that calls everything tumor."""

    class Tumor(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return torch.stack([torch.ones_like(x[:, 0]), torch.zeros_like(x[:, 0])], 1)

    return Tumor()


def test_large_pictures_are_validated_window_by_window(monkeypatch):
    picture = sample("large", size=96)
    whole = evaluate(train_nothing(), [picture], CLASSES)["A"]
    monkeypatch.setattr("segcore.training.validation.WINDOW", 40)

    assert np.array_equal(evaluate(train_nothing(), [picture], CLASSES)["A"].counts, whole.counts)


def test_the_curves_are_a_table_and_a_picture(tmp_path):
    train(recipe(), [sample("one")], tmp_path, validation=[sample("other")])

    assert list(rows(tmp_path)[0]) == [
        "step", "loss", "rate", "Dice", "Dice Tumor (A)", "Dice Stroma (A)",
    ]  # fmt: skip
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4"]
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (960, 640)
