"""The manifest: a row per picture of a data set, in `manifest.csv`."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from segcore.annotations.atomic import replacing
from segcore.errors import DataError

MANIFEST = "manifest.csv"
REQUIRED = ("file", "case", "source", "mpp", "split")
"""The columns that every manifest has. Ours have `label`, `x`, `y`, sizes and pixels per class besides."""

Row = Mapping[str, str]


def read_manifest(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a data set's manifest; raises DataError."""
    file = folder / MANIFEST
    if not file.is_file():
        raise DataError(f"There is no {MANIFEST} in {folder}; give the folder of the data set.")
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.DictReader(text, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as a table ({error}); save it as CSV.") from error
    if rows and (missing := [name for name in REQUIRED if name not in rows[0]]):
        raise DataError(f"{file} has no column {missing[0]!r}; it needs {', '.join(REQUIRED)}.")
    return rows


def write_manifest(folder: Path, rows: Sequence[Row]) -> None:
    """Write the manifest, whole or not at all; columns in the order in which rows name them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with (
        replacing(folder / MANIFEST) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as text,
    ):
        table = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)


def mpp_of(row: Row) -> float:
    """Return the pixel size of a row's picture; raises DataError."""
    try:
        mpp = float(row["mpp"])
    except ValueError:
        mpp = 0.0
    if not 0 < mpp < float("inf"):
        raise DataError(
            f"The manifest gives {row['file']} the pixel size {row['mpp']!r}; "
            "write micrometres per pixel."
        )
    return mpp


def image_of(folder: Path, name: str) -> Path:
    return _inside(folder / "images", name)


def mask_of(folder: Path, name: str) -> Path:
    return _inside(folder / "labels", f"{Path(name).stem}.png")


def _inside(folder: Path, name: str) -> Path:
    """Return the file of a manifest, which may come from anywhere and must not lead out of its folder."""
    if not name or Path(name).name != name:
        raise DataError(
            f"The manifest names {name!r}, which is no file in {folder}; make it again."
        )
    return folder / name
