"""From a finished run to a bundle whose card says what was measured, on what, and on how many cases."""

import hashlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from segcore.assessment import measure
from segcore.data import Sample
from segcore.models import (
    IMAGENET,
    Architecture,
    Card,
    TrainingData,
    create_model,
    load_bundle,
    save_bundle,
)
from segcore.progress import Report, silent
from segcore.training.recipe import Recipe
from segcore.training.record import RECORD, read_record
from segcore.training.weights import best_weights

UNKNOWN = "0" * 64


def publish(
    recipe: Recipe,
    run: Path,
    training: Sequence[Sample],
    validation: Sequence[Sample],
    *,
    folder: Path,
    report: Report = silent,
) -> Card:
    """Write the bundle of a run's best averaged weights to `folder`, with metrics on the validation samples."""
    model = create_model(recipe.architecture, classes=len(recipe.classes), **recipe.arguments)
    model.load_state_dict(best_weights(run))
    text = recipe.card
    card = Card(
        format="acinus-bundle-1",
        name=text.name or folder.name,
        title=text.title,
        architecture=Architecture(recipe.architecture, recipe.arguments),
        classes=recipe.classes,
        mpp=recipe.mpp,
        tile=text.tile,
        halo=text.halo,
        normalisation=IMAGENET,
        preprocessing=recipe.preprocessing,
        trained=True,
        training=TrainingData(_summary(text.data, run, training), manifest_hash(training)),
        metrics=(),
        licence=text.licence,
        intended_use=text.intended_use,
        limits=text.limits,
        sha256=UNKNOWN,
    )
    notes = {source.name: source.note for source in recipe.sources}
    with tempfile.TemporaryDirectory() as scratch:
        save_bundle(
            Path(scratch) / "bundle", model, card
        )  # what is measured are the rounded weights
        bundle = load_bundle(Path(scratch) / "bundle", device="cpu")
        card = card.measured(measure(bundle, validation, report, notes=notes))
    return save_bundle(folder, model, card)


def _summary(said: str, run: Path, training: Sequence[Sample]) -> str:
    """Return what the recipe says of its data, or how much it was, and where the weights came from."""
    cases = {sample.case for sample in training}
    text = said or f"{len(training)} pictures of {len(cases)} cases."
    origin = read_record(run)["origin"] if (run / RECORD).is_file() else ""
    return f"{text} Started from {origin}." if origin else text


def manifest_hash(samples: Sequence[Sample], report: Report = silent) -> str:
    """Return a sha256 that changes with any picture, mask, case or source that was trained on.

    Reads every picture, so that a damaged one is met before a long training, not in its midst.
    """
    lines = []
    with ThreadPoolExecutor() as pool:
        for i, line in enumerate(pool.map(_line, samples)):
            lines.append(line)
            report((i + 1) / len(samples), f"read {i + 1} of {len(samples)} pictures")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _line(sample: Sample) -> str:
    return f"{sample.source}\t{sample.case}\t{_digest(sample.image)}\t{_digest(sample.codes)}\n"


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()
