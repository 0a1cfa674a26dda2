"""The files of a report: `report.md`, `report.json` and the pictures that the first shows."""

from pathlib import Path

import msgspec

from segcore.assessment.assess import Assessment
from segcore.assessment.charts import draw_confusion, draw_reliability
from segcore.assessment.document import Document
from segcore.assessment.markdown import CONFUSION, PICTURES, RELIABILITY, WORST, markdown
from segcore.assessment.worst_sheet import draw_worst
from segcore.errors import DataError

REPORT, DATA = "report.md", "report.json"
FILES = (REPORT, DATA, *PICTURES)


def write_report(folder: Path, document: Document, found: Assessment) -> None:
    """Write `FILES` into a folder that exists; `document` describes `found`."""
    (folder / REPORT).write_text(markdown(document), encoding="utf-8")
    content = msgspec.json.format(msgspec.json.encode(document), indent=1)
    (folder / DATA).write_bytes(content + b"\n")
    title = f"{document.model.name} on {document.data}"
    pictures = {
        CONFUSION: draw_confusion(found.confusion, found.classes, title=title),
        RELIABILITY: draw_reliability(found.calibration, title=title),
        WORST: draw_worst(found.worst, title=title),
    }
    for name, picture in pictures.items():
        picture.save(folder / name)


def read_report(file: Path) -> Document:
    """Read `report.json` back; raises DataError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Document)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{file} is no report of an assessment; assess again.") from error
