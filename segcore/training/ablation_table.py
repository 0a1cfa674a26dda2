"""The table of ablations: its rows, and how people read them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from segcore.assessment import Figure, PairedTest
from segcore.assessment.figures import MEAN
from segcore.assessment.markdown import number, shown, table
from segcore.training.variants import GROUPS


class Row(msgspec.Struct, frozen=True):
    """What one variant has come to on the validation pictures."""

    name: str
    group: str
    about: str
    parameters: int
    trainable: int
    from_imagenet: bool
    iou: dict[str, Figure]
    """Mean over cases, per class and `MEAN`; likewise `dice`."""
    dice: dict[str, Figure]
    boundary_f1: Figure
    calibration_error: Figure
    accuracy: float | None
    gain: PairedTest | None
    """Over the group's baseline, by the mean IoU of each case; None for the baseline, or without it."""


class Ablations(msgspec.Struct, frozen=True):
    format: str
    recipe: str
    steps: int
    epochs: int
    """Over `steps` where not 0."""
    seed: int
    data: dict[str, Any]
    classes: tuple[str, ...]
    rows: tuple[Row, ...]


def ablation_table(found: Ablations) -> str:
    """Return `ablations.md`: a table per paper."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Ablations) -> Iterator[str]:
    length = f"{found.epochs} epochs" if found.epochs else f"{found.steps} steps"
    training, validation = found.data["training"], found.data["validation"]
    yield f"# Ablations of {found.recipe}"
    yield ""
    yield (
        f"Every variant was trained for {length} with seed {found.seed} on {training['pictures']} pictures of "
        f"{training['cases']} cases, and measured on {validation['pictures']} pictures of {validation['cases']} others: "
        "means over cases, with 95 % bootstrap intervals. One run each, so a difference that another seed could "
        "make means nothing; the test takes the cases as given and knows nothing of that. Research use only."
    )
    yield ""
    for group in GROUPS:
        rows = [row for row in found.rows if row.group == group.name]
        if rows:
            yield f"## {group.title}"
            yield ""
            yield from table(_header(found), (_cells(row, found) for row in rows))
            yield from _tests(rows, group.baseline)
    if not all(row.from_imagenet for row in found.rows):
        names = ", ".join(row.name for row in found.rows if not row.from_imagenet)
        yield f"Trained from random weights, not from ImageNet's encoder: {names}."
        yield ""


def _header(found: Ablations) -> tuple[str, ...]:
    return (
        "variant",
        "what",
        "parameters (trained)",
        "mean IoU",
        "mean Dice",
        *(f"IoU {name}" for name in found.classes),
        "boundary F1",
        "calibration error",
    )


def _cells(row: Row, found: Ablations) -> tuple[str, ...]:
    return (
        row.name,
        row.about,
        f"{row.parameters / 1e6:.2f} M ({row.trainable / 1e6:.2f} M)",
        shown(row.iou[MEAN]),
        shown(row.dice[MEAN]),
        *(_value(row.iou[name]) for name in found.classes),
        _value(row.boundary_f1),
        _value(row.calibration_error),
    )


def _value(figure: Figure) -> str:
    return number(figure.value)


def _tests(rows: list[Row], baseline: str) -> Iterator[str]:
    tests = [(row.name, row.gain) for row in rows if row.gain]
    if not tests:
        return
    yield f"Mean IoU of each case against {baseline}:"
    yield ""
    for name, test in tests:
        p = "" if test.p_value is None else f", p = {test.p_value:.3g}"
        word = test.conclusion.replace("the second", name).replace("the first", baseline)
        bounds = "" if test.low is None else f" [{test.low:+.3f}, {test.high:+.3f}]"
        yield f"- {name}: {number(test.difference, sign='+')}{bounds}{p}: {word}"
    yield ""
