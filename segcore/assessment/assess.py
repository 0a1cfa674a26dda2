"""From a bundle and samples to an assessment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np

from segcore.annotations import load_taxonomy
from segcore.assessment.prediction import (
    Codes,
    answered_classes,
    comparable_reference,
    exact,
    predict_picture,
    refine_picture,
)
from segcore.assessment.scoring import RoiScore, score_roi
from segcore.assessment.worst import WorstTile, WorstTiles
from segcore.data import Sample
from segcore.errors import DataError
from segcore.evaluation import Calibration, Confusion
from segcore.models import Bundle
from segcore.progress import Report, silent
from segcore.refinement import Refinement

Key = tuple[str, str]
"""(source, case)"""


@dataclass(frozen=True, eq=False)
class Assessment:
    """How a bundle did on every ROI: one picture of one case of one source (data set) each."""

    classes: tuple[str, ...]
    rois: tuple[RoiScore, ...]
    refinement: Refinement | None = None
    """How the masks were refined before they were scored."""
    worst: tuple[WorstTile, ...] = ()
    unknown: int = 0
    """Labelled pixels that count for nothing, because the bundle does not know their class."""

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(roi.source for roi in self.rois))

    def of(self, source: str) -> "Assessment":
        """Return the part that was measured on one source."""
        return replace(self, rois=tuple(roi for roi in self.rois if roi.source == source))

    def by_case(self) -> dict[Key, list[RoiScore]]:
        """Return the ROIs of each case; cases of two sources are two, whatever their names."""
        cases: dict[Key, list[RoiScore]] = {}
        for roi in self.rois:
            cases.setdefault((roi.source, roi.case), []).append(roi)
        return cases

    @property
    def confusion(self) -> Confusion:
        """Return the sum over all ROIs."""
        return reduce(add, (roi.confusion for roi in self.rois))

    @property
    def calibration(self) -> Calibration:
        """Return the sum over all ROIs."""
        return reduce(add, (roi.calibration for roi in self.rois))


def assess(
    bundle: Bundle,
    samples: Sequence[Sample],
    report: Report = silent,
    *,
    refinements: Sequence[Refinement | None] = (None,),
) -> tuple[Assessment, ...]:
    """Predict every sample once and return an assessment for each way to refine it (None: as predicted).

    Samples are at the bundle's pixel size; it is run in float32. Raises DataError where none has a labelled pixel.
    """
    bundle, classes = exact(bundle), answered_classes(bundle)
    unknown = 0
    rois: list[list[RoiScore]] = [[] for _ in refinements]
    worst = [WorstTiles() for _ in refinements]
    for done, sample in enumerate(samples):
        report(done / len(samples), sample.case)
        reference = comparable_reference(sample.codes, classes)
        ways = list(zip(refinements, worst, strict=True))
        scores = _scores(bundle, classes, sample, reference, ways)
        unknown += int(np.count_nonzero(reference) - scores[0].confusion.counts.sum())
        for found, score in zip(rois, scores, strict=True):
            found.append(score)
    report(1.0, f"{len(samples)} pictures")
    if not any(roi.tiles for roi in rois[0]):
        raise DataError("No picture has a labelled pixel of the model's classes; give others.")
    return tuple(
        Assessment(
            classes,
            tuple(found),
            refinement,
            tiles.worst_first(),
            unknown,
        )
        for found, refinement, tiles in zip(rois, refinements, worst, strict=True)
    )


def _scores(
    bundle: Bundle,
    classes: Sequence[str],
    sample: Sample,
    reference: Codes,
    ways: Iterable[tuple[Refinement | None, WorstTiles]],
) -> list[RoiScore]:
    codes = tuple(load_taxonomy().named(name).code for name in classes)
    image = sample.image
    predicted = predict_picture(bundle, image)
    scores = []
    for refinement, worst in ways:
        F = refine_picture(predicted, image, refinement) if refinement else predicted
        score = score_roi(
            reference,
            F,
            codes,
            source=sample.source,
            case=sample.case,
            tile=bundle.tile,
            mpp=bundle.mpp,
        )
        worst.see(score, image, reference, F)
        scores.append(score)
    return scores
