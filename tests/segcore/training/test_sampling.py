from collections import Counter

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from segcore.data import Sample
from segcore.errors import DataError
from segcore.slides.preprocessing import Standardise
from segcore.slides.preprocessing.stains import transmitted
from segcore.training.losses import IGNORE
from segcore.training.recipe import Augmentation, Source
from segcore.training.sampling import CropSampler
from tests.segcore.training.builders import recipe, sample

MILD = Augmentation(
    scale=(1.0, 1.0), quarter_turns=False, flips=False, stain_odds=0.0, contrast=0.0,
    brightness=0.0, blur_odds=0.0,
)  # fmt: skip


def drawn(samples, plan, count=400):
    sampler = CropSampler(samples, plan)
    rng = np.random.default_rng(0)
    return [sampler.choose(rng) for _ in range(count)]


def test_each_source_gets_its_share_whatever_its_size():
    samples = [sample("a1", "A"), *(sample(f"b{i}", "B") for i in range(9))]
    plan = recipe(sources=(Source("A", "manifest", 3.0), Source("B", "manifest", 1.0)))

    found = Counter(each.sample.source for each in drawn(samples, plan))

    assert 0.68 < found["A"] / 400 < 0.82


def test_without_sources_every_picture_counts_alike():
    samples = [sample("a1", "A"), *(sample(f"b{i}", "B") for i in range(9))]

    found = Counter(each.sample.source for each in drawn(samples, recipe()))

    assert 0.05 < found["A"] / 400 < 0.15


def test_classes_are_balanced_however_rare():
    rare = sample("one")
    rare.codes[:] = 2
    rare.codes[:10, :10] = 1

    centres = [each.sample.codes[each.pixel] for each in drawn([rare], recipe())]

    assert 0.4 < np.mean(np.array(centres) == 1) < 0.6


def test_a_crop_depends_on_its_seed_alone():
    sampler = CropSampler([sample("one"), sample("three")], recipe())
    together = sampler.batch([(1, 0), (1, 1), (1, 2)])
    apart = sampler.batch([(1, 1)])

    assert torch.equal(together[0][1], apart[0][0])
    assert torch.equal(together[1][1], apart[1][0])


def test_targets_are_channels_and_what_no_class_claims_is_ignored():
    plan = recipe(classes=("Stroma", "Other"), augmentation=MILD)
    _, target = CropSampler([sample("one")], plan).batch([(0, i) for i in range(8)])

    assert set(target.unique().tolist()) == {0, IGNORE}


def test_crops_are_pre_processed_as_the_recipe_says():
    plan = recipe(preprocessing=(Standardise((0.5,) * 3, (0.2,) * 3),), augmentation=MILD)
    images, _ = CropSampler([sample("one")], plan).batch([(0, 0)])

    assert images.dtype == torch.float32
    assert images[0].mean((1, 2)).tolist() == pytest.approx([127.5] * 3, abs=0.1)


def test_pixels_of_each_class_are_counted():
    assert CropSampler([sample("one")], recipe()).counts.tolist() == [96 * 48, 96 * 48]


def test_pictures_without_labels_cannot_train():
    empty = Sample("x", "A", np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))
    with pytest.raises(DataError, match="labelled"):
        CropSampler([empty], recipe())


def test_a_class_can_have_its_own_magnification():
    plan = recipe(scales={"Tumor": (4.0, 4.0)}, class_weights={"Stroma": 0.0}, augmentation=MILD)
    coarse = Sample("x", "A", *(np.kron(a, b) for a, b in _checkers()))
    _, target = CropSampler([coarse], plan).batch([(0, i) for i in range(4)])

    changes = (target[:, :, 1:] != target[:, :, :-1]).sum(2)
    assert changes.max() <= 64 // (8 * 4) + 1  # squares of 8 pixels, magnified four times


def _checkers():
    """Pairs whose Kronecker products are a picture and its mask, of squares of 8 pixels."""
    codes = (1 + np.indices((16, 16)).sum(0) % 2).astype(np.uint8)
    image = np.repeat(codes[..., None] * np.uint8(90), 3, axis=2)
    return (image, np.ones((8, 8, 1), np.uint8)), (codes, np.ones((8, 8), np.uint8))


def test_a_mixture_of_one_picture_with_another_shows_both():
    one, two = (
        Sample(
            name, "A", np.full((96, 96, 3), 60 * code, np.uint8), np.full((96, 96), code, np.uint8)
        )
        for name, code in (("one", 1), ("two", 2))
    )
    plain, mixed = (
        CropSampler([one, two], recipe(mixed=odds, augmentation=MILD)).batch(
            [(0, i) for i in range(16)]
        )[1]
        for odds in (0.0, 1.0)
    )

    assert all(len(set(each.unique().tolist()) - {IGNORE}) == 1 for each in plain)
    assert any(len(set(each.unique().tolist()) - {IGNORE}) == 2 for each in mixed)


def test_crops_are_restained_where_other_pictures_have_other_stains():
    rng = np.random.default_rng(0)
    content = rng.uniform(0.1, 0.9, (96, 96, 2)) * 1.5
    samples = [
        Sample(
            name,
            "A",
            transmitted(content @ np.array(stains)).astype(np.uint8),
            np.ones((96, 96), np.uint8),
        )
        for name, stains in (
            ("one", [(0.56, 0.72, 0.41), (0.22, 0.80, 0.56)]),
            ("two", [(0.75, 0.60, 0.20), (0.20, 0.85, 0.45)]),
        )
    ]
    plain, restained = (
        CropSampler(samples, recipe(augmentation=replace(MILD, restain_odds=odds))).batch([(0, 1)])
        for odds in (0.0, 1.0)
    )

    assert (plain[0].float() - restained[0].float()).abs().mean() > 3
