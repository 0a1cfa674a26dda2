"""Numbers as rows of a table: each with its name, its unit and what it means."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import NamedTuple


class Row(NamedTuple):
    name: str
    value: float | None
    """None where it has no meaning, as a ratio to nothing."""
    unit: str
    """Empty for a count or a share of 1."""
    meaning: str = ""


def to_csv(rows: Iterable[Row]) -> str:
    """Return a table with a header; values without meaning are empty cells."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("name", "value", "unit", "meaning"))
    for row in rows:
        value = "" if row.value is None else f"{row.value:.6g}"
        writer.writerow((row.name, value, row.unit, row.meaning))
    return stream.getvalue()
