"""The long work of the window: engine functions, called with what the session knows. torch is imported here only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shapely.geometry.base import BaseGeometry

from segcore.annotations import Annotation, LabelMap, Taxonomy
from segcore.progress import Report
from segcore.slides import Slide
from viewer.jobs.models import Models
from viewer.jobs.provenance import marked, record

SHORT_NAMES = {"torch.float32": "fp32", "torch.bfloat16": "bf16", "torch.float16": "fp16"}
Box = tuple[int, int, int, int]
"""(left, top, width, height) in level-0 pixels."""


@dataclass(frozen=True, eq=False)
class Segmented:
    """A finished segmentation and how it came to be."""

    labels: LabelMap
    run: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Doubts:
    """Why a segmentation was not begun: what would spoil its mask, by the name of the concern in a sentence."""

    concerns: Mapping[str, str]


def segment(
    slide: Slide,
    region: Annotation,
    models: Models,
    *,
    model: str = "default",
    alpha: float,
    sigma: float,
    accepted: frozenset[str],
    stream: Callable[[LabelMap], None],
    report: Report,
) -> Segmented | Doubts:
    """Segment `region` with the bundle or package called `model`, refining the borders by label propagation.

    It is not begun where something serious speaks against it whose name is not `accepted`.
    """
    report(0.0, "loading the model")
    from segcore.inference import check_region, segment_region  # noqa: PLC0415 - torch takes a second to import
    from segcore.refinement import Refinement  # noqa: PLC0415 - likewise

    bundle = models.get(model)
    report(0.0, "looking at the region")
    concerns = check_region(slide, bundle, region.geometry)
    serious = {each.name: each.sentence for each in concerns if each.severity == "warning"}
    if not accepted.issuperset(serious):
        return Doubts(serious)
    device = f"{str(bundle.device).upper()} {SHORT_NAMES[str(bundle.precision)]}"
    started = datetime.now(UTC)
    labels = segment_region(
        slide,
        bundle,
        region.geometry,
        report=lambda fraction, text="": report(fraction, f"{text} · {device}"),
        refine=Refinement(alpha=alpha, sigma_intensity=sigma) if alpha > 0 else None,
        partial=stream,
        cache=models.runs,
    )
    run = record(slide, region, bundle, labels, started=started)
    run |= {"device": device, "refinement": {"alpha": alpha, "sigma_intensity": sigma}}
    run |= {"concerns": [asdict(each) for each in concerns]}
    return Segmented(labels, run)


def find_tissue(slide: Slide, report: Report) -> BaseGeometry:
    """Return all tissue of a slide, level-0 pixels; raises RegionError where there is none."""
    from segcore.inference import tissue_region  # noqa: PLC0415 - torch takes a second to import

    report(0.1, "looking for tissue")
    return tissue_region(slide)


def refine(
    slide: Slide,
    region: BaseGeometry,
    models: Models,
    *,
    model: str,
    alpha: float,
    sigma: float,
    report: Report,
) -> LabelMap | None:
    """Refine a region anew from what was predicted of it; None where that is not all there any more."""
    from segcore.inference import refine_again  # noqa: PLC0415 - torch takes a second to import
    from segcore.refinement import Refinement  # noqa: PLC0415 - likewise

    settings = Refinement(alpha=alpha, sigma_intensity=sigma) if alpha > 0 else None
    return refine_again(
        slide, models.get(model), region, cache=models.runs, refine=settings, report=report
    )


def outline(
    labels: LabelMap,
    inside: Sequence[Annotation],
    taxonomy: Taxonomy,
    *,
    origin: Mapping[str, str],
    report: Report,
) -> list[Annotation]:
    """Return the areas of a mask as annotations: those parts that lie in `inside`, all where it is empty.

    `origin` is written into their metadata: where the mask comes from.
    """
    from segcore.annotations.raster import rasterize  # noqa: PLC0415 - not needed at the start
    from segcore.annotations.tracing import annotations_from_labels  # noqa: PLC0415 - likewise

    if inside:
        report(0.1, "cutting out")
        where = rasterize(
            [(1, each.geometry) for each in inside],
            shape=labels.labels.shape,
            column=labels.column,
            row=labels.row,
            scale=labels.scale,
        )
        labels = replace(labels, labels=labels.labels * where)
    report(0.3, "tracing")
    return marked(annotations_from_labels(labels, taxonomy), origin)


def export_tiles(
    folder: Path, slide: Slide, labels: LabelMap, taxonomy: Taxonomy, *, report: Report
) -> int:
    """Write image and mask tiles with a manifest; return how many tiles were written."""
    from segcore.data import export_tiles as export  # noqa: PLC0415 - not needed at the start

    return len(export(slide, labels, folder, taxonomy=taxonomy, report=report).tiles)


def make_sample(path: Path, *, report: Report) -> tuple[Path, Box]:
    """Paint the sample slide, unless it is there already; return it and a region worth a look."""
    from segcore.slides.procedural import SAMPLE_ROI, make_sample_slide  # noqa: PLC0415 - numba takes a second

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        make_sample_slide(path, path.with_name(f"{path.stem}-truth.tif"), report=report)
    return path, SAMPLE_ROI
