"""The report of an assessment as data: what `report.json` holds and `report.md` is written from."""

import math

import msgspec

from segcore.assessment.assess import Assessment
from segcore.assessment.bootstrap import DRAWS, SEED
from segcore.assessment.card import CardCheck
from segcore.assessment.figures import (
    LEVELS,
    METRICS,
    ClassFigures,
    Figure,
    boundary_figures,
    calibration_figure,
    case_scores,
    overlap_figures,
)
from segcore.assessment.paired import PairedTest, paired_tests
from segcore.assessment.scoring import BOUNDARY_TOLERANCE
from segcore.models import Bundle
from segcore.refinement import Refinement

FORMAT = "acinus-assessment-1"


class ModelRecord(msgspec.Struct, frozen=True):
    name: str
    title: str
    architecture: str
    sha256: str
    trained: bool
    classes: tuple[str, ...]
    mpp: float
    tile: int
    halo: int
    licence: str


class Bin(msgspec.Struct, frozen=True):
    """The pixels predicted with a confidence in (low, high]."""

    low: float
    high: float
    pixels: int
    accuracy: float | None
    confidence: float | None


class Summary(msgspec.Struct, frozen=True):
    """The figures over one source, or all."""

    source: str
    cases: int
    rois: int
    tiles: int
    pixels: int
    """Labelled ones; no others count."""
    accuracy: float | None
    mean_accuracy: float | None
    frequency_weighted_iou: float | None
    overlap: dict[str, dict[str, ClassFigures]]
    """By level ("pixels", "tile", "roi", "case") and metric ("IoU", "Dice", "Sensitivity")."""
    boundary_f1: ClassFigures
    calibration_error: Figure
    reliability: tuple[Bin, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Pixels of a class of the reference (row) predicted as a class (column)."""


class CaseRow(msgspec.Struct, frozen=True):
    source: str
    case: str
    rois: int
    pixels: int
    accuracy: float | None
    iou: dict[str, float | None]


class Alternative(msgspec.Struct, frozen=True):
    """Another way to segment the same cases, and the tests of its gain over the first."""

    name: str
    overall: Summary
    tests: tuple[PairedTest, ...]


class Document(msgspec.Struct, frozen=True):
    format: str
    model: ModelRecord
    data: str
    bootstrap_draws: int
    bootstrap_seed: int
    boundary_tolerance_um: float
    classes: tuple[str, ...]
    unknown_pixels: int
    """Labelled pixels left out, because the model does not know their class."""
    overall: Summary
    sources: tuple[Summary, ...]
    cases: tuple[CaseRow, ...]
    refined: Alternative | None = None
    against: Alternative | None = None
    card: CardCheck | None = None


ALL = "all"


def describe(
    bundle: Bundle,
    found: Assessment,
    *,
    data: str,
    refined: Assessment | None = None,
    against: tuple[str, Assessment] | None = None,
    card: CardCheck | None = None,
) -> Document:
    """Put an assessment into words; `data` says in a phrase what was measured on."""
    return Document(
        FORMAT,
        model_record(bundle),
        data,
        DRAWS,
        SEED,
        BOUNDARY_TOLERANCE,
        found.classes,
        found.unknown,
        summarise(found, ALL),
        tuple(summarise(found.of(source), source) for source in found.sources),
        _case_rows(found),
        _alternative(_refinement_name(refined.refinement), found, refined) if refined else None,
        _alternative(against[0], found, against[1]) if against else None,
        card,
    )


def model_record(bundle: Bundle) -> ModelRecord:
    card = bundle.card
    return ModelRecord(
        card.name,
        card.title,
        card.architecture.name,
        card.sha256,
        card.trained,
        card.classes,
        card.mpp,
        card.tile,
        card.halo,
        card.licence,
    )


def summarise(found: Assessment, source: str) -> Summary:
    counts = found.confusion
    return Summary(
        source,
        len(found.by_case()),
        len(found.rois),
        sum(len(roi.tiles) for roi in found.rois),
        int(counts.counts.sum()),
        _number(counts.accuracy),
        _number(counts.mean_accuracy),
        _number(counts.frequency_weighted_iou),
        {
            level: {metric: overlap_figures(found, level, metric) for metric in METRICS}
            for level in LEVELS
        },
        boundary_figures(found),
        calibration_figure(found),
        _bins(found),
        tuple(tuple(row[:-1]) for row in counts.counts.tolist()),
    )


def _bins(found: Assessment) -> tuple[Bin, ...]:
    total = found.calibration
    rows = zip(total.pixels.tolist(), total.right.tolist(), total.confidence.tolist(), strict=True)
    size = len(total.pixels)
    return tuple(
        Bin(
            i / size,
            (i + 1) / size,
            pixels,
            right / pixels if pixels else None,
            confidence / pixels if pixels else None,
        )
        for i, (pixels, right, confidence) in enumerate(rows)
    )


def _case_rows(found: Assessment) -> tuple[CaseRow, ...]:
    scores = case_scores(found, "IoU")
    rows = []
    for (source, case), rois in found.by_case().items():
        counts = Assessment(found.classes, tuple(rois)).confusion
        iou = map(_number, scores[source, case].tolist())
        rows.append(
            CaseRow(
                source,
                case,
                len(rois),
                int(counts.counts.sum()),
                _number(counts.accuracy),
                dict(zip(found.classes, iou, strict=True)),
            )
        )
    return tuple(rows)


def _alternative(name: str, first: Assessment, second: Assessment) -> Alternative:
    return Alternative(name, summarise(second, ALL), paired_tests(first, second))


def _refinement_name(by: Refinement | None) -> str:
    return f"label propagation, alpha {by.alpha:g}" if by else "no refinement"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
