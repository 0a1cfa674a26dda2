"""How much of a mask each class covers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from shapely.geometry.base import BaseGeometry

from segcore.annotations.labelmap import LabelMap
from segcore.annotations.raster import region_mask
from segcore.annotations.taxonomy import Taxonomy

_NO_TISSUE = "Other"


@dataclass(frozen=True)
class Statistics:
    """Areas of a mask, or of the part of it in one region."""

    area_mm2: dict[str, float]
    """Of each class of the taxonomy that is not ignored, in its order."""
    fraction: dict[str, float]
    """Of the labelled area."""
    labelled_mm2: float
    tissue_mm2: float
    """All classes but Other, which is glass, fat and what else no class is for."""
    tumor_to_stroma: float | None
    """Tumor area divided by stroma area; None where there is no stroma."""


def statistics(
    masks: Iterable[LabelMap], taxonomy: Taxonomy, *, region: BaseGeometry | None = None
) -> Statistics:
    """Measure masks that do not overlap; with `region` (level-0 pixels) only the pixels whose centre it holds."""
    counted = [each for each in taxonomy.classes if not each.ignored]
    areas = {each.name: 0.0 for each in counted}
    for mask in masks:
        counts = _counts(mask, region)
        for each in counted:
            areas[each.name] += int(counts[each.code]) * mask.mpp**2 / 1e6
    labelled = sum(areas.values())
    stroma = areas.get("Stroma", 0.0)
    return Statistics(
        area_mm2=areas,
        fraction={name: area / labelled if labelled else 0.0 for name, area in areas.items()},
        labelled_mm2=labelled,
        tissue_mm2=labelled - areas.get(_NO_TISSUE, 0.0),
        tumor_to_stroma=areas.get("Tumor", 0.0) / stroma if stroma else None,
    )


def _counts(mask: LabelMap, region: BaseGeometry | None) -> np.ndarray:
    """Return how many pixels each code has."""
    labels = mask.labels
    if region is not None:
        height, width = labels.shape
        frame = {"column": mask.column, "row": mask.row, "width": width, "height": height}
        labels = labels[region_mask(region, **frame, scale=mask.scale)]
    return np.bincount(labels.ravel(), minlength=256)
