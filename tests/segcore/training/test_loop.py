from collections import Counter

import numpy as np
import pytest
import torch

from segcore.config import resources
from segcore.data import Sample
from segcore.errors import DataError
from segcore.progress import Cancelled
from segcore.training import evaluate, read_recipe, train
from segcore.training.loop import CHECKPOINT, Run, averaged_weights, learning_rate
from segcore.training.recipe import Recipe, Source
from segcore.training.sampling import CropSampler

COLOURS = {1: (120, 40, 140), 2: (240, 170, 200)}


def sample(case, source="A", size=96):
    rng = np.random.default_rng(len(case))
    codes = np.ones((size, size), np.uint8)
    codes[:, size // 2 :] = 2
    image = np.array([(0, 0, 0), *COLOURS.values()])[codes] + rng.integers(-9, 9, (size, size, 3))
    return Sample(case, source, image.clip(0, 255).astype(np.uint8), codes)


def recipe(**changes):
    values = {
        "name": "test",
        "architecture": "lightmuseg-v2",
        "classes": ("Tumor", "Stroma"),
        "sources": (Source("A", "manifest", 1.0),),
        "crop": 64,
        "batch": 2,
        "steps": 4,
        "warmup": 1,
        "save_every": 2,
        "ema": 0.5,
    }
    return Recipe(**{**values, **changes})


@pytest.mark.slow
def test_training_learns_two_colours(tmp_path):
    samples = [sample("one"), sample("three")]

    model = train(recipe(steps=30), samples, tmp_path, validation=[sample("other")])

    assert np.nanmin(evaluate(model, [sample("other")], ("Tumor", "Stroma"))["A"].iou) > 0.8
    assert (tmp_path / "curve.csv").read_text().count("\n") > 10


def test_an_interrupted_run_goes_on_exactly_as_it_would_have(tmp_path):
    def stop_at_three(fraction, _text=""):
        if fraction > 0.7:
            raise Cancelled

    whole = train(recipe(), [sample("one")], tmp_path / "whole")
    with pytest.raises(Cancelled):
        train(recipe(), [sample("one")], tmp_path / "cut", stop_at_three)

    resumed = train(recipe(), [sample("one")], tmp_path / "cut")

    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_run_can_start_from_anothers_averaged_weights(tmp_path):
    train(recipe(steps=2), [sample("one")], tmp_path)

    run = Run(recipe(), [sample("one")])
    run.start(None, averaged_weights(tmp_path / CHECKPOINT))

    before = torch.load(tmp_path / CHECKPOINT, weights_only=True)["averaged"]
    assert torch.equal(run.model.state_dict()["head.bias"], before["module.head.bias"])


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    train(recipe(steps=2), [sample("one")], tmp_path)
    other = recipe(classes=("Tumor", "Stroma", "Other"))

    with pytest.raises(DataError, match="another folder"):
        train(other, [sample("one")], tmp_path)


def test_the_rate_warms_up_and_falls_as_half_a_cosine():
    plan = recipe(steps=101, warmup=1, learning_rate=1.0)

    assert learning_rate(plan, 0) == 1
    assert learning_rate(plan, 51) == pytest.approx(0.505, abs=0.01)
    assert learning_rate(plan, 100) == pytest.approx(0.01, abs=0.01)


def test_each_source_gets_its_share_whatever_its_size():
    samples = [sample("a1", "A"), *(sample(f"b{i}", "B") for i in range(9))]
    sampler = CropSampler(
        samples, codes=[1, 2], shares={"A": 3.0, "B": 1.0}, class_weights=[1, 1], size=32
    )
    drawn = Counter()
    rng = np.random.default_rng(0)
    for _ in range(400):
        drawn[sampler.choose(rng)[0].source] += 1

    assert 0.68 < drawn["A"] / 400 < 0.82


def test_pictures_without_labels_cannot_train():
    empty = Sample("x", "A", np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))
    with pytest.raises(DataError, match="labelled"):
        Run(recipe(), [empty])


def test_the_recipe_of_the_default_bundle_reads():
    default = read_recipe(resources() / "recipes" / "breast-default.toml")

    assert default.architecture == "lightmuseg-v2"
    seeds = [s for s in default.sources if s.kind == "procedural"]
    assert not set(seeds[0].seeds) & set(seeds[0].validation_seeds)


@pytest.mark.parametrize("text", ["", "name = 3", "name = 'x'\nsurprise = 1", "[["])
def test_a_recipe_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(DataError, match="recipe"):
        read_recipe(tmp_path / "r.toml")
