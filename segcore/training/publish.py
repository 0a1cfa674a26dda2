"""From a finished run to a bundle whose card says what was measured, on what, and on how many cases."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from segcore.data import Sample
from segcore.errors import DataError
from segcore.evaluation import Confusion, confusion
from segcore.models import (
    IMAGENET,
    Architecture,
    Bundle,
    Card,
    Metric,
    TrainingData,
    choose_device,
    create_model,
    save_bundle,
)
from segcore.progress import Report, silent
from segcore.training.loop import averaged_weights, class_codes
from segcore.training.recipe import Recipe

UNKNOWN = "0" * 64


def publish(
    recipe: Recipe,
    checkpoint: Path,
    training: Sequence[Sample],
    validation: Sequence[Sample],
    *,
    folder: Path,
    report: Report = silent,
) -> Card:
    """Write the bundle of a run's averaged weights to `folder`, with metrics on the validation samples."""
    if recipe.card is None:
        raise DataError(f"The recipe {recipe.name!r} has no [card]; add one to publish its bundle.")
    model = create_model(recipe.architecture, classes=len(recipe.classes))
    model.load_state_dict(averaged_weights(checkpoint))
    card = Card(
        format="acinus-bundle-1",
        name=recipe.card.name,
        title=recipe.card.title,
        architecture=Architecture(recipe.architecture),
        classes=recipe.classes,
        mpp=recipe.mpp,
        tile=recipe.card.tile,
        halo=recipe.card.halo,
        normalisation=IMAGENET,
        trained=True,
        training=TrainingData(recipe.card.data, manifest_hash(training)),
        metrics=(),
        licence=recipe.card.licence,
        intended_use=recipe.card.intended_use,
        limits=recipe.card.limits,
        sha256=UNKNOWN,
    )
    bundle = Bundle(card, model, choose_device("cpu"))
    notes = {source.name: source.note for source in recipe.sources}
    card = card.measured(measure(bundle, validation, report, notes=notes))
    return save_bundle(folder, model, card)


def measure(
    bundle: Bundle,
    samples: Sequence[Sample],
    report: Report = silent,
    *,
    notes: Mapping[str, str] | None = None,
) -> tuple[Metric, ...]:
    """Return IoU and Dice of each class over the validation pixels of each source, without refinement.

    Only classes that the reference shows there are scored; `cases` counts the cases that show them.
    """
    totals: dict[str, Confusion] = {}
    seen: dict[tuple[str, int], set[str]] = {}
    codes = class_codes(bundle.classes)
    for i, sample in enumerate(samples):
        best = bundle.predict(sample.image[None])[0].argmax(0)
        counts = confusion(sample.codes, np.array(codes, np.uint8)[best], codes)
        before = totals.get(sample.source)
        totals[sample.source] = before + counts if before else counts
        for code in np.unique(sample.codes):
            seen.setdefault((sample.source, int(code)), set()).add(sample.case)
        report((i + 1) / len(samples), f"measured {sample.case}")
    return tuple(
        Metric(
            name,
            class_name,
            round(float(scores[i]), 4),
            f"validation, {source}",
            cases,
            (notes or {}).get(source, ""),
        )
        for source, counts in totals.items()
        for name, scores in (("IoU", counts.iou), ("Dice", counts.dice))
        for i, class_name in enumerate(bundle.classes)
        if (cases := len(seen.get((source, codes[i]), ())))
    )


def manifest_hash(samples: Sequence[Sample]) -> str:
    """Return a sha256 that changes with any picture, mask, case or source that was trained on."""
    lines = sorted(
        f"{s.source}\t{s.case}\t{_digest(s.image)}\t{_digest(s.codes)}\n" for s in samples
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()
