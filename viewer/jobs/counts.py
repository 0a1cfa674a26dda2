"""What the mask of a region says in numbers, now and as it was segmented; and the files that tell it."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import shapely

from segcore.annotations import Annotation, LabelMap, Taxonomy
from segcore.progress import Report
from segcore.slides import Slide

if TYPE_CHECKING:
    from segcore.counting import Changes, Counts

NOTE = "Numbers of a mask, which may be wrong; none is a diagnosis. Research use only."


class Line(NamedTuple):
    """A number for people: now, and before a person corrected the mask."""

    name: str
    segmented: float | None
    now: float | None
    unit: str
    meaning: str


@dataclass(frozen=True, eq=False)
class Figures:
    """The numbers of a region; what was segmented is None where no model has painted."""

    region: Annotation | None
    now: "Counts"
    segmented: "Counts | None"
    changes: "Changes | None"

    def lines(self) -> list[Line]:
        """Return the numbers now beside those of the segmentation."""
        before = {row.name: row.value for row in self.segmented.rows()} if self.segmented else {}
        return [
            Line(row.name, before.get(row.name), row.value, row.unit, row.meaning)
            for row in self.now.rows()
        ]

    def changed(self) -> list[Line]:
        """Return what a person has changed since the segmentation."""
        rows = self.changes.rows() if self.changes else []
        return [Line(row.name, None, row.value, row.unit, row.meaning) for row in rows]


@dataclass(frozen=True, eq=False)
class Masks:
    """The mask around a region, now and as it was segmented."""

    now: LabelMap
    segmented: LabelMap | None


def count(
    masks: Masks, region: Annotation | None, taxonomy: Taxonomy, *, report: Report
) -> Figures:
    """Count in a region, or in the whole mask where there is none."""
    report(0.0, "counting")
    from segcore.counting import compare  # noqa: PLC0415 - scikit-image takes half a second to import
    from segcore.counting import count as count_in  # noqa: PLC0415 - likewise

    place = region.geometry if region is not None else None
    now = count_in(masks.now, taxonomy, region=place)
    if masks.segmented is None:
        return Figures(region, now, None, None)
    report(0.4, "counting what was segmented")
    before = count_in(masks.segmented, taxonomy, region=place)
    report(0.8, "comparing")
    changes = compare(masks.segmented, masks.now, taxonomy, region=place)
    return Figures(region, now, before, changes)


def export(
    path: Path, figures: Figures, slide: Slide, runs: Sequence[dict[str, Any]], *, report: Report
) -> None:
    """Write the numbers and where they come from, as JSON or as a table (CSV), by the file's name."""
    report(0.8, "writing")
    from segcore.annotations.atomic import write_bytes  # noqa: PLC0415 - not needed at the start
    from segcore.reporting.provenance import of_slide, versions  # noqa: PLC0415 - likewise

    origin = {
        "slide": of_slide(slide),
        "runs": list(runs),
        "edited": _edited(figures),
        "versions": versions(),
        "counted": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if path.suffix.lower() == ".json":
        text = json.dumps(_document(figures, origin), indent=1, ensure_ascii=False) + "\n"
    else:
        text = _table(figures, origin)
    write_bytes(path, text.encode())


def _edited(figures: Figures) -> dict[str, float | None]:
    """Return who made which share of what is labelled now or was."""
    share = figures.changes.fraction if figures.changes else 1.0
    return {"by_model": 1 - share, "by_person": share}


def _document(figures: Figures, origin: dict[str, Any]) -> dict[str, Any]:
    from segcore.counting import MEANINGS  # noqa: PLC0415 - scikit-image takes half a second to import

    region = figures.region
    return {
        "format": "acinus-counts-1",
        "note": NOTE,
        "region": None
        if region is None
        else {
            "id": region.id,
            "name": region.name,
            "geometry": shapely.geometry.mapping(region.geometry),
        },
        "mpp": figures.now.mpp,
        "now": figures.now.to_json(),
        "segmented": figures.segmented.to_json() if figures.segmented else None,
        "changes": figures.changes.to_json() if figures.changes else None,
        "meanings": MEANINGS,
        **origin,
    }


def _table(figures: Figures, origin: dict[str, Any]) -> str:
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("name", "segmented", "now", "unit", "meaning"))
    for line in (*figures.lines(), *figures.changed()):
        values = ("" if each is None else f"{each:.6g}" for each in (line.segmented, line.now))
        writer.writerow((line.name, *values, line.unit, line.meaning))
    for name, value in _told(figures, origin).items():
        writer.writerow((name, "", value, "", ""))
    return stream.getvalue()


def _told(figures: Figures, origin: dict[str, Any]) -> dict[str, Any]:
    """Return where the numbers come from, as rows of a table."""
    runs = origin["runs"]
    scores = [each["classification"] for each in runs if each.get("classification")]
    return {
        "Region": (figures.region.name or figures.region.id) if figures.region else "whole mask",
        "Mask µm per pixel": figures.now.mpp,
        "Slide fingerprint": origin["slide"]["fingerprint"],
        "Models": "; ".join(dict.fromkeys(str(each.get("model")) for each in runs)),
        "Weights SHA-256": "; ".join(
            dict.fromkeys(str(each.get("weights_sha256")) for each in runs)
        ),
        "Classified as": "; ".join(f"{each['label']} {each['confidence']:.3f}" for each in scores),
        "Acinus": origin["versions"]["acinus"],
        "Counted": origin["counted"],
        "Note": NOTE,
    }
