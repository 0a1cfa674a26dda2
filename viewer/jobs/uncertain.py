"""The search for places that are worth a person's look."""

from typing import TYPE_CHECKING

from segcore.annotations import Annotation, LabelMap
from segcore.progress import Report
from segcore.slides import Slide
from viewer.jobs.models import Models

SIDE = 64.0
"""Micrometres along a side of a place: some ten cells, which the eye takes in at once."""

if TYPE_CHECKING:
    from segcore.explain import UncertainPlace


def find_uncertain(
    slide: Slide,
    region: Annotation,
    models: Models,
    *,
    model: str,
    labels: LabelMap | None,
    report: Report,
) -> "tuple[UncertainPlace, ...]":
    """Return the places in `region` at which the calibrated network is least sure; `labels` is the mask there."""
    report(0.0, "loading the model")
    from segcore.explain import uncertain_places, uncertainty_map  # noqa: PLC0415 - torch takes a second to import

    entropy = uncertainty_map(slide, models.get(model), region.geometry, report=report)
    size = SIDE / slide.mpp if slide.mpp else None
    return tuple(uncertain_places(entropy, labels, size=size))
