"""The long work of the window: engine functions, called with what the session knows. torch is imported here only."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.affinity import affine_transform

from segcore.annotations import Annotation, LabelMap, Taxonomy
from segcore.annotations.raster import region_mask
from segcore.progress import Report
from segcore.slides import Slide, read_scaled
from viewer.jobs.models import Models

Box = tuple[int, int, int, int]
"""(left, top, width, height) in level-0 pixels."""
EXPLAIN_SIDE = 1536  # model pixels: a gradient map of more would take gigabytes


@dataclass(frozen=True, eq=False)
class Segmented:
    """A finished segmentation and how it came to be."""

    labels: LabelMap
    run: dict[str, Any]


def segment(
    slide: Slide,
    region: Annotation,
    models: Models,
    *,
    alpha: float,
    sigma: float,
    stream: Callable[[LabelMap], None],
    report: Report,
) -> Segmented:
    """Segment `region` with the default bundle, refining the borders by label propagation."""
    report(0.0, "loading the model")
    from segcore.inference import segment_region  # noqa: PLC0415 - torch takes a second to import
    from segcore.refinement import Refinement  # noqa: PLC0415 - likewise

    bundle = models.get()
    device = str(bundle.device).upper()
    began = time.monotonic()
    labels = segment_region(
        slide,
        bundle,
        region.geometry,
        report=lambda fraction, text="": report(fraction, f"{text} · {device}"),
        refine=Refinement(alpha=alpha, sigma_intensity=sigma) if alpha > 0 else None,
        partial=stream,
    )
    run = {
        "verb": "segment",
        "region": {"id": region.id, "name": region.name},
        "model": bundle.card.name,
        "weights_sha256": bundle.card.sha256,
        "trained": bundle.card.trained,
        "mpp": bundle.mpp,
        "device": device,
        "refinement": {"alpha": alpha, "sigma_intensity": sigma},
        "seconds": round(time.monotonic() - began, 2),
    }
    return Segmented(labels, run)


def explain(
    slide: Slide, region: Annotation, models: Models, *, class_name: str, report: Report
) -> tuple[npt.NDArray[np.float32], tuple[float, float, float, float]]:
    """Return the Grad-CAM map of `class_name` (NaN outside the region) and the box it covers (level-0).

    A region that is too large for gradients is explained in its middle.
    """
    report(0.05, "loading the model")
    from segcore.explain import grad_cam  # noqa: PLC0415 - torch takes a second to import

    bundle = models.get()
    if slide.mpp is None:
        raise AssertionError("the session asks for the pixel size before it explains")
    scale = bundle.mpp / slide.mpp
    left, top, width, height = _explained_box(region.geometry, scale)
    report(0.2, "reading the region")
    image = read_scaled(slide, left=left, top=top, scale=scale, width=width, height=height)
    report(0.3, "following the gradients")
    values = grad_cam(bundle, image, bundle.classes.index(class_name))
    in_box = affine_transform(
        region.geometry, (1 / scale, 0, 0, 1 / scale, -left / scale, -top / scale)
    )
    inside = region_mask(in_box, column=0, row=0, width=width, height=height, scale=1.0)
    values[~inside] = np.nan
    report(1.0)
    return values, (left, top, left + width * scale, top + height * scale)


def _explained_box(geometry: shapely.Geometry, scale: float) -> tuple[float, float, int, int]:
    """Return (left, top, width, height): the box of the region, or its middle where it is too large."""
    left, top, right, bottom = shapely.bounds(geometry)
    width = max(32, min(EXPLAIN_SIDE, round((right - left) / scale)))
    height = max(32, min(EXPLAIN_SIDE, round((bottom - top) / scale)))
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    return middle_x - width * scale / 2, middle_y - height * scale / 2, width, height


def export_geojson(
    path: Path,
    slide: Slide,
    annotations: Sequence[Annotation],
    labels: LabelMap | None,
    taxonomy: Taxonomy,
    *,
    report: Report,
) -> int:
    """Write annotations and the mask's polygons for QuPath; return how many objects were written."""
    from segcore.annotations import write_annotations  # noqa: PLC0415 - not needed at the start
    from segcore.annotations.tracing import annotations_from_labels  # noqa: PLC0415 - likewise

    report(0.1, "tracing the mask")
    traced = annotations_from_labels(labels, taxonomy) if labels is not None else []
    report(0.6, "writing")
    everything = [*annotations, *traced]
    write_annotations(path, everything, slide=slide)
    return len(everything)


def export_tiles(folder: Path, slide: Slide, labels: LabelMap, *, report: Report) -> int:
    """Write image and mask tiles with a manifest; return how many tiles were written."""
    from segcore.data import export_tiles as export  # noqa: PLC0415 - not needed at the start

    return len(export(slide, labels, folder, report=report).tiles)


def make_sample(path: Path, *, report: Report) -> tuple[Path, Box]:
    """Paint the sample slide, unless it is there already; return it and a region worth a look."""
    from segcore.slides.procedural import SAMPLE_ROI, make_sample_slide  # noqa: PLC0415 - numba takes a second

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        make_sample_slide(path, path.with_name(f"{path.stem}-truth.tif"), report=report)
    return path, SAMPLE_ROI
