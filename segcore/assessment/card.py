"""The figures of a bundle's card: how they are measured, and whether a card tells the truth."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from segcore.assessment.prediction import exact
from segcore.data import Sample
from segcore.evaluation import Confusion, confusion
from segcore.models import Bundle, Metric
from segcore.progress import Report, silent

ROUNDING = 0.0005
"""What another processor's arithmetic may change in a figure."""


def measure(
    bundle: Bundle,
    samples: Sequence[Sample],
    report: Report = silent,
    *,
    notes: Mapping[str, str] | None = None,
) -> tuple[Metric, ...]:
    """Return IoU and Dice of each class over the validation pixels of each source, without refinement.

    Every picture is predicted whole, in float32. Only classes that the reference shows there are scored; `cases` counts
    the cases that show them.
    """
    totals: dict[str, Confusion] = {}
    seen: dict[tuple[str, int], set[str]] = {}
    bundle, codes = exact(bundle), bundle.codes
    for i, sample in enumerate(samples):
        reference = np.asarray(sample.codes)
        best = bundle.predict(np.asarray(sample.image)[None])[0].argmax(0)
        counts = confusion(reference, np.array(codes, np.uint8)[best], codes)
        before = totals.get(sample.source)
        totals[sample.source] = before + counts if before else counts
        for code in np.unique(reference):
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


class Difference(msgspec.Struct, frozen=True):
    """A figure of which card and measurement say different things; None where one has none."""

    metric: str
    class_name: str
    split: str
    card: float | None
    measured: float | None


class CardCheck(msgspec.Struct, frozen=True):
    figures: int
    """How many the card gives."""
    differences: tuple[Difference, ...]
    matches: bool
    """No figure is missing, and none differs by more than rounding."""
    sentence: str


def check_card(claimed: Sequence[Metric], measured: Sequence[Metric]) -> CardCheck:
    """Compare the figures of a card with those that `measure` has found; their notes may differ."""
    card, found = (
        {(m.name, m.class_name, m.split): m for m in each} for each in (claimed, measured)
    )
    differences = []
    matches = bool(card)
    for key in dict.fromkeys([*card, *found]):
        one, other = card.get(key), found.get(key)
        if one is None or other is None:
            matches = False
        elif one.cases != other.cases or one.value != other.value:
            matches &= one.cases == other.cases and abs(one.value - other.value) <= ROUNDING
        else:
            continue
        values = (each.value if each else None for each in (one, other))
        differences.append(Difference(*key, *values))
    sentence = _sentence(len(card), len(differences), matches=matches)
    return CardCheck(len(card), tuple(differences), matches, sentence)


def _sentence(figures: int, differing: int, *, matches: bool) -> str:
    if not figures:
        return "The card gives no figures."
    if not differing:
        return f"Matches the card: all {figures} figures are the same."
    if matches:
        return f"Matches the card but for rounding: {differing} of {figures} figures differ by {ROUNDING:g} at most."
    return (
        f"Does not match the card: {differing} figure{'s differ' if differing > 1 else ' differs'}."
    )
