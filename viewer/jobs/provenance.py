"""Where a mask comes from: what is recorded of a run, and what is written on the areas outlined from it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import shapely

from segcore.annotations import Annotation, LabelMap
from segcore.slides import Slide

if TYPE_CHECKING:
    from segcore.models import Bundle

ON_AREAS = {
    "Acinus model": "model",
    "Acinus weights SHA-256": "weights_sha256",
    "Acinus run": "started",
}
"""Keys of an area's metadata, and what of a run stands there."""


def record(
    slide: Slide, region: Annotation, bundle: "Bundle", labels: LabelMap, *, started: datetime
) -> dict[str, Any]:
    """Return what is needed to make a mask again, and what the bundle calls its tissue.

    The slide's name stays out: it may name a patient.
    """
    from segcore.inference import classify_tissue  # noqa: PLC0415 - torch takes a second to import
    from segcore.reporting.provenance import of_slide, versions  # noqa: PLC0415 - not needed at the start

    score = classify_tissue(slide, bundle, [labels])
    return {
        "format": "acinus-run-1",
        "verb": "segment",
        "slide": of_slide(slide),
        "region": {
            "id": region.id,
            "name": region.name,
            "geometry": shapely.geometry.mapping(region.geometry),
        },
        "model": bundle.card.name,
        "weights_sha256": bundle.card.sha256,
        "trained": bundle.card.trained,
        "mpp": bundle.mpp,
        "mask": {
            "column": labels.column,
            "row": labels.row,
            "shape": list(labels.labels.shape),
            "scale": labels.scale,
        },
        "classification": asdict(score) if score else None,
        "versions": versions(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 2),
    }


def origin_of(runs: Iterable[str]) -> dict[str, str]:
    """Return metadata that names the models behind a mask, whose runs were recorded as JSON, the oldest first."""
    recorded = [json.loads(each) for each in runs]
    found = {
        key: "; ".join(dict.fromkeys(str(each[part]) for each in recorded if each.get(part)))
        for key, part in ON_AREAS.items()
    }
    return {key: text for key, text in found.items() if text}


def marked(areas: Sequence[Annotation], origin: Mapping[str, str]) -> list[Annotation]:
    """Return areas of a mask that say where they come from."""
    return [each.with_(metadata={**each.metadata, **origin}) for each in areas]
