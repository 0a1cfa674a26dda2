"""What a mask says of a region: areas, ratios, nests, the invasive front."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from segcore.annotations import LabelMap, Taxonomy, load_taxonomy
from segcore.annotations.statistics import Statistics, statistics
from segcore.counting.cutting import within
from segcore.counting.front import front_length
from segcore.counting.nests import LEAST_NEST, Nests, find_nests
from segcore.counting.table import Row, to_csv

TUMOR, STROMA, LYMPHOCYTE, NECROSIS = "Tumor", "Stroma", "Lymphocyte", "Necrosis"

MEANINGS = {
    "tumor_share": "tumor / (tumor + stroma); 1 minus it is the stroma percentage",
    "tumor_to_stroma": "tumor / stroma",
    "stromal_til_share": (
        "lymphocytes / (stroma + lymphocytes), by area of the mask. After the International TILs Working Group "
        "(Salgado et al. 2015), who read the share of stromal area by eye; unlike them it counts every infiltrate "
        "of the region, aggregates and those beyond the tumor's border included"
    ),
    "necrosis_share": "necrosis / (tumor + necrosis)",
    "nests": "connected tumor areas of at least the least size; cut ones count with what lies inside",
    "front_mm": "border between tumor and stroma, smoothed at 2 micrometres",
}


@dataclass(frozen=True)
class Counts:
    """Numbers of a mask, or of the part of it in one region. None stands where a ratio has nothing below it."""

    areas: Statistics
    tumor_share: float | None
    """Tumor / (tumor + stroma)."""
    stromal_til_share: float | None
    """Lymphocyte / (stroma + lymphocyte): an area share of a mask, no score of a pathologist (see MEANINGS)."""
    necrosis_share: float | None
    """Necrosis / (tumor + necrosis)."""
    nests: Nests
    front_mm: float
    """Length of the border between tumor and stroma."""
    mpp: float
    """Of the mask."""

    @property
    def tumor_to_stroma(self) -> float | None:
        """Tumor / stroma."""
        return self.areas.tumor_to_stroma

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a document: the areas' own keys, and the others beside them."""
        own = asdict(self)
        return {**own.pop("areas"), **own}

    def rows(self) -> list[Row]:
        """Return the counts for a table."""
        areas, nests = self.areas, self.nests
        return [
            *(Row(f"Area {name}", area, "mm²") for name, area in areas.area_mm2.items()),
            *(Row(f"Share {name}", 100 * share, "%") for name, share in areas.fraction.items()),
            Row("Area labelled", areas.labelled_mm2, "mm²"),
            Row("Area tissue", areas.tissue_mm2, "mm²", "all classes but Other"),
            Row("Tumor share", self.tumor_share, "", MEANINGS["tumor_share"]),
            Row("Tumor to stroma", self.tumor_to_stroma, "", MEANINGS["tumor_to_stroma"]),
            Row("Stromal TIL share", self.stromal_til_share, "", MEANINGS["stromal_til_share"]),
            Row("Necrosis share", self.necrosis_share, "", MEANINGS["necrosis_share"]),
            Row("Tumor nests", nests.number, "", MEANINGS["nests"]),
            Row("Least nest", nests.least_um2, "µm²"),
            Row("Median nest", nests.median_um2, "µm²"),
            Row("Largest nest", nests.largest_um2, "µm²"),
            Row("Invasive front", self.front_mm, "mm", MEANINGS["front_mm"]),
        ]

    def to_csv(self) -> str:
        """Return the rows as a CSV table."""
        return to_csv(self.rows())


def count(
    masks: LabelMap | Iterable[LabelMap],
    taxonomy: Taxonomy | None = None,
    *,
    region: BaseGeometry | None = None,
    least_nest_um2: float = LEAST_NEST,
) -> Counts:
    """Count in masks of one pixel size that do not touch; with `region` (level-0 pixels) only inside it.

    A class that the taxonomy does not have covers nothing.
    """
    taxonomy = taxonomy or load_taxonomy()
    cut = [within(each, region) for each in ([masks] if isinstance(masks, LabelMap) else masks)]
    areas = statistics(cut, taxonomy)
    tumor, stroma, lymphocyte, necrosis = (
        areas.area_mm2.get(name, 0.0) for name in (TUMOR, STROMA, LYMPHOCYTE, NECROSIS)
    )
    tumor_code, stroma_code = _code(taxonomy, TUMOR), _code(taxonomy, STROMA)
    mpp = cut[0].mpp if cut else 0.0
    pairs = [(each.labels == tumor_code, each.labels == stroma_code) for each in cut]
    return Counts(
        areas=areas,
        tumor_share=_ratio(tumor, tumor + stroma),
        stromal_til_share=_ratio(lymphocyte, stroma + lymphocyte),
        necrosis_share=_ratio(necrosis, tumor + necrosis),
        nests=find_nests((mine for mine, _ in pairs), mpp, least_um2=least_nest_um2),
        front_mm=sum(front_length(mine, other, mpp) for mine, other in pairs),
        mpp=mpp,
    )


def _code(taxonomy: Taxonomy, name: str) -> int:
    """Return a class's pixel value, -1 where the taxonomy does not have it."""
    found = taxonomy.find(name)
    return found.code if found else -1


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
