"""Ablations: one recipe trained again and again, each time with something left out, and compared."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from segcore.annotations.atomic import new_folder, write_bytes
from segcore.assessment import (
    FILES,
    Document,
    PairedTest,
    assess,
    describe,
    read_report,
    write_report,
)
from segcore.assessment.figures import MEAN
from segcore.assessment.paired import paired_test
from segcore.data import Sample
from segcore.errors import DataError
from segcore.models import count_parameters, create_model, load_bundle
from segcore.progress import Report, share, silent
from segcore.training.ablation_table import Ablations, Row, ablation_table
from segcore.training.loop import train
from segcore.training.publish import manifest_hash, publish
from segcore.training.recipe import Recipe
from segcore.training.record import describe_data, open_record
from segcore.training.run import DEVICE
from segcore.training.sources import read_sources
from segcore.training.variants import GROUPS, VARIANTS, Variant, choose, variant

RUN, BUNDLE, REPORT = "run", "bundle", "report"
TABLE, DATA = ("ablations.md", "ablations.json")
DONE = "done"
"""A file in the folder of a finished run or report: the hash of what it was made from."""


def ablate(
    recipe: Recipe,
    data: Path,
    out: Path,
    report: Report = silent,
    *,
    only: tuple[str, ...] = (),
    encoder: dict[str, Tensor] | None = None,
    device: torch.device = DEVICE,
) -> Ablations:
    """Train and assess the chosen variants of `recipe`; `out` gets their table after each, and all files.

    Variants finished in `out` are in the table too; they are not trained again, and an interrupted one
    goes on. `encoder`:
    torchvision's mobilenet_v2, for the networks that have it. Raises DataError where nothing is kept for
    validation, or a folder of `out` belongs to another recipe or other pictures.
    """
    variants = choose(only)
    training, validation = read_sources(recipe, data)
    if not validation:
        raise DataError(f"No picture of {data} is kept for validation; split it by cases first.")
    parts = len(variants) + 1
    digest = manifest_hash(training, share(report, 0, parts))
    described = describe_data(training, validation, digest)
    described["validation_sha256"] = manifest_hash(validation)
    study = _Study(recipe, training, validation, described, out, encoder, device)
    found = study.finished()
    for i, each in enumerate(variants, 1):
        if each.name not in found:
            found[each.name] = study.assess(each, _named(share(report, i, parts), each))
        table = study.table(found)
        write_bytes(out / DATA, msgspec.json.format(msgspec.json.encode(table), indent=1))
        write_bytes(out / TABLE, ablation_table(table).encode())
    return study.table(found)


def _named(report: Report, each: Variant) -> Report:
    def told(fraction: float, text: str = "") -> None:
        report(fraction, f"{each.name}: {text}")

    return told


@dataclass(frozen=True, eq=False)
class _Study:
    """What all variants share."""

    recipe: Recipe
    training: Sequence[Sample]
    validation: Sequence[Sample]
    data: dict[str, Any]
    out: Path
    encoder: dict[str, Tensor] | None
    device: torch.device

    def finished(self) -> dict[str, Document]:
        """Return the assessments of this study that were finished earlier."""
        return {
            each.name: read_report(self.out / each.name / REPORT / "report.json")
            for each in VARIANTS
            if _is_done(self.out / each.name / f"{REPORT}.{DONE}", self._key(each))
        }

    def assess(self, each: Variant, report: Report) -> Document:
        """Assess a variant, trained now unless its weights were finished earlier."""
        folder = self.out / each.name / REPORT
        weights = variant(each.weights_of) if each.weights_of else each
        bundle = load_bundle(self._bundle(weights, report), str(self.device))
        found = assess(bundle, self.validation, refinements=(each.refinement,))[0]
        document = describe(bundle, found, data=f"the validation pictures of {self.recipe.name}")
        with new_folder(folder, replace=FILES) as fresh:
            write_report(fresh, document, found)
        write_bytes(folder.with_name(f"{REPORT}.{DONE}"), self._key(each).encode())
        return document

    def _bundle(self, each: Variant, report: Report) -> Path:
        """Return the folder of the variant's bundle, trained unless it was."""
        folder = self.out / each.name
        key = self._key(each)
        if _is_done(folder / f"{BUNDLE}.{DONE}", key):
            return folder / BUNDLE
        recipe, encoder = each.recipe(self.recipe), self._encoder(each)
        origin = "ImageNet's encoder" if encoder is not None else ""
        record = open_record(folder / RUN, recipe, self.data, origin=origin, device=self.device)
        if record["origin"] != origin:
            raise DataError(
                f"The run in {folder / RUN} was begun {'with' if encoder is None else 'without'} an encoder; "
                "give the same, or another folder."
            )
        train(
            recipe,
            self.training,
            folder / RUN,
            report,
            validation=self.validation,
            encoder=encoder,
            device=self.device,
        )
        publish(recipe, folder / RUN, self.training, self.validation, folder=folder / BUNDLE)
        write_bytes(folder / f"{BUNDLE}.{DONE}", key.encode())
        return folder / BUNDLE

    def _encoder(self, each: Variant) -> dict[str, Tensor] | None:
        """Return the given encoder where it is the variant's own."""
        return None if each.group == "hi-net" else self.encoder

    def _key(self, each: Variant) -> str:
        """Return a hash of all that decides a variant's figures."""
        parts = (each, each.recipe(self.recipe), self.data, self._encoder(each) is not None)
        return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()

    def table(self, found: Mapping[str, Document]) -> Ablations:
        recipe = self.recipe
        return Ablations(
            "acinus-ablations-1",
            recipe.name,
            recipe.steps,
            recipe.epochs,
            recipe.seed,
            self.data,
            recipe.classes,
            tuple(self._row(each, found) for each in VARIANTS if each.name in found),
        )

    def _row(self, each: Variant, found: Mapping[str, Document]) -> Row:
        overall = found[each.name].overall
        baseline = next(group.baseline for group in GROUPS if group.name == each.group)
        compared = baseline in found and each.name != baseline
        with torch.device("meta"):  # counted, not made
            model = create_model(
                each.architecture, classes=len(self.recipe.classes), **each.arguments
            )
        return Row(
            each.name,
            each.group,
            each.about,
            count_parameters(model),
            count_parameters(model, trainable=True),
            self._encoder(each) is not None,
            overall.overlap["case"]["IoU"],
            overall.overlap["case"]["Dice"],
            overall.boundary_f1[MEAN],
            overall.calibration_error,
            overall.accuracy,
            gain(found[baseline], found[each.name]) if compared else None,
        )


def _is_done(file: Path, key: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == key


def gain(baseline: Document, document: Document) -> PairedTest:
    """Test the mean IoU of each case's classes against the baseline's."""
    first, second = (
        {(c.source, c.case): _mean(c.iou) for c in d.cases} for d in (baseline, document)
    )
    rows = [(first[key], second[key]) for key in first]
    return paired_test(MEAN, "IoU", *np.array(rows).T)


def _mean(scores: Mapping[str, float | None]) -> float:
    numbers = [each for each in scores.values() if each is not None]
    return float(np.mean(numbers)) if numbers else float("nan")
